"""The command of a tick: what is due is asked about, and each job that waits goes to a processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gh_backfill import actions, ticked
from gh_backfill.commands import options
from gh_backfill.commands.options import DryRun, Json
from gh_backfill.policy.json_text import json_text

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
