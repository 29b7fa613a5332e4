"""The time of a repository's next sync follows from its priority, the budget, and the end of the last one.

| priority | every        |
| -------- | ------------ |
| high     | 15 minutes   |
| medium   | 30 minutes   |
| low      | 60 minutes   |

A repository may have an interval of its own.  While the budget is low, what is not of high priority has an hour at
least.  From 80 % of the monthly budget on every interval is doubled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.policy.governor import BudgetState

# The budget is low while no identity has so many points left of GitHub's hour.
LOW_POINTS = 500
LOW_INTERVAL = timedelta(hours=1)
# From so much of the monthly budget on, work is done half as often.
SAVING_PERCENT = 80
# What the column of a host application says where nobody set it: it comes with the priority that nobody set either.
UNSET_HOURS = 24
# A tick may come a little early, and must not find that all it came for is due a minute later.
EARLY = timedelta(minutes=2)
# GitHub starts schedules late as a rule; what is due for longer than this was missed.
LATE = timedelta(hours=1)
# After a failure the next try is after the interval, then after twice of it, and so on.
LONGEST_BACK_OFF = timedelta(days=1)


class Priority(StrEnum):
    """How soon a repository is looked at again; the words are those of the type of `tracked_repositories.priority`."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


# What our own `track` writes where nothing is said.
DEFAULT_PRIORITY = Priority.MEDIUM
INTERVALS = {
    Priority.HIGH: timedelta(minutes=15),
    Priority.MEDIUM: timedelta(minutes=30),
    Priority.LOW: timedelta(minutes=60),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What slows all repositories down: a low budget, and most of the month's money spent."""

    low_budget: bool = False
    saving: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Frequency:
    """How often a repository is wanted: `minutes` are its own, `hours` what a host application's column says."""

    priority: Priority = DEFAULT_PRIORITY
    minutes: int | None = None
    hours: int | None = None

    @property
    def own(self) -> timedelta | None:
        """Return the interval that somebody set for this repository; None where its priority decides."""
        if self.minutes is not None:
            return timedelta(minutes=self.minutes)
        if self.hours is None or self.hours <= 0 or (self.priority is Priority.LOW and self.hours == UNSET_HOURS):
            return None
        return timedelta(hours=self.hours)


def is_low(budgets: Iterable[BudgetState]) -> bool:
    """Say whether the budget is low; one of which nothing is known is not."""
    left = [each.left for each in budgets]
    return bool(left) and max(left) < LOW_POINTS


def pace(budgets: Iterable[BudgetState], used_percent: float | None) -> Pace:
    """Return what slows all repositories down now; `used_percent` is how much of the monthly budget is spent."""
    return Pace(low_budget=is_low(budgets), saving=used_percent is not None and used_percent >= SAVING_PERCENT)


def interval(wanted: Frequency, pace: Pace) -> timedelta:
    """Return how long after a sync the next one is due."""
    every = wanted.own or INTERVALS[wanted.priority]
    if pace.low_budget and wanted.priority is not Priority.HIGH:
        every = max(every, LOW_INTERVAL)
    return every * 2 if pace.saving else every


def is_late(due_since: datetime | None, now: datetime) -> bool:
    """Say whether the clock missed what is due: no tick asked about it for longer than schedules are late."""
    return due_since is not None and now - due_since > LATE


def due_words(many: int, since: datetime | None) -> str:
    """Say how much is due, and since when the longest; empty where nothing is."""
    if not many or since is None:
        return ""
    are = "repository is due for a sync" if many == 1 else "repositories are due for a sync"
    return f"{many:,} {are}, the longest since {since:%Y-%m-%d %H:%M} UTC"


def after_success(now: datetime, every: timedelta) -> datetime:
    """Return when a repository is due that was just found, or made, fresh."""
    return now + max(every - EARLY, every / 2)


def after_failure(now: datetime, every: timedelta, failures: int) -> datetime:
    """Return when a repository is due whose last syncs failed, so many in a row."""
    doublings = min(max(failures, 1) - 1, 10)
    wait = max(every, min(every * (1 << doublings), LONGEST_BACK_OFF))
    return now + max(wait - EARLY, wait / 2)


def after_refusal(now: datetime, resume_at: datetime | None) -> datetime:
    """Return when a repository is due that GitHub let nobody ask about: as soon as it may be asked again."""
    return now if resume_at is None else max(now, resume_at)
