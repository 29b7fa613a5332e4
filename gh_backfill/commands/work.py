"""The commands that do the work: track, plan, capture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions, results
from gh_backfill.commands import options
from gh_backfill.commands.history import confirmed
from gh_backfill.commands.options import (
    ChunkSize,
    DryRun,
    Json,
    Kinds,
    MaxChunks,
    Name,
    NameOption,
    Names,
    number,
)
from gh_backfill.errors import BackfillError, ConfigurationError, Denied, PartlyFailed, Unreachable
from gh_backfill.policy.json_text import json_text

if TYPE_CHECKING:
    from gh_backfill.clients.graphql import GraphQL
    from gh_backfill.policy.ledger import ErrorType
    from gh_backfill.tasks.accounts import AccountRepositories
    from gh_backfill.tasks.track import Tracked


def track(
    names: Names,
    backfill: Annotated[
        bool | None,
        typer.Option(help="Also open the backfill of those that never had one. Default: yes, but for owner/*."),
    ] = None,
    max_prs: Annotated[
        str | None,
        typer.Option(
            "--max-prs", metavar="N", help="Only the newest N pull requests; more, or `all`, later. Default: all."
        ),
    ] = None,
    min_prs: Annotated[
        str | None, typer.Option("--min-prs", metavar="N", help="Of an account: with at least N pull requests.")
    ] = None,
    include_forks: Annotated[bool, typer.Option("--include-forks", help="Of an account: forks, too.")] = False,
    include_archived: Annotated[bool, typer.Option("--include-archived", help="Of an account: archives, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask about the repositories of an account.")] = False,
    kinds: Kinds = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Register repositories; what is wrong with one of them does not stop the others.

    All repositories of an account are shown with their count and an estimate first, and asked about.
    Example: [bold]gh-backfill track octocat/hello-world --max-prs 200[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.engine import registry
    from gh_backfill.tasks import accounts, connect
    from gh_backfill.tasks import track as tracking
    from gh_backfill.tasks.accounts import Filters

    goal, given = options.goal(max_prs)
    filters = Filters(least=number("--min-prs", min_prs, 0) or 0, forks=include_forks, archived=include_archived)
    logins = [login for login in map(accounts.login_of, names) if login is not None]
    if not logins and filters != Filters():
        raise ConfigurationError("--min-prs, --include-forks and --include-archived choose among an account's: owner/*")
    environment = settings.load()
    wanted = registry.chosen(kinds)
    options.kinds(None, environment)  # a name that is none is told before anything is written

    def ask(graphql: GraphQL, *, yes: bool) -> tuple[list[Tracked], list[Tracked]]:
        plain_names = [name for name in names if accounts.login_of(name) is None]
        named = tracking.ask(graphql, plain_names, name_of=connect.name_of(environment))
        found = accounts.ask(graphql, logins, filters)
        return named, _of_accounts(graphql, found, named, backfill=bool(backfill), yes=yes)

    with ExitStack() as stack:
        graphql = stack.enter_context(connect.github(environment))
        if dry_run:
            named, listed = ask(graphql, yes=True)
            tracked = named + listed
        else:
            actor = connect.actor(environment)
            db = stack.enter_context(connect.database(environment))
            stack.enter_context(connect.sharing(graphql, db, apart=False))
            named, listed = ask(graphql, yes=yes)
            first = goal if backfill is not False else None
            tracked = tracking.register(db, named, backfill=first, larger=given, actor=actor, kinds=wanted)
            opens = goal if backfill else None
            tracked += tracking.register(db, listed, backfill=opens, larger=given, actor=actor, kinds=wanted)
    if as_json:
        print(json_text([results.tracked_row(each) for each in tracked]))
    else:
        results.show_tracked(tracked, dry_run=dry_run)
    tracking.raise_failures(tracked)


def _of_accounts(
    graphql: GraphQL, found: Sequence[AccountRepositories], named: Sequence[Tracked], *, backfill: bool, yes: bool
) -> list[Tracked]:
    """Return the repositories of accounts, after a yes to their count and estimate."""
    from gh_backfill.tasks import accounts

    for line in accounts.summary(found, graphql, backfill=backfill):
        print(line, file=sys.stderr)
    if not yes and any(each.chosen for each in found):
        confirmed("track these repositories?")
    return accounts.tracked(found, named)


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
    from gh_backfill import bars, settings
    from gh_backfill.engine import prices, registry
    from gh_backfill.engine.outcome import CaptureOutcome
    from gh_backfill.engine.recover import recover
    from gh_backfill.policy.standing import notice
    from gh_backfill.tasks import capture as capturing
    from gh_backfill.tasks import children, connect

    name = (repository or repository_id or "").strip()
    if not name:
        raise ConfigurationError("which repository? gh-backfill capture owner/name")
    limits = replace(options.limits(chunk_size, max_chunks, time_limit), part=number("--part", part, 1))
    environment = settings.load()
    once, default = registry.chosen(kinds), options.kinds(None, environment)
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
        )
    results.show_captured(child or name, captured)
    if captured.outcome is CaptureOutcome.PAUSED:
        actions.annotate(environment, "notice", [notice(captured.reason)])
    if captured.outcome is CaptureOutcome.FAILED:
        text = f"{child or name}: {captured.told}"
        raise PartlyFailed(text) if captured.partly else failure(text, {captured.error_type})


def failure(message: str, causes: set[ErrorType | None]) -> BackfillError:
    """Return the error that a capture ends in: by its exit code, the credential's, the network's or its own fault."""
    from gh_backfill.policy.ledger import ErrorType

    if causes == {ErrorType.DENIED}:
        return Denied(message)
    return Unreachable(message) if causes == {ErrorType.NETWORK} else PartlyFailed(message)
