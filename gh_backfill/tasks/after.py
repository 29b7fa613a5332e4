"""Readings that follow the items of a repository, of which they are: profiles of people, files and commits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.in_turn import Listen
from gh_backfill.engine.outcome import Limits
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.models.work import COMMITS, CONTRIBUTORS, FILES, TrackedRepository
from gh_backfill.tasks.record import Record

AfterItems = Sequence[tuple[str, Callable[[Listen], ProfileReading | DiffReading]]]


def switched_on(repository: TrackedRepository) -> tuple[str, ...]:
    """Return all that is captured of a repository: its kinds of items, and what comes after them."""
    return (*repository.kinds, *repository.after)


def lists_of(names: Sequence[str]) -> tuple[str, ...]:
    """Return those of the names that are lists of what pull requests change."""
    return tuple(name for name in (FILES, COMMITS) if name in names)


def after_items(
    record: Record, repository: TrackedRepository, names: Sequence[str], limits: Limits, profiles_old: timedelta
) -> AfterItems:
    """Return what reads those of these names that come after the items, each with its words, within the same limits."""
    found: list[tuple[str, Callable[[Listen], ProfileReading | DiffReading]]] = []
    if CONTRIBUTORS in names:
        found.append((CONTRIBUTORS, lambda listen: profiles(record, repository, limits, profiles_old, listen)))
    if of := lists_of(names):
        found.append((" and ".join(of), lambda listen: diffs(record, repository, of, limits, listen)))
    return found


def profiles(
    record: Record, repository: TrackedRepository, limits: Limits, older_than: timedelta, listen: Listen
) -> ProfileReading:
    """Return what reads the profiles of a repository's people."""
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


def diffs(
    record: Record, repository: TrackedRepository, of: Sequence[str], limits: Limits, listen: Listen
) -> DiffReading:
    """Return what reads the files or the commits of a repository's pull requests, or both."""
    return DiffReading(
        db=record.db,
        graphql=record.graphql,
        repository=repository,
        of=of,
        now=record.now,
        sleep=record.meter.sleep,
        listen=listen,
        deadline=limits.deadline,
    )
