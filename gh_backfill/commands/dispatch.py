"""The command of a tick: what is due is asked about, and each job that waits goes to a processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json, SomeNames
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import ticked
from gh_backfill.terminal.console import say

if TYPE_CHECKING:
    from gh_backfill import settings


def dispatch(dry_run: DryRun = False, as_json: Json = False) -> None:
    """Ask about everything that is due, and hand each job that waits to GitHub Actions or to Inngest.

    What did not change costs a tenth of a point at most. A lost or late tick costs freshness only.
    Example: [bold]gh-backfill dispatch --dry-run[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.dispatch import tick

    environment = settings.load()
    if dry_run:
        with connect.database(environment, writing=False) as db:
            foreseen = tick.outlook(db)
        if as_json:
            print(json_text(ticked.outlook_json(foreseen)))
        else:
            ticked.show_outlook(foreseen)
        return
    with _heartbeat(environment):
        _tick(environment, as_json=as_json)


def schedule(
    names: SomeNames = None,
    off_peak: Annotated[
        str | None,
        typer.Option(
            "--off-peak",
            metavar="HOURS",
            help="Hours in which plans take them, in UTC: 22:00-06:00, learned (when others use least), or none.",
        ),
    ] = None,
    every_days: Annotated[
        str | None,
        typer.Option("--every-days", metavar="N", help="Read a complete history again every N days, or none."),
    ] = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Say when plans take repositories: in some hours of the day, and again after so many days.

    A sync, an initial backfill and whatever is named by hand wait for no hour. Without names: all with a schedule.
    Example: [bold]gh-backfill schedule octocat/hello-world --off-peak 22:00-06:00[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import schedule as scheduling

    wish = scheduling.ScheduleWish.of(off_peak, every_days)
    environment = settings.load()
    with connect.database(environment, writing=bool(wish) and not dry_run) as db:
        told = scheduling.schedule(
            db, names or [], wish, datetime.now(UTC), usual=environment.off_peak, dry_run=dry_run
        )
    if as_json:
        print(json_text([each.as_json() for each in told]))
        return
    for each in told:
        say(escape(f"{each.timetable.full_name}: {each.text}"))
    if not told:
        say("no repository has a schedule of its own: gh-backfill schedule owner/name --off-peak 22:00-06:00")
    if dry_run:
        say("dry run: nothing was written")


def _tick(environment: settings.Settings, *, as_json: bool) -> None:
    from gh_backfill.tasks import connect, pacing
    from gh_backfill.tasks.dispatch import inngest_sender, tick
    from gh_backfill.tasks.dispatch.processors import processors
    from gh_backfill.tasks.report import costs

    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db, apart=False),
    ):
        if (reason := costs.waits(db, environment, datetime.now(UTC))) is not None:
            actions.annotate(environment, "warning", [reason])
            print(json_text({"reason": reason}) if as_json else f"nothing is dispatched: {reason}")
            return
        done = tick.tick(
            db,
            graphql,
            processors(environment, inngest_sender.sender(environment)),
            kinds=options.kinds(None, environment),
            pace=pacing.pace(db, graphql, environment),
            percent=environment.actions_percent,
        )
    actions.write_summary(environment, ticked.markdown_of(done))
    if as_json:
        print(json_text(ticked.as_json(done)))
    else:
        ticked.show(done)
    if done.routed.waiting:
        actions.annotate(environment, "warning", [f"jobs wait: {'; '.join(done.routed.down.values())}"])


@contextmanager
def _heartbeat(environment: settings.Settings) -> Iterator[None]:
    """Tell the dead man's switch of a beginning, and how it ended, where there is one."""
    if environment.heartbeat_url is None:
        yield
        return
    from gh_backfill.clients.heartbeat import Beat, ping

    url = environment.heartbeat_url.get_secret_value()
    ping(url, Beat.START)
    try:
        yield
    except BaseException:
        ping(url, Beat.FAILURE)
        raise
    ping(url, Beat.SUCCESS)
