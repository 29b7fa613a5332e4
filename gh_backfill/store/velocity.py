"""The happenings of each day in repositories, and which source told of it, from one statement for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from gh_backfill.models.events import Series
from gh_backfill.policy.velocity.daily import AskedSource, DailyCounts, DaySpan
from gh_backfill.policy.velocity.observed import CountSeen
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.moments import moment
from gh_backfill.store.pages import readers

_SQL = sql("velocity")
# One statement answers for so many: a full workspace, and half a year with the half before it.
MOST_REPOSITORIES = 1_000
MOST_DAYS = 366
CAPTURED = ("pull_requests", "reviews", "pull_request_comments", "issues", "issue_comments")
_CAPTURED = "captured"


@dataclass(frozen=True, kw_only=True, slots=True)
class RepositoryDays:
    """The days of a repository: stars and forks, what is captured of its work, the looks at GitHub's counts.

    `counts` has `stars`, `forks` and each of `CAPTURED`.  `asked` are the sources of a series as they answered last,
    and `captured_until` when each kind of items that is complete was read last.
    """

    id: str
    full_name: str
    is_private: bool
    counts: Mapping[str, DailyCounts]
    seen: tuple[CountSeen, ...]
    asked: Mapping[str, tuple[AskedSource, ...]]
    captured_until: Mapping[str, datetime]


def days(
    tx: Transaction, ids: Sequence[str], span: DaySpan, now: datetime, *, public_only: bool = False
) -> list[RepositoryDays]:
    """Return the days of a span, of those of the repositories that are here, by name, in one round trip.

    With `public_only` anybody may read it: only repositories that are known to be public are in it.  Raises ValueError
    for more than it can answer at once.
    """
    wanted = tuple(dict.fromkeys(ids))
    if len(wanted) > MOST_REPOSITORIES or not 0 < span.days <= MOST_DAYS:
        raise ValueError(f"{len(wanted)} repositories and {span.days} days are more than one statement answers for")
    rows = tx.rows(
        _SQL["velocity_days"],
        ids=wanted,
        since=span.since,
        until=span.until,
        begins=datetime.combine(span.since, time.min, UTC),
        ends=datetime.combine(span.until, time.min, UTC),
        now=now,
        **readers(public_only),
    )
    return [_read(row, span.since) for row in rows]


def _read(row: Row, first: date) -> RepositoryDays:
    counts = {
        "stars": _daily(first, row["stars"], row["star_sources"]),
        "forks": _daily(first, row["forks"], row["fork_sources"]),
    }
    for name in CAPTURED:
        counts[name] = _daily(first, row[name], [None if each is None else _CAPTURED for each in row[name]])
    asked: dict[str, tuple[AskedSource, ...]] = {
        series: tuple(_asked(each) for each in row["asked"] if each["series"] == series)
        for series in (Series.STARS, Series.FORKS)
    }
    return RepositoryDays(
        id=row["id"],
        full_name=row["full_name"],
        is_private=row["is_private"],
        counts=counts,
        seen=tuple(_seen(each) for each in row["seen"]),
        asked=asked,
        captured_until={kind: moment(at) for kind, at in row["captured"].items() if at is not None},
    )


def _daily(first: date, counts: Sequence[int | None], sources: Sequence[str | None]) -> DailyCounts:
    return DailyCounts(first=first, counts=tuple(counts), sources=tuple(sources))


def _asked(given: Row) -> AskedSource:
    return AskedSource(
        source=given["source"],
        available=given["available"],
        reason=given["reason"],
        asked_at=moment(given["asked_at"]),
        unexplained=given["unexplained"],
    )


def _seen(given: Row) -> CountSeen:
    return CountSeen(
        at=moment(given["at"]),
        day=date.fromisoformat(given["day"]),
        stars=given["stars"],
        forks=given["forks"],
        fell=given["fell"],
    )
