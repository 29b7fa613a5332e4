"""GitHub's weeks of stars, as UTC days and as spans of time that they cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from gh_backfill.models.events import Covered, StarDay

DAYS_A_WEEK = 7
DAY = timedelta(days=1)
# Stars come and go while we ask; a larger difference is told.
TOLERANCE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class StarWeek:
    """A week of the history: when it begins, and the stars of each of its seven days."""

    begins: datetime
    days: tuple[int, ...]


def days(weeks: Iterable[StarWeek], now: datetime) -> list[StarDay]:
    """Return the days of weeks, oldest first and each once, up to today, which is provisional.

    Of a week that came twice the later reading holds; the order of `weeks` is that in which they were read.  GitHub
    does not promise that its days begin at midnight UTC: each goes by the UTC day in which most of it lies.
    """
    found: dict[date, StarDay] = {}
    for week in weeks:
        for place, stars in enumerate(week.days):
            begins = week.begins + place * DAY
            if begins <= now:
                day = (begins + DAY / 2).date()
                found[day] = StarDay(day=day, stars=stars, provisional=begins + DAY > now)
    return [found[day] for day in sorted(found) if day <= now.date()]


def covered(found: Sequence[StarDay], now: datetime) -> list[Covered]:
    """Return the spans that days cover, which are in order; today's ends now."""
    spans: list[Covered] = []
    for each in found:
        since = datetime.combine(each.day, time.min, UTC)
        until = min(since + DAY, now) if each.provisional else since + DAY
        if spans and spans[-1].until == since:
            spans[-1] = Covered(since=spans[-1].since, until=until)
        elif until > since:
            spans.append(Covered(since=since, until=until))
    return spans


def agrees(found: int, expected: int) -> bool:
    """Say whether the sum of a history is what GitHub counts, as far as both can be told at the same moment."""
    return abs(expected - found) <= TOLERANCE
