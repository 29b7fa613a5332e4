"""The velocity of stars and forks in repositories, and which days are known at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from gh_backfill.models.events import Series
from gh_backfill.policy.velocity import trend
from gh_backfill.policy.velocity.activity import WEIGHTS, Activity, activity
from gh_backfill.policy.velocity.daily import DAY, AskedSource, DailyCounts, DaySpan, periods
from gh_backfill.policy.velocity.observed import Observed, observed
from gh_backfill.policy.velocity.trend import Trend, rounded
from gh_backfill.store import velocity as store
from gh_backfill.store.db import Transaction
from gh_backfill.store.velocity import RepositoryDays

# Days of a period; the previous one is as long.
USUAL_DAYS = 30
MOST_DAYS = store.MOST_DAYS // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Velocity:
    """A series in two periods: how many a day there are, and what became of that since the period before."""

    previous: DailyCounts
    current: DailyCounts
    trend: Trend
    asked: tuple[AskedSource, ...]

    @property
    def per_day(self) -> float | None:
        """Return how many a day, of the days that are covered; None where there are none."""
        exact = self.current.per_day
        return None if exact is None else rounded(exact, 4)

    @property
    def unexplained(self) -> int | None:
        """Return by how much GitHub counts more than its sources add up to; None where nobody could compare."""
        told = [each.unexplained for each in self.asked if each.source in self._used and each.unexplained is not None]
        return max(told, key=abs) if told else None

    @property
    def _used(self) -> set[str]:
        return {*self.previous.by_source, *self.current.by_source}

    def as_json(self, today: date) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        both = _joined(self.previous, self.current)
        return {
            "per_day": self.per_day,
            "count": self.current.total,
            "days_covered": self.current.covered,
            "days_needed": self.current.needed,
            "source": dict(self.current.by_source),
            "as_of": self.current.as_of(self.asked),
            "previous": {
                "per_day": None if self.previous.per_day is None else rounded(self.previous.per_day, 4),
                "count": self.previous.total,
                "days_covered": self.previous.covered,
                "days_needed": self.previous.needed,
                "source": dict(self.previous.by_source),
            },
            "trend": {
                "outcome": trend.outcome(self.trend),
                "percent": trend.percent(self.trend),
                "text": trend.words(self.trend, today),
                "days_covered": both.covered,
                "days_needed": both.needed,
                "enough_on": self.trend.enough_on if isinstance(self.trend, trend.InsufficientData) else None,
                "source": dict(both.by_source),
                "as_of": both.as_of(self.asked),
            },
            "unexplained": self.unexplained,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryVelocity:
    """The figures of a repository for the days before `today`."""

    repository: RepositoryDays
    today: date
    previous: DaySpan
    current: DaySpan
    stars: Velocity
    forks: Velocity
    activity: Activity
    observed: Observed | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return {
            "repository_id": self.repository.id,
            "full_name": self.repository.full_name,
            "since": self.current.since,
            "until": self.current.until,
            "stars": self.stars.as_json(self.today),
            "forks": self.forks.as_json(self.today),
            "activity": activity_json(self.activity),
            "observed": observed_json(self.observed),
            "timeline": timeline(self.repository.counts["stars"], self.repository.counts["forks"]),
        }


def velocities(
    tx: Transaction, ids: Sequence[str], days: int, now: datetime, *, public_only: bool = False
) -> list[RepositoryVelocity]:
    """Return the figures of so many days and the days before, of those of the repositories that are here, by name."""
    today = now.astimezone(UTC).date()
    previous, current = periods(today, days)
    span = DaySpan(since=previous.since, until=current.until)
    found = store.days(tx, ids, span, now, public_only=public_only)
    return [of_days(each, previous, current, today) for each in found]


def of_days(repository: RepositoryDays, previous: DaySpan, current: DaySpan, today: date) -> RepositoryVelocity:
    """Return the figures of a repository from its days, which both periods must lie in."""
    return RepositoryVelocity(
        repository=repository,
        today=today,
        previous=previous,
        current=current,
        stars=_velocity(repository, Series.STARS, previous, current),
        forks=_velocity(repository, Series.FORKS, previous, current),
        activity=activity({name: repository.counts[name].within(current) for name in WEIGHTS}),
        observed=observed(repository.seen, current),
    )


def timeline(stars: DailyCounts, forks: DailyCounts) -> list[dict[str, object]]:
    """Return both series day by day as JSON-ready values, but for the days; null: nobody covered that day."""
    each = zip(stars.counts, stars.sources, forks.counts, forks.sources, strict=True)
    return [
        {
            "day": stars.first + DAY * place,
            "stars": given,
            "stars_source": told,
            "forks": made,
            "forks_source": told_of_forks,
        }
        for place, (given, told, made, told_of_forks) in enumerate(each)
    ]


def activity_json(found: Activity) -> dict[str, object]:
    """Return a score with its parts as JSON-ready values; each part with what it adds."""
    return {
        "score": found.score,
        "at_least": bool(found.unknown),
        "unknown": list(found.unknown),
        "parts": {
            each.name: {
                "count": each.count,
                "weight": each.weight,
                "points": None if each.points is None else rounded(each.points, 4),
                "days_covered": each.days_covered,
                "days_needed": each.days_needed,
            }
            for each in found.parts
        },
    }


def observed_json(found: Observed | None) -> Mapping[str, object] | None:
    """Return what was seen of GitHub's counts as JSON-ready values, but for its times."""
    if found is None:
        return None
    return {
        "since": found.since,
        "until": found.until,
        "stars": found.stars,
        "forks": found.forks,
        "taken_back_at_least": found.taken_back,
    }


def _velocity(repository: RepositoryDays, series: Series, previous: DaySpan, current: DaySpan) -> Velocity:
    counts, asked = repository.counts[series], repository.asked[series]
    before, now = counts.within(previous), counts.within(current)
    return Velocity(previous=before, current=now, trend=trend.trend(before, now, asked), asked=asked)


def _joined(first: DailyCounts, second: DailyCounts) -> DailyCounts:
    return DailyCounts(first=first.first, counts=first.counts + second.counts, sources=first.sources + second.sources)
