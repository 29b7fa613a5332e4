"""The rows of one chunk, whatever its kind: people first, then the items, then what belongs to them.

Every statement sees the rows of those before it, and all of them travel together: one round trip tells what became of
them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.work import RowCounts
from gh_backfill.store import comments, people, quarantine
from gh_backfill.store.batches import LARGEST_PART
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.item_rows import Upserted, distinct, upsert
from gh_backfill.store.transaction import Note


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a chunk did: rows of all tables, and how many of its items are new."""

    counts: RowCounts = field(default_factory=RowCounts)
    new: int = 0


@dataclass(kw_only=True, slots=True)
class ChunkRows:
    """The rows of a chunk of items of a `kind`; a statement takes rows of `largest_part` characters together."""

    tx: Transaction
    repository_id: str
    kind: str
    largest_part: int = LARGEST_PART
    _unknown: Note | None = None
    _items: Upserted = field(default_factory=lambda: Upserted(parts=[]))
    _children: list[Upserted] = field(default_factory=list)
    _comments: Upserted = field(default_factory=lambda: Upserted(parts=[]))

    def people(self, everybody: Sequence[Person]) -> None:
        """Write the accounts that are not here yet."""
        self._unknown = people.insert_new(self.tx, everybody)

    def items(self, statement: str, rows: Iterable[Row], **params: object) -> None:
        """Write the items themselves."""
        self._items = self._upserted(statement, rows, params)

    def children(self, statement: str, rows: Iterable[Row]) -> None:
        """Write what belongs to the items and has a table of its own."""
        self._children.append(self._upserted(statement, rows, {}))

    def comments(self, rows: Iterable[Row]) -> None:
        """Write comments, whose parents and authors are here by now."""
        self._comments = comments.upsert(self.tx, self.repository_id, rows, largest_part=self.largest_part)

    def written(self, lost: Iterable[Unreadable]) -> Written:
        """Return what became of all rows; what is lost goes to the quarantine.

        Raises StoreConflict where another worker came in between: the transaction is replayed.
        """
        self.tx.read_notes()
        if self._unknown is not None:
            people.refuse_unknown(self._unknown)
        items = self._items.counts()
        said, taken = comments.counts(self._comments)
        put = quarantine.put(self.tx, self.repository_id, [*lost, *taken], kind=self.kind)
        counts = items + said + RowCounts(quarantined=put)
        for each in self._children:
            counts += each.counts()
        return Written(counts=counts, new=items.inserted)

    def _upserted(self, statement: str, rows: Iterable[Row], params: Row) -> Upserted:
        return upsert(
            self.tx,
            statement,
            distinct(rows),
            largest_part=self.largest_part,
            repository_id=self.repository_id,
            **params,
        )
