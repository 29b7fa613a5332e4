"""One tick of our clock, whoever starts it: late or lost it costs freshness only, and two at a time do no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BackfillError
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.routing import ACTIONS_PERCENT, SHARED_OVER, Shares
from gh_backfill.policy.schedule import Pace
from gh_backfill.store import dues, routing
from gh_backfill.store.db import Database
from gh_backfill.store.dues import Backlog, Looked
from gh_backfill.store.routing import JobsWaiting
from gh_backfill.tasks.dispatch import due, jobs
from gh_backfill.tasks.dispatch.due import AskedDues
from gh_backfill.tasks.dispatch.jobs import Processors, RoutedJobs
from gh_backfill.tasks.webhooks.hear import HeardEvents, hear


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticked:
    """What a tick did; `backlog` is what is due after it, and `shares` are those of the last week."""

    asked: AskedDues
    routed: RoutedJobs
    backlog: Backlog
    shares: Shares
    heard: HeardEvents

    @property
    def lines(self) -> list[str]:
        """Say it in lines."""
        asked, routed = self.asked, self.routed
        said = [self._asked()]
        said += [f"{due.full_name}: {reason}" for due, reason in asked.unknown]
        if asked.not_asked:
            said.append(f"{counted(asked.not_asked, 'repository')} wait: {asked.limited}")
        if routed.routes or routed.closed or routed.waiting:
            said.append(self._routed())
        said += [f"{each.job.label or each.job.id}: {each.reason}" for each in routed.closed]
        said += [*([self.heard.text] if self.heard.text else []), *self.heard.failed]
        said += [f"{processor}: {why}" for processor, why in routed.down.items()]
        if self.shares.by_rule:
            said.append(f"in {SHARED_OVER.days} days: {self.shares.text}")
        return said

    def _asked(self) -> str:
        asked = self.asked
        if not asked.due:
            return "nothing is due"
        since = "" if asked.since is None else f" (since {asked.since:%Y-%m-%d %H:%M} UTC)"
        found = f"{asked.unchanged} unchanged, {len(asked.changed)} changed; {counted(asked.points, 'point')}"
        return f"{counted(asked.due, 'repository')} due{since}: {found}"

    def _routed(self) -> str:
        routed = self.routed
        waiting = f", {routed.waiting} wait" if routed.waiting else ""
        return f"{counted(len(routed.routes), 'job')} handed over, {len(routed.closed)} closed{waiting}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TickOutlook:
    """What a tick would take: repositories that are due, and jobs that wait."""

    dues: tuple[Looked, ...]
    jobs: tuple[JobsWaiting, ...]


def tick(
    db: Database,
    graphql: GraphQL,
    processors: Processors,
    *,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    pace: Pace | None = None,
    percent: int = ACTIONS_PERCENT,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Ticked:
    """Ask about what is due, and hand over all jobs that wait, those of this tick among them.

    What webhooks told becomes events, should nobody have seen to it.  Raises what concerns all repositories; then the
    jobs that waited were handed over all the same.
    """
    heard = hear(db, sleep)
    try:
        asked = due.ask(db, graphql, kinds=kinds, pace=pace, now=now, sleep=sleep)
    except BackfillError:
        jobs.route(db, processors, percent=percent, sleep=sleep)
        raise
    routed = jobs.route(db, processors, percent=percent, sleep=sleep)
    with db.reading() as tx:
        return Ticked(
            asked=asked,
            routed=routed,
            backlog=dues.backlog(tx),
            shares=routing.shares(tx, now() - SHARED_OVER),
            heard=heard,
        )


def outlook(db: Database) -> TickOutlook:
    """Say what a tick would take, from a read-only connection and without asking GitHub."""
    with db.reading() as tx:
        return TickOutlook(dues=tuple(dues.look(tx)), jobs=tuple(routing.look(tx)))
