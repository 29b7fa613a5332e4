"""The rows of a chunk on their way into a table: each identity once, in parts, counted by the database.

Fewer rows than were sent is an error.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gh_backfill.errors import StoreError
from gh_backfill.models.work import RowCounts
from gh_backfill.store.batches import LARGEST_PART, parts
from gh_backfill.store.db import Row, Transaction


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a chunk did: rows of all tables, and how many of its items are new."""

    counts: RowCounts = field(default_factory=RowCounts)
    new: int = 0


def upsert(
    tx: Transaction, statement: str, rows: list[Row], *, largest_part: int = LARGEST_PART, **params: object
) -> RowCounts:
    """Write rows, in parts of that size, by a statement that tells how many it was `sent`, `inserted` and `updated`."""
    counts = RowCounts()
    for part in parts(rows, largest_part):
        row = sent(tx, statement, part, **params)
        written = row["inserted"] + row["updated"]
        counts += RowCounts(inserted=row["inserted"], updated=row["updated"], unchanged=len(part) - written)
    return counts


def sent(tx: Transaction, statement: str, rows: list[Row], **params: object) -> Row:
    """Run a statement with its rows; raises StoreError where it did not meet all of them."""
    row = tx.row(statement, rows=rows, **params)
    assert row is not None
    if row["sent"] != len(rows):
        raise StoreError(f"{len(rows)} rows were sent, but only {row['sent']} have their parents stored")
    return row


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Keep one row for each identity, the later one: a statement can't touch a row twice."""
    return list({(row.get("comment_type"), row["github_id"]): row for row in rows}.values())
