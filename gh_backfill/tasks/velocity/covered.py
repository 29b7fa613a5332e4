"""The coverage of a repository: which days of which series are known, by whom, and what brings the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.policy.progress import percent
from gh_backfill.policy.velocity.advice import KINDS, advice
from gh_backfill.policy.velocity.daily import DAY, DailyCounts, DaySpan
from gh_backfill.store import velocity as store
from gh_backfill.store.db import Transaction
from gh_backfill.store.velocity import RepositoryDays

USUAL_DAYS = 90
# What the strips show; the comments of a kind are covered as the items that they belong to.
SERIES = ("stars", "forks", "pull_requests", "reviews", "issues")
# Of these somebody can be asked again; the others follow from what is captured.
ASKED_FOR = ("stars", "forks")


@dataclass(frozen=True, kw_only=True, slots=True)
class CoveredSeries:
    """The days of one series: who covered each, since when that stands, and what brings those that are unknown."""

    series: str
    counts: DailyCounts
    as_of: datetime | None
    unexplained: int | None
    advice: str | None

    @property
    def percent(self) -> float:
        """Return how many of the days are covered, rounded down, so that 100 means all of them."""
        return percent(self.counts.covered, self.counts.needed)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return {
            "percent": self.percent,
            "days_covered": self.counts.covered,
            "days_needed": self.counts.needed,
            "source": dict(self.counts.by_source),
            "as_of": self.as_of,
            "unexplained": self.unexplained,
            "gaps": [{"since": gap.since, "until": gap.until} for gap in self.counts.gaps],
            "advice": self.advice,
            "days": list(self.counts.sources),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryCoverage:
    """The coverage of a repository over a span of days."""

    repository: RepositoryDays
    span: DaySpan
    series: Mapping[str, CoveredSeries]

    @property
    def percent(self) -> float:
        """Return how many days of stars and forks together are covered, rounded down."""
        both = [self.series[name].counts for name in ASKED_FOR]
        return percent(sum(each.covered for each in both), sum(each.needed for each in both))

    @property
    def needs_backfill(self) -> bool:
        """Say whether a day of stars or forks is unknown."""
        return any(not self.series[name].counts.whole for name in ASKED_FOR)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times; `days` of a series has a source for each day."""
        return {
            "repository_id": self.repository.id,
            "full_name": self.repository.full_name,
            "since": self.span.since,
            "until": self.span.until,
            "percent": self.percent,
            "needs_backfill": self.needs_backfill,
            "series": {name: each.as_json() for name, each in self.series.items()},
        }


def coverages(
    tx: Transaction, ids: Sequence[str], days: int, now: datetime, *, public_only: bool = False
) -> list[RepositoryCoverage]:
    """Return the coverage of the days before today, of those of the repositories that are here, by name."""
    today = now.astimezone(UTC).date()
    span = DaySpan(since=today - days * DAY, until=today)
    return [of_repository(each, span) for each in store.days(tx, ids, span, now, public_only=public_only)]


def of_repository(repository: RepositoryDays, span: DaySpan) -> RepositoryCoverage:
    """Return the coverage of a span that the days of a repository have in them."""
    return RepositoryCoverage(
        repository=repository, span=span, series={name: _series(repository, name, span) for name in SERIES}
    )


def _series(repository: RepositoryDays, name: str, span: DaySpan) -> CoveredSeries:
    counts, asked = repository.counts[name].within(span), repository.asked.get(name, ())
    used = [each for each in asked if each.source in counts.by_source]
    told = [each.unexplained for each in used if each.unexplained is not None]
    until = repository.captured_until.get(KINDS.get(name, ""))
    return CoveredSeries(
        series=name,
        counts=counts,
        as_of=counts.as_of(asked) if name in ASKED_FOR else until if counts.covered else None,
        unexplained=max(told, key=abs) if told else None,
        advice=advice(repository.full_name, name, counts, asked, repository.captured_until),
    )
