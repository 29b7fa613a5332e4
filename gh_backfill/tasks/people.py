"""People of a repository in the capture of its items: their profiles come last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from gh_backfill.engine.in_turn import Listen
from gh_backfill.engine.outcome import Limits
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.models.work import CONTRIBUTORS, TrackedRepository
from gh_backfill.tasks.record import Record


def switched_on(repository: TrackedRepository) -> tuple[str, ...]:
    """Return all that is captured of a repository: its kinds of items, and its people after them."""
    return (*repository.kinds, *((CONTRIBUTORS,) if repository.profiles else ()))


def after_items(
    record: Record, repository: TrackedRepository, limits: Limits, older_than: timedelta
) -> Callable[[Listen], ProfileReading]:
    """Return what reads the profiles of a repository's people once its items are here, within the same limits."""

    def reading(listen: Listen) -> ProfileReading:
        return ProfileReading(
            db=record.db,
            graphql=record.graphql,
            repository=repository,
            now=record.now,
            sleep=record.meter.sleep,
            listen=listen,
            deadline=limits.deadline,
            older_than=older_than,
        )

    return reading
