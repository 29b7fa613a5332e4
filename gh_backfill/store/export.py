"""The rows of an export: all of one moment, read through a cursor of the server, some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.exported import ExportedTable
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Row, Transaction

_SQL = sql("export")
_SNAPSHOT = sql("snapshots")
# Of the largest texts that GitHub takes this is some 65 MB; usually it is one.
BATCH = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportCandidate:
    """A repository that may be exported; one that is not known to be public is private."""

    id: str
    full_name: str
    is_private: bool


@contextmanager
def snapshot(db: Database) -> Iterator[Transaction]:
    """Run the block in a transaction that only reads, and sees the database as it was at its first statement."""
    with db.transaction(read_only=True) as tx:
        tx.later(_SNAPSHOT["snapshot_begin"])
        yield tx


def candidates(tx: Transaction, ids: Sequence[str] | None) -> list[ExportCandidate]:
    """Return the repositories with these ids, or all that are on the list, by name."""
    rows = tx.rows(_SQL["export_candidates"], repositories=None if ids is None else tuple(ids))
    return [ExportCandidate(**row) for row in rows]


def people_left_out(tx: Transaction, ids: Sequence[str], left_out: Sequence[str]) -> int:
    """Return how many people are known only from repositories that were left out."""
    (row,) = tx.rows(_SQL["export_people_left_out"], repositories=tuple(ids), left_out=tuple(left_out))
    return int(row["people"])


def moment(tx: Transaction) -> datetime:
    """Return when the transaction began, by the clock of the server."""
    (row,) = tx.rows(_SQL["export_moment"])
    at: datetime = row["at"]
    return at


def batches(tx: Transaction, table: ExportedTable, ids: Sequence[str], *, size: int = BATCH) -> Iterator[list[Row]]:
    """Yield the rows of a table, of these repositories, at most `size` at a time; no more are held here."""
    tx.run(_SQL[f"export_{table.name}"], repositories=tuple(ids))
    while rows := tx.rows(_SNAPSHOT["snapshot_fetch"], count=size):
        yield rows
    tx.run(_SNAPSHOT["snapshot_close"])


def sample(tx: Transaction, table: ExportedTable, ids: Sequence[str], *, size: int) -> tuple[list[Row], int]:
    """Return the first rows of a table, and how many there are; the server counts them, and sends no others."""
    tx.run(_SQL[f"export_{table.name}"], repositories=tuple(ids))
    first = tx.rows(_SNAPSHOT["snapshot_fetch"], count=size)
    more = tx.run(_SNAPSHOT["snapshot_skip"])
    tx.run(_SNAPSHOT["snapshot_close"])
    return first, len(first) + more
