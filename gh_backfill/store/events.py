"""Events of repositories: each once, whoever tells of it; stars by day; counts as we saw them; and their sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime, timedelta

from gh_backfill.models.events import (
    Answering,
    Covered,
    Event,
    Reached,
    Series,
    Source,
    SourceAnswer,
    StarDay,
    StarsAndForks,
)
from gh_backfill.resources import sql
from gh_backfill.store.batches import parts
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.moments import moment

_SQL = sql("events")
# `asdict` would copy each value deeply: a fifth of the time that a long list takes.
_COLUMNS = tuple(each.name for each in fields(Event))


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceStanding:
    """What is known of a source: whether it answered last time, why not, and every span that it ever covered."""

    series: Series
    source: Source
    state: Answering
    reason: str | None
    asked_at: datetime
    covered: tuple[Covered, ...]
    deepest: Reached | None
    head: Reached | None
    found: int | None
    expected: int | None

    @property
    def unexplained(self) -> int | None:
        """Return by how much GitHub's count exceeds the sum of the source; None where nobody could compare."""
        return None if self.found is None or self.expected is None else self.expected - self.found


def make_months(db: Database, times: Iterable[datetime]) -> None:
    """Make the partitions in which these times lie, each month once.

    In a transaction of its own and before the rows: making one waits for everybody who writes events.
    """
    months = tuple(sorted({date(at.year, at.month, 1) for at in times}))
    if months:
        with db.transaction() as tx:
            tx.run(_SQL["make_month"], months=months)


def write(tx: Transaction, repository_id: str, events: Sequence[Event]) -> int:
    """Write those events that are not here yet, and return how many these are.

    Their months must have been made.  Those of a repository that is not known to be public go where no guest reads.
    """
    place = tx.row(_SQL["writers_turn"], id=repository_id)
    if place is None:
        return 0
    where = "public" if place["is_public"] else "private"
    known = {"id": repository_id, "owner": place["owner"], "name": place["name"], "github_id": place["github_id"]}
    new = 0
    for part in parts([{name: getattr(event, name) for name in _COLUMNS} for event in events]):
        times = [row["created_at"].astimezone(UTC) for row in part.rows]
        since, until = _midnight(min(times)), _midnight(max(times)) + timedelta(days=1)
        given = {**known, "events": part.json, "since": since, "until": until}
        written = len(tx.rows(_SQL[f"write_{where}_events"], **given))
        if written < len(part.rows):  # some of these were here: on most pages of a first reading none is
            tx.run(_SQL[f"give_{where}_again"], **given)
        new += written
    return new


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def write_star_days(tx: Transaction, repository_id: str, days: Sequence[StarDay], read_at: datetime) -> int:
    """Write what was read of days at a time, and return how many of them changed; each day may be given once."""
    given = [asdict(each) for each in days]
    return len(tx.rows(_SQL["write_star_days"], id=repository_id, days=given, read_at=read_at))


def write_snapshots(tx: Transaction, counted: Iterable[tuple[str, StarsAndForks, datetime]]) -> None:
    """Keep what GitHub counted of (repository, counts, time), a row a day and a change, without a round trip.

    The repository shows what was counted last.  Each repository may be given once.
    """
    rows = [
        {"repository_id": id_, "stars": each.stars, "forks": each.forks, "taken_at": at} for id_, each, at in counted
    ]
    if rows:
        tx.later(_SQL["write_snapshots"], counts=rows)


def write_source(tx: Transaction, repository_id: str, answer: SourceAnswer) -> None:
    """Note what asking a source brought; what it covered before stays covered."""
    deepest, head = answer.deepest, answer.head
    tx.run(
        _SQL["write_source"],
        id=repository_id,
        series=answer.series,
        source=answer.source,
        state=answer.state,
        reason=answer.reason,
        asked_at=answer.asked_at,
        spans=[asdict(span) for span in answer.covered],
        cursor=deepest and deepest.cursor,
        cursor_at=deepest and deepest.at,
        head_cursor=head and head.cursor,
        head_at=head and head.at,
        found=answer.found,
        expected=answer.expected,
    )


def reconcile_history(
    tx: Transaction, repository_id: str, expected: int, since: datetime, until: datetime
) -> int | None:
    """Note the sum of all days beside GitHub's count; None where the history is not here from `since` to `until`."""
    row = tx.row(_SQL["reconcile_history"], id=repository_id, expected=expected, since=since, until=until)
    return None if row is None else int(row["found"])


def captured(
    tx: Transaction, repository_id: str, types: Sequence[str], since: datetime, until: datetime
) -> list[Event]:
    """Return what is captured here of pull requests and issues as events of these types, oldest first."""
    rows = tx.rows(_SQL["captured_events"], id=repository_id, types=tuple(types), since=since, until=until)
    return [Event(**row, source=Source.CAPTURED) for row in rows]


def captured_until(tx: Transaction, repository_id: str, kind: str) -> datetime | None:
    """Return up to when everything of a kind is captured; None where its history is not complete."""
    row = tx.row(_SQL["captured_until"], id=repository_id, kind=kind)
    until: datetime | None = None if row is None else row["until"]
    return until


def sources(tx: Transaction, repository_id: str) -> list[SourceStanding]:
    """Return what is known of each source that was ever asked about a repository."""
    return [
        SourceStanding(
            series=Series(row["series"]),
            source=Source(row["source"]),
            state=Answering(row["state"]),
            reason=row["reason"],
            asked_at=row["asked_at"],
            covered=tuple(_span(*each) for each in row["covered"]),
            deepest=_reached(row["cursor"], row["cursor_at"]),
            head=_reached(row["head_cursor"], row["head_at"]),
            found=row["found"],
            expected=row["expected"],
        )
        for row in tx.rows(_SQL["sources"], id=repository_id)
    ]


def _reached(cursor: str | None, at: datetime | None) -> Reached | None:
    return None if at is None else Reached(cursor=cursor, at=at)


def _span(since: str, until: str) -> Covered:
    return Covered(since=moment(since), until=moment(until))
