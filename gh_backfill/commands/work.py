"""The command that captures one repository."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import (
    ChunkSize,
    DryRun,
    Kinds,
    MaxChunks,
    Name,
    NameOption,
    number,
)
from gh_backfill.errors import BackfillError, ConfigurationError, Denied, PartlyFailed, Unreachable

if TYPE_CHECKING:
    from gh_backfill.policy.ledger import ErrorType


def capture(
    repository: Name = None,
    repository_id: NameOption = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    part: Annotated[
        str | None,
        typer.Option(envvar="GH_BACKFILL_PART", metavar="N", help="Begin with this part of a walk that is split."),
    ] = None,
    kinds: Kinds = None,
    dry_run: DryRun = False,
    child: Annotated[
        str | None, typer.Option(hidden=True, metavar="NAME", help="Works for a run of this machine.")
    ] = None,
) -> None:
    """Capture one repository, page by page: pull requests with all reviews and comments, and issues where wanted.

    Without limits it runs to the end. It may be stopped at any time and goes on where it was.
    Example: [bold]gh-backfill capture octocat/hello-world --time-limit 12[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.engine import prices, registry
    from gh_backfill.engine.outcome import CaptureOutcome
    from gh_backfill.engine.recover import recover
    from gh_backfill.policy.standing import notice
    from gh_backfill.tasks import capture as capturing
    from gh_backfill.tasks import children, connect
    from gh_backfill.terminal import bars, results

    name = (repository or repository_id or "").strip()
    if not name:
        raise ConfigurationError("which repository? gh-backfill capture owner/name")
    limits = replace(options.limits(chunk_size, max_chunks, time_limit), part=number("--part", part, 1))
    environment = settings.load()
    once, default = registry.chosen(kinds, once=True), options.kinds(None, environment)
    if dry_run:
        with connect.database(environment, writing=False) as db:
            print(capturing.preview(db, name, limits).text)
        return
    if child is not None:
        children.become(child)
    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db, ahead=True),
        connect.lists(environment, graphql) as lists,
        bars.capture_progress() as listen,
    ):
        if limits.part is not None:
            capturing.check_part(db, name, limits.part)
        found = capturing.find(db, name, default)
        recover(db, [found.id])
        memory = prices.ask_once_a_week(db, graphql)
        run = connect.this_run(environment)
        captured = capturing.run(
            db,
            graphql,
            run,
            name,
            limits,
            kinds=once,
            default_kinds=default,
            lists=lists,
            listen=listen,
            found=found,
            memory=memory,
            profiles_old=environment.profiles_old,
        )
    shown = child or found.full_name  # by whatever id it was asked for
    results.show_captured(shown, captured)
    if captured.outcome is CaptureOutcome.PAUSED:
        actions.annotate(environment, "notice", [notice(captured.reason)])
    if captured.outcome is CaptureOutcome.FAILED:
        text = f"{shown}: {captured.told}"
        raise PartlyFailed(text) if captured.partly else failure(text, {captured.error_type})


def failure(message: str, causes: set[ErrorType | None]) -> BackfillError:
    """Return the error that a capture ends in: by its exit code, the credential's, the network's or its own fault."""
    from gh_backfill.policy.ledger import ErrorType

    if causes == {ErrorType.DENIED}:
        return Denied(message)
    return Unreachable(message) if causes == {ErrorType.NETWORK} else PartlyFailed(message)
