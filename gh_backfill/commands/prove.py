"""The command that proves that nothing is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json, SomeNames

if TYPE_CHECKING:
    from gh_backfill.tasks.verify.verify import Verified


def verify(
    repositories: SomeNames = None,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", envvar="GH_BACKFILL_REPAIR", help="Read again what differs, and mark what GitHub has no more."
        ),
    ] = False,
    given: options.RepositoryIds = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit",
            envvar="GH_BACKFILL_TIME_LIMIT",
            metavar="MINUTES",
            help="Ask nothing after that; the next verification goes on. Default: none.",
        ),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Prove by GitHub's counts and numbers that everything is here, and certify it in a line.

    Without a name: those whose turn it is, oldest proof first, within a twentieth of the hour's points.
    Example: [bold]gh-backfill verify octocat/hello-world --repair[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.plan import parse_ids
    from gh_backfill.tasks.verify import sweep
    from gh_backfill.terminal import verified

    names = [*(repositories or []), *parse_ids(given or "")]
    until = options.limits(None, None, time_limit).deadline
    environment = settings.load()
    kinds = options.kinds(None, environment)
    done: list[Verified] = []
    with (
        connect.github(environment) as graphql,
        connect.database(environment, writing=not dry_run) as db,
        connect.sharing(graphql, db, writing=not dry_run),
    ):
        run = connect.this_run(environment)
        try:
            told = sweep.verifications(
                db, graphql, run, names, kinds=kinds, repair=repair, writes=not dry_run, until=until
            )
            done.extend(told)
        finally:
            actions.write_summary(environment, verified.markdown_of(done))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    else:
        verified.show(done, dry_run=dry_run)
    sweep.raise_failures(done, named=bool(names))
