"""The hours of a day in which plans take large batches: a window that a person chose, or the hours that were learned.

All times are UTC, so that no day has an hour twice.  Learned are the hours in which others used least of the budget
that we share with them: the quieter third of the day.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from gh_backfill.errors import ConfigurationError

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LEARNED, NONE = "learned", "none"
# What is missing of a large batch.  Smaller ones are done before anybody is disturbed.
LARGE = 1_000
# So many days must have told something of an hour before it is called quiet.
DAYS_TO_LEARN = 3
QUIET_HOURS = 8
# Others who use less than this share of a budget in their busiest hour disturb nobody, and nobody them.
NOBODY = 0.05
# GitHub starts plans every half hour, and late: a window that is shorter may be missed.
SHORTEST = HOUR
_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """A span of every day, which may go over midnight; its end is not part of it."""

    opens: time
    closes: time

    @property
    def lasts(self) -> timedelta:
        """Return how long it is open."""
        return (_since_midnight(self.closes) - _since_midnight(self.opens)) % DAY

    def next_opening(self, now: datetime) -> datetime | None:
        """Return when it opens next; None where it is open now."""
        wait = (_since_midnight(self.opens) - _since_midnight(now.time())) % DAY
        return None if (_since_midnight(now.time()) - _since_midnight(self.opens)) % DAY < self.lasts else now + wait

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Learned:
    """The quiet hours of a day, as far as they are known: `days` say how many days told of the hour known least.

    No hours at all mean that nothing is learned yet.
    """

    hours: frozenset[int] = frozenset()
    days: int = 0

    @property
    def words(self) -> str:
        """Say what was learned."""
        if not self.hours:
            return f"not learned yet: {self.days} of {DAYS_TO_LEARN} days are known"
        if len(self.hours) == 24:
            return "others use next to nothing of the budget at any hour"
        return (
            f"others use least of the budget in the hours {', '.join(f'{hour:02}' for hour in sorted(self.hours))} UTC"
        )

    def next_opening(self, now: datetime) -> datetime | None:
        """Return when the next quiet hour begins; None where this one is quiet, or nothing is known."""
        if not self.hours or now.hour in self.hours:
            return None
        hour = now.replace(minute=0, second=0, microsecond=0)
        return next(hour + ahead * HOUR for ahead in range(1, 25) if (hour + ahead * HOUR).hour in self.hours)


@dataclass(frozen=True, kw_only=True, slots=True)
class Hours:
    """What is set for all repositories, and what was learned."""

    usual: str | None = None
    learned: Learned = field(default_factory=Learned)

    def waits_until(self, off_peak: str | None, size: int, now: datetime) -> datetime | None:
        """Return when the hours of a repository begin; None where a plan may take it now.

        `off_peak` is its own wish, which holds whatever is missing; what is set for all holds for a large `size` only.
        """
        wish = off_peak or (self.usual if size >= LARGE else None)
        return None if wish in (None, NONE) else self._next_opening(wish, now)

    def _next_opening(self, wish: str, now: datetime) -> datetime | None:
        if wish == LEARNED:
            return self.learned.next_opening(now)
        try:
            return parse(wish, given_as="off_peak").next_opening(now)
        except ConfigurationError:  # somebody else wrote it: nothing waits for what nobody can read
            return None


ALWAYS = Hours()


def checked(text: str, *, given_as: str) -> str:
    """Return a wish as it is stored: a window, `learned` or `none`; raises ConfigurationError for anything else."""
    word = text.strip().lower()
    return word if word in (LEARNED, NONE) else str(parse(word, given_as=given_as))


def parse(text: str, *, given_as: str) -> Window:
    """Read a window; raises ConfigurationError for what is none."""
    found = _SPAN.fullmatch(text.replace(" ", ""))
    window = None if found is None else Window(opens=time(*_two(found, 1)), closes=time(*_two(found, 3)))
    if window is None or window.lasts < SHORTEST:
        raise ConfigurationError(
            f"{given_as} must be hours of a day in UTC, an hour at least, such as 22:00-06:00, or learned, or none, "
            f"not {text[:40]}"
        )
    return window


def learn(shares: Mapping[int, Sequence[float]]) -> Learned:
    """Learn the quiet hours of a day from what others used of the budget: per hour, the shares of the days known."""
    days = min((len(shares.get(hour, ())) for hour in range(24)), default=0)
    if days < DAYS_TO_LEARN:
        return Learned(days=days)
    mean = {hour: sum(shares[hour]) / len(shares[hour]) for hour in range(24)}
    if max(mean.values()) < NOBODY:
        return Learned(hours=frozenset(range(24)), days=days)
    quiet = sorted(mean, key=lambda hour: (mean[hour], hour))[:QUIET_HOURS]
    return Learned(hours=frozenset(quiet), days=days)


def comes_again(every_days: int | None, completed_at: datetime | None, now: datetime) -> bool:
    """Say whether a complete history is to be read once more: so many days after it was last."""
    return every_days is not None and completed_at is not None and completed_at + timedelta(days=every_days) <= now


def _two(found: re.Match[str], first: int) -> tuple[int, int]:
    return int(found[first]), int(found[first + 1])


def _since_midnight(moment: time) -> timedelta:
    return timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond)
