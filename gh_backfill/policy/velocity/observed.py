"""Counts of GitHub at the times when we looked, a series of its own: how much more or less there is than before.

Stars that are given and stars that are taken back are both in it.  It is never mixed with the stars given on a day that
still exist: where a count fell between two looks, so many were taken back at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from gh_backfill.policy.velocity.daily import DaySpan


@dataclass(frozen=True, kw_only=True, slots=True)
class CountSeen:
    """The last look of a day: GitHub's counts, and by how many stars they fell since the last look before that day."""

    at: datetime
    day: date
    stars: int
    forks: int
    fell: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What changed between two looks at the counts; `taken_back` is how many stars at least."""

    since: datetime
    until: datetime
    stars: int
    forks: int
    taken_back: int


def observed(seen: Sequence[CountSeen], span: DaySpan) -> Observed | None:
    """Return what changed in a span, from the last look before it, or the first in it; None for less than two looks.

    `seen` is in order.
    """
    before = [each for each in seen if each.day < span.since][-1:]
    looks = [*before, *(each for each in seen if span.since <= each.day < span.until)]
    if len(looks) < 2:
        return None
    first, last = looks[0], looks[-1]
    return Observed(
        since=first.at,
        until=last.at,
        stars=last.stars - first.stars,
        forks=last.forks - first.forks,
        taken_back=sum(each.fell for each in looks[1:]),
    )
