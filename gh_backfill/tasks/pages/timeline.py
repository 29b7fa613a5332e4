"""The chart of stars and forks of a repository, day by day, the strip of what is known under it, and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.velocity.daily import DAY, DailyCounts, DaySpan, periods
from gh_backfill.policy.velocity.trend import day_words
from gh_backfill.store import pages
from gh_backfill.store import velocity as store
from gh_backfill.store.db import Database
from gh_backfill.tasks.velocity import covered, figures
from gh_backfill.tasks.velocity.covered import CoveredSeries, RepositoryCoverage
from gh_backfill.tasks.velocity.figures import RepositoryVelocity

# The chart has so many days; the figures are of the last of them, against as many before.
CHART_DAYS = 90
# How a page names who covered a day; what nobody covered is said in words, too.
SOURCE_WORDS: Mapping[str | None, str] = {
    "stargazers": "from the list of stargazers",
    "forks": "from the list of forks",
    "history": "from GitHub's daily history",
    "events": "from the events call",
    "webhook": "from webhooks",
    "datpipe": "from gh-datpipe",
    "captured": "from what is captured",
    None: "unknown: nobody covered it",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DayBar:
    """A day of the chart; `count` is None where nobody knows."""

    day: date
    count: int | None
    source: str | None
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StripPart:
    """A run of days that one source covered, or nobody; `share` is its width in percent, `until` the day after."""

    source: str | None
    since: date
    until: date
    share: float
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesChart:
    """One series of the chart: its bars, the strip under them, and in a sentence what is to be seen."""

    series: str
    bars: tuple[DayBar, ...]
    strip: tuple[StripPart, ...]
    percent: float
    advice: str | None
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Timeline:
    """The charts of a repository and its figures; `velocity` is of the last 30 days."""

    since: date
    until: date
    stars: SeriesChart
    forks: SeriesChart
    velocity: RepositoryVelocity
    coverage: RepositoryCoverage

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


def timeline(db: Database, repository_id: str, now: datetime, *, public_only: bool = False) -> Timeline | None:
    """Return the charts of a repository; None where it is not here, or not to be shown.

    Raises StoreError where the statement takes over two seconds.
    """
    today = now.astimezone(UTC).date()
    span = DaySpan(since=today - CHART_DAYS * DAY, until=today)
    with pages.reading(db) as tx:
        found = store.days(tx, [repository_id], span, now, public_only=public_only)
    if not found:
        return None
    coverage = covered.of_repository(found[0], span)
    return Timeline(
        since=span.since,
        until=span.until,
        stars=_chart(coverage.series["stars"], today),
        forks=_chart(coverage.series["forks"], today),
        velocity=figures.of_days(found[0], *periods(today, figures.USUAL_DAYS), today),
        coverage=coverage,
    )


def strip(counts: DailyCounts, today: date) -> tuple[StripPart, ...]:
    """Return the runs of days that are alike, in order."""
    parts: list[StripPart] = []
    begin = counts.first
    for source, days in groupby(counts.sources):
        size = len(list(days))
        until = begin + size * DAY
        parts.append(
            StripPart(
                source=source,
                since=begin,
                until=until,
                share=100 * size / counts.needed,
                words=f"{_days(begin, until, today)}: {SOURCE_WORDS.get(source, source)}",
            )
        )
        begin = until
    return tuple(parts)


def _chart(covered_series: CoveredSeries, today: date) -> SeriesChart:
    counts, series = covered_series.counts, covered_series.series
    return SeriesChart(
        series=series,
        bars=tuple(_bars(counts, series, today)),
        strip=strip(counts, today),
        percent=covered_series.percent,
        advice=covered_series.advice,
        text=_text(counts, series),
    )


def _bars(counts: DailyCounts, series: str, today: date) -> Sequence[DayBar]:
    return [
        DayBar(
            day=counts.first + place * DAY,
            count=count,
            source=source,
            words=f"{day_words(counts.first + place * DAY, today)}: "
            + (SOURCE_WORDS[None] if count is None else counted(count, series.removesuffix("s"))),
        )
        for place, (count, source) in enumerate(zip(counts.counts, counts.sources, strict=True))
    ]


def _text(counts: DailyCounts, series: str) -> str:
    if counts.total is None:
        return f"Nothing is known of {series} in these {counts.needed} days."
    known = f"{counted(counts.total, series.removesuffix('s'))} in {counted(counts.needed, 'day')}"
    missing = counts.needed - counts.covered
    return f"{known}." if not missing else f"{known}, of which {missing} {'is' if missing == 1 else 'are'} not known."


def _days(since: date, until: date, today: date) -> str:
    last = until - DAY
    return day_words(since, today) if since == last else f"{day_words(since, today)} to {day_words(last, today)}"
