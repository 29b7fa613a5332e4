"""Counts of one thing by the day, and the source that told of each day.

All days are UTC's, and spans of them are half open: their last day is the one before `until`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction

DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class DaySpan:
    """Days from `since` on and before `until`."""

    since: date
    until: date

    @property
    def days(self) -> int:
        """Return how many days it has."""
        return (self.until - self.since).days

    @property
    def last(self) -> date:
        """Return its last day."""
        return self.until - DAY


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedSource:
    """A source as it answered last: why it did not, when that was, and by how much GitHub counts more than it lists."""

    source: str
    available: bool
    reason: str | None
    asked_at: datetime
    unexplained: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DailyCounts:
    """How many there were on each day from `first` on, and who told of it; None: that day is covered by nobody."""

    first: date
    counts: tuple[int | None, ...]
    sources: tuple[str | None, ...]

    @property
    def needed(self) -> int:
        """Return how many days there are."""
        return len(self.counts)

    @property
    def known(self) -> tuple[int, ...]:
        """Return the counts of the days that are covered."""
        return tuple(count for count in self.counts if count is not None)

    @property
    def covered(self) -> int:
        """Return how many days are covered."""
        return len(self.known)

    @property
    def whole(self) -> bool:
        """Say whether every day is covered."""
        return self.covered == self.needed

    @property
    def total(self) -> int | None:
        """Return how many there were on all days that are covered; None where there are none."""
        return sum(self.known) if self.known else None

    @property
    def per_day(self) -> Fraction | None:
        """Return how many there were a day, of the days that are covered; None where there are none."""
        return Fraction(sum(self.known), self.covered) if self.known else None

    @property
    def by_source(self) -> Mapping[str, int]:
        """Return how many days each source told of, the one with the most first."""
        return dict(Counter(source for source in self.sources if source is not None).most_common())

    @property
    def gaps(self) -> tuple[DaySpan, ...]:
        """Return the days that nobody covered, as spans, in order."""
        found: list[DaySpan] = []
        for place, source in enumerate(self.sources):
            day = self.first + place * DAY
            if source is not None:
                continue
            since = found.pop().since if found and found[-1].until == day else day
            found.append(DaySpan(since=since, until=day + DAY))
        return tuple(found)

    def within(self, span: DaySpan) -> DailyCounts:
        """Return the days of a span, which must lie within these."""
        begin, end = (span.since - self.first).days, (span.until - self.first).days
        if not 0 <= begin <= end <= self.needed:
            raise ValueError(f"{span.since} to {span.until} is not within {self.needed} days from {self.first}")
        return DailyCounts(first=span.since, counts=self.counts[begin:end], sources=self.sources[begin:end])

    def as_of(self, asked: Sequence[AskedSource]) -> datetime | None:
        """Return when the sources of these days were asked last; None where there are none."""
        used = set(self.by_source)
        return max((each.asked_at for each in asked if each.source in used), default=None)


def periods(today: date, days: int) -> tuple[DaySpan, DaySpan]:
    """Return the previous and the current period of so many days; today, which is not over, is in neither."""
    middle = today - days * DAY
    return DaySpan(since=middle - days * DAY, until=middle), DaySpan(since=middle, until=today)
