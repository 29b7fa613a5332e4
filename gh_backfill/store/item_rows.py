"""The rows of a chunk on their way into a table: each identity once, in parts, counted by the database.

Fewer rows than were sent is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gh_backfill.errors import StoreError
from gh_backfill.models.work import RowCounts
from gh_backfill.store.batches import LARGEST_PART, parts
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.transaction import Note


@dataclass(frozen=True, kw_only=True, slots=True)
class Upserted:
    """Rows that were given to a statement, by parts: what became of them is known when the notes are read."""

    parts: list[tuple[Note, Sequence[Row]]]

    def told(self) -> Iterable[tuple[Row, Sequence[Row]]]:
        """Yield what became of each part, and its rows; raises StoreError where the statement did not meet all."""
        for note, rows in self.parts:
            if note.told["sent"] != len(rows):
                raise StoreError(f"{len(rows)} rows were sent, but only {note.told['sent']} have their parents stored")
            yield note.told, rows

    def counts(self) -> RowCounts:
        """Return what became of the rows."""
        counts = RowCounts()
        for told, rows in self.told():
            written = told["inserted"] + told["updated"]
            counts += RowCounts(inserted=told["inserted"], updated=told["updated"], unchanged=len(rows) - written)
        return counts


def upsert(
    tx: Transaction, statement: str, rows: Iterable[Row], *, largest_part: int = LARGEST_PART, **params: object
) -> Upserted:
    """Write rows, in parts of that size, by a statement that notes how many it was `sent`, `inserted` and `updated`."""
    return Upserted(
        parts=[(tx.noted(statement, rows=part.json, **params), part.rows) for part in parts(rows, largest_part)],
    )


def distinct(rows: Iterable[Row]) -> list[Row]:
    """Keep one row for each identity, the later one: a statement can't touch a row twice."""
    return list({(row.get("comment_type"), row["github_id"]): row for row in rows}.values())
