"""Duties of a worker that goes on for ever: which commands it runs, how often, and which of them side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.errors import Unreachable


class DutyLane(StrEnum):
    """What is done side by side: a long history keeps neither what was just added waiting, nor what changed."""

    ADDED = "added"
    HISTORIES = "histories"
    FRESH = "fresh"


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """A command of ours with its arguments, and how often it is begun at most; it decides by itself what is due."""

    words: tuple[str, ...]
    every: timedelta
    lane: DutyLane

    @property
    def name(self) -> str:
        """Return the command's name."""
        return self.words[0]


# As often as the workflows do the same.  The first of a lane goes first where several are due.
DUTIES = (
    Duty(words=("work",), every=timedelta(minutes=1), lane=DutyLane.ADDED),
    Duty(words=("run",), every=timedelta(minutes=30), lane=DutyLane.HISTORIES),
    Duty(words=("sync", "--all-due"), every=timedelta(minutes=15), lane=DutyLane.FRESH),
    Duty(words=("aggressive", "--due"), every=timedelta(hours=1), lane=DutyLane.FRESH),
    Duty(words=("events", "--due"), every=timedelta(days=1), lane=DutyLane.FRESH),
    Duty(words=("embed",), every=timedelta(hours=1), lane=DutyLane.FRESH),
    Duty(words=("aggregate", "--due"), every=timedelta(days=1), lane=DutyLane.FRESH),
    Duty(words=("verify",), every=timedelta(days=1), lane=DutyLane.FRESH),
)


# A network, GitHub or a database that is away comes back by itself: a daily command does not wait for tomorrow.
AWAY = timedelta(minutes=15)


def again(duty: Duty, code: int, *, began: datetime, ended: datetime) -> datetime:
    """Return when a command that ended with this exit code is begun again: in its time, or soon if it met nobody."""
    usual = began + duty.every
    return min(usual, ended + AWAY) if code == Unreachable.exit_code else usual


def soonest(duties: Iterable[Duty], due: Mapping[Duty, datetime], now: datetime) -> tuple[Duty, datetime]:
    """Return which of these duties comes next, and when; `due` is when each is to be begun again.

    What was never begun is due now; of what is due, the one that waits for the longest comes first.
    """
    first = min(duties, key=lambda duty: due.get(duty, datetime.min.replace(tzinfo=now.tzinfo)))
    return first, max(due.get(first, now), now)
