"""The map of which weeks of which repositories are known: a row for each, those that need a backfill first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum

from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.progress import percent
from gh_backfill.policy.velocity.daily import DAY, DailyCounts, DaySpan
from gh_backfill.policy.velocity.trend import day_words
from gh_backfill.store import pages
from gh_backfill.store.db import Database
from gh_backfill.tasks.velocity.covered import ASKED_FOR, USUAL_DAYS, RepositoryCoverage, coverages

DAYS_A_CELL = 7


class Heat(StrEnum):
    """How much of a cell is known."""

    KNOWN = "known"
    PARTLY = "partly known"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatCell:
    """Some days of a repository: how many of its days of stars and forks are known, `until` is the day after them."""

    since: date
    until: date
    heat: Heat
    percent: float
    words: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatMapRow:
    """A repository: its cells, the oldest first, what is known of all its days, and what brings the others."""

    repository_id: str
    full_name: str
    cells: tuple[HeatCell, ...]
    percent: float
    needs_backfill: bool
    advice: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class HeatMap:
    """The rows, how much of all is known, and how many repositories need a backfill."""

    since: date
    until: date
    rows: tuple[HeatMapRow, ...]
    percent: float
    needing: int

    @property
    def text(self) -> str:
        """Say what is to be seen."""
        if not self.rows:
            return "No repositories yet."
        if not self.needing:
            return "Every day of stars and forks is known."
        return f"{self.needing:,} of {len(self.rows):,} need a backfill of events."

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self, "text")


def heat_map(
    db: Database, repository_ids: Sequence[str], now: datetime, *, days: int = USUAL_DAYS, public_only: bool = False
) -> HeatMap:
    """Return the map of the days before today, of those of the repositories that are here.

    Raises StoreError where the statement takes over two seconds.
    """
    today = now.astimezone(UTC).date()
    with pages.reading(db) as tx:
        found = coverages(tx, repository_ids, days, now, public_only=public_only)
    return of_coverages(found, DaySpan(since=today - days * DAY, until=today), today)


def of_coverages(found: Sequence[RepositoryCoverage], span: DaySpan, today: date) -> HeatMap:
    """Return the map of what is known of repositories in a span."""
    rows = sorted((_row(each, today) for each in found), key=lambda row: (row.percent, row.full_name))
    both = [each.series[name].counts for each in found for name in ASKED_FOR]
    return HeatMap(
        since=span.since,
        until=span.until,
        rows=tuple(rows),
        percent=percent(sum(each.covered for each in both), sum(each.needed for each in both)),
        needing=sum(row.needs_backfill for row in rows),
    )


def _row(each: RepositoryCoverage, today: date) -> HeatMapRow:
    counts = [each.series[name].counts for name in ASKED_FOR]
    told = dict.fromkeys(advice for name in ASKED_FOR if (advice := each.series[name].advice))
    # The last cell ends with yesterday; the first one may have fewer days.
    ends = range(each.span.days, 0, -DAYS_A_CELL)
    return HeatMapRow(
        repository_id=each.repository.id,
        full_name=each.repository.full_name,
        cells=tuple(_cell(counts, max(0, end - DAYS_A_CELL), end, today) for end in reversed(ends)),
        percent=each.percent,
        needs_backfill=each.needs_backfill,
        advice=tuple(told),
    )


def _cell(counts: Sequence[DailyCounts], begin: int, end: int, today: date) -> HeatCell:
    known = sum(source is not None for each in counts for source in each.sources[begin:end])
    wanted = (end - begin) * len(counts)
    heat = Heat.KNOWN if known == wanted else Heat.PARTLY if known else Heat.UNKNOWN
    since, until = counts[0].first + begin * DAY, counts[0].first + end * DAY
    share = percent(known, wanted)
    days = f"{day_words(since, today)} to {day_words(until - DAY, today)}"
    words = f"{days}: {heat}" if heat is not Heat.PARTLY else f"{days}: {share:.1f} % known"
    return HeatCell(since=since, until=until, heat=heat, percent=share, words=words)
