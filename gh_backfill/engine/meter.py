"""Measure where the time of one job goes: GitHub, the database, waiting, and the pause that ends it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.policy.bottleneck import Times
from gh_backfill.store.db import Database


class Meter:
    """The stop-watch of a job, from its making on.  `sleep` takes the place of the one it is given."""

    def __init__(
        self, db: Database, graphql: GraphQL, *, now: Callable[[], datetime], sleep: Callable[[float], None]
    ) -> None:
        self._db, self._graphql, self._now, self._sleep = db, graphql, now, sleep
        self._started = now()
        self._database = db.busy.seconds
        graphql.attempts.times = Times()

    def sleep(self, seconds: float) -> None:
        """Sleep, and count it for what GitHub's client was held up by, if it was."""
        self._wait(seconds)
        self._sleep(seconds)

    def times(self, paused_until: datetime | None = None) -> Times:
        """Return where the time went so far; what ends with a pause leaves that wait to its next run."""
        now = self._now()
        total = (now - self._started).total_seconds()
        if paused_until is not None:
            left = max(0.0, (paused_until - now).total_seconds())
            self._wait(left)
            total += left
        return replace(self._graphql.attempts.times, total=total, database=self._db.busy.seconds - self._database)

    def _wait(self, seconds: float) -> None:
        attempts = self._graphql.attempts
        cause = attempts.held_up
        if cause is not None:
            attempts.times = attempts.times.waited(cause, seconds)
