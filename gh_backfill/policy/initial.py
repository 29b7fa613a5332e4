"""The initial backfill of a repository that was added: how much of its history comes first, and in which order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.models.work import Goal
from gh_backfill.policy.schedule import Priority

# So many captures run side by side, on this machine as in the workflows.
LANES = 5
# The newest so many are of use at once, and cost a few points.
NEWEST = 200
# A goal that holds so much of a history is worth nothing beside the whole of it, and a plan would leave it at that.
WHOLE_FROM_PERCENT = 80
QUARTER = timedelta(days=91)
# Without a push for so long, a repository has no recent history to be quick for.
DORMANT = timedelta(days=180)
SMART_LEAST, SMART_MOST, SMART_STEP = 100, 1000, 50

# The place of what has no initial backfill to come.
LAST = (math.inf, math.inf)

Added = TypeVar("Added")


class InitialStatus(StrEnum):
    """How far the initial backfill of a repository is; the words are those of a CHECK, none means it never had one.

    pending     -> processing, completed, failed, cancelled
    processing  -> completed, failed, cancelled, and pending where its worker is gone
    failed      -> pending
    cancelled   -> pending
    completed   -> pending, where more is asked for
    """

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = frozenset({InitialStatus.PENDING, InitialStatus.PROCESSING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What somebody wants of repositories that are added.

    The newest `max_prs` pull requests of each (None: all), or as many as their size and activity suggest (`smart`);
    those created from `since` until before `until`, and in one of the `states` (none: any).  With `only_newest` the
    rest of their history is not wanted either.  With `one_per_owner` no two of an account are captured side by side.
    `priority` says how often they are looked at from then on (None: as before, or as our default says).
    """

    max_prs: int | None = NEWEST
    since: date | None = None
    until: date | None = None
    states: tuple[str, ...] = ()
    smart: bool = False
    only_newest: bool = False
    one_per_owner: bool = False
    priority: Priority | None = None

    @property
    def narrowed(self) -> bool:
        """Say whether a span of time or states are wanted: nobody knows before how many pull requests that is."""
        return self.since is not None or self.until is not None or bool(self.states)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """What is known of a repository before anything of it is read; times are UTC."""

    total: int
    created_at: datetime | None
    pushed_at: datetime | None


def wish_from(given: Mapping[str, object]) -> Wish:
    """Return a wish from what `asdict` made of it and JSON kept; what is missing is as if nothing was said."""
    priority = given.get("priority")
    most, states = given.get("max_prs", NEWEST), given.get("states")
    return Wish(
        max_prs=most if isinstance(most, int) else None,
        since=_day(given.get("since")),
        until=_day(given.get("until")),
        states=tuple(map(str, states)) if isinstance(states, list | tuple) else (),
        smart=given.get("smart") is True,
        only_newest=given.get("only_newest") is True,
        one_per_owner=given.get("one_per_owner") is True,
        priority=Priority(priority) if isinstance(priority, str) else None,
    )


def goal_of(wish: Wish, size: Size, now: datetime) -> Goal:
    """Return the goal of the first backfill of a repository.

    What holds most of a small repository takes the whole of it at once, so that it does not stay just under what a plan
    calls complete.
    """
    newest = smart_newest(size, now) if wish.smart else wish.max_prs
    if newest is not None and not wish.only_newest and newest * 100 >= size.total * WHOLE_FROM_PERCENT:
        newest = None
    return Goal(
        max_items=newest,
        since=midnight(wish.since),
        until=midnight(wish.until),
        states=tuple(map(PullRequestState, wish.states)),
    )


def smart_newest(size: Size, now: datetime) -> int:
    """Return about as many as came in the last quarter, by the pace of the whole history; few of one that sleeps."""
    if size.pushed_at is None or now - size.pushed_at > DORMANT or size.created_at is None:
        return SMART_LEAST
    age = max(now - size.created_at, QUARTER)
    pace = math.ceil(size.total * (QUARTER / age) / SMART_STEP) * SMART_STEP
    return min(SMART_MOST, max(SMART_LEAST, pace))


def place(wanted: int, pushed_at: datetime | None) -> tuple[float, float]:
    """Return the place in which a repository is served: smaller ones first, of the same size the more active ones."""
    return wanted, -pushed_at.timestamp() if pushed_at else math.inf


def next_of(waiting: Sequence[Added], owners: Sequence[str], owner_of: Callable[[Added], str | None]) -> int | None:
    """Return the place of the first that may begin while those of `owners` are at work; None: each has to wait.

    `owner_of` is the account of one that wants to be alone with it, None where it does not matter.
    """
    busy = {owner.lower() for owner in owners}
    return next(
        (
            place
            for place, each in enumerate(waiting)
            if (owner_of(each) or "").lower() not in busy or not owner_of(each)
        ),
        None,
    )


def _day(text: object) -> date | None:
    return date.fromisoformat(text) if isinstance(text, str) else None


def midnight(day: date | None) -> datetime | None:
    """Return the beginning of a day in UTC."""
    return None if day is None else datetime.combine(day, time.min, tzinfo=UTC)
