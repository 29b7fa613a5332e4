"""The commands that look back and explain: why, runs; and the one that takes repositories off the list: untrack."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from gh_backfill.commands.options import Demo, DryRun, Json, Names, number, stored
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import listings
from gh_backfill.terminal.console import hinted, say


def why(
    names: Names,
    events: Annotated[bool, typer.Option("--events", help="Also what people and plans did to it lately.")] = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Say in a sentence why a repository is, or is not, being captured now, and what would change it.

    Example: [bold]gh-backfill why octocat/hello-world[/bold]
    """
    from gh_backfill.policy.selection import Thresholds
    from gh_backfill.store import backfill_events
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import why as explaining

    environment = stored(demo=demo)
    thresholds = Thresholds(more_than=environment.minimum_pull_requests, below_percent=environment.complete_percent)
    with connect.database(environment, writing=False) as db:
        found = explaining.why(
            db,
            names,
            datetime.now(UTC),
            thresholds=thresholds,
            limit=environment.plan_limit,
            off_peak=environment.off_peak,
        )
        ids = [each.repository_id for each in found if each.repository_id]
        with db.reading() as tx:
            happened = backfill_events.last(tx, ids) if events else []
    if as_json:
        rows = [each.as_json() for each in found]
        told = [asdict(each) for each in happened]
        print(json_text({"repositories": rows, "events": told} if events else rows))
    else:
        for each in found:
            say(escape(hinted(f"{each.given}: {each.text}")))
        for event in happened:
            say(escape(listings.event_line(event)))
    unknown = [each.given for each in found if each.failed]
    if unknown:
        raise PartlyFailed(f"not tracked here: {', '.join(unknown)}")


def runs(
    run_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A run, with its jobs. Default: the last.")
    ] = None,
    most: Annotated[str, typer.Option("--last", metavar="N", help="So many runs, 1 to 1000.")] = "10",
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Show the last runs, or one with its jobs: what each captured, how it ended, and where its log is.

    Example: [bold]gh-backfill runs 12345678[/bold]
    """
    from gh_backfill.store import runs as past
    from gh_backfill.tasks import connect

    environment = stored(demo=demo)
    with connect.database(environment, writing=False) as db, db.reading() as tx:
        found = past.last(tx, most=number("--last", most, 1, 1000) or 10) if run_id is None else []
        jobs = [] if run_id is None else past.jobs(tx, run_id.strip())
    if run_id is not None and not jobs:
        raise ConfigurationError(f"there is no run {run_id[:40]}: gh-backfill runs shows the last ones")
    if as_json:
        print(json_text([asdict(each) for each in jobs or found]))
    elif run_id is not None:
        listings.show_past_jobs(jobs)
    else:
        listings.show_past_runs(found)


def untrack(
    names: Names,
    delete_rows: Annotated[
        bool, typer.Option("--delete-rows", help="Also delete the pull requests, reviews and comments that are here.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: DryRun = False,
    as_json: Json = False,
    demo: Demo = False,
) -> None:
    """Take repositories off the list: nothing is captured of them any more; what is here stays unless told otherwise.

    Example: [bold]gh-backfill untrack octocat/hello-world --dry-run[/bold]
    """
    from gh_backfill.tasks import connect, operate
    from gh_backfill.tasks import untrack as untracking

    environment = stored(demo=demo)
    with connect.database(environment, writing=not dry_run) as db:
        if not dry_run and not yes:
            for each in untracking.untrack(db, names, delete_rows=delete_rows, dry_run=True):
                print(f"{each.given}: {each.result}", file=sys.stderr)
            confirmed("untrack these repositories?")
        done = untracking.untrack(db, names, delete_rows=delete_rows, dry_run=dry_run, actor=connect.actor(environment))
    if as_json:
        print(json_text([each.as_json() for each in done]))
    else:
        for each in done:
            say(escape(f"{each.given}: {each.result}"))
        if dry_run:
            say("dry run: nothing was written")
    operate.raise_failures(
        [operate.Operated(given=each.given, result=each.result, failed=each.failed) for each in done]
    )


def confirmed(question: str) -> None:
    """Ask on the terminal; raises ConfigurationError where there is none, and ends the command for a no."""
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{question} nobody can be asked here: say --yes")
    if not typer.confirm(question, err=True):
        print("nothing was changed", file=sys.stderr)
        raise typer.Exit(1)
