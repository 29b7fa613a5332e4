"""Files and commits of the pull requests of a repository: 149 lists for a point.

They are no items: what changes a pull request is read with it, and says that its lists are to be read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from gh_backfill.clients.diffs import DiffAnswer, DiffReader
from gh_backfill.engine.beside import BesideReading, Standings
from gh_backfill.models.diffs import DiffList, DiffTold, DiffWanted
from gh_backfill.policy.markdown import counted
from gh_backfill.store import diffs
from gh_backfill.store.db import Transaction
from gh_backfill.store.persist import persistently


@dataclass(kw_only=True)
class DiffReading(BesideReading[DiffWanted, DiffWanted, DiffTold]):
    """One reading of the lists `of` a repository's pull requests; it reads what is not of their last update."""

    item: ClassVar[str] = "list of changes"

    of: Sequence[str]
    reader: DiffReader = field(init=False)
    _untold: str = ""

    def __post_init__(self) -> None:
        """Make what asks."""
        self.reader = DiffReader(graphql=self.graphql, of=self.of)

    def _begin(self) -> tuple[Sequence[DiffWanted], Standings]:
        due = persistently(self._due, self.sleep)
        wanted, each = Counter(list_.of for list_ in due.wanted), due.standing.lists // len(self.of)
        return due.wanted, {name: (each, each - wanted[name]) for name in self.of}

    def _due(self) -> diffs.DiffsDue:
        with self.db.reading() as tx:
            return diffs.due(tx, self.repository.id, self.of)

    def _size(self) -> int:
        return self.reader.first.limit

    def _standings(self, tx: Transaction) -> Standings:
        return {name: diffs.standing(tx, self.repository.id, [name]) for name in self.of}

    def _lease(self, tx: Transaction, batch: Sequence[DiffWanted]) -> Sequence[DiffWanted]:
        return diffs.lease(tx, batch)

    def _give_back(self, tx: Transaction, left: Sequence[DiffWanted]) -> None:
        diffs.release(tx, left)

    def _read(self, taken: Sequence[DiffWanted]) -> Iterator[DiffAnswer]:
        return self.reader.read(taken)

    def _write(self, answer: DiffAnswer) -> None:
        with self.db.transaction() as tx:
            diffs.write(tx, answer.told, answer.at or self.now())

    def _count(self, answer: DiffAnswer) -> None:
        brought = [told for _, told in answer.told if isinstance(told, DiffList)]
        self._brought += len(brought)
        self._gaps += sum(each.gap is not None for each in brought) + len(answer.told) - len(brought)
        for _, told in answer.told:
            if not isinstance(told, DiffList):
                self._untold = getattr(told, "reason", diffs.NOT_FOUND)
        self._known = min(self._total, self._known + len(brought))

    def _words(self) -> str:
        untold = f", GitHub did not say all: {self._untold}" if self._untold else ""
        return f"of {counted(self._total, 'list')} {self._known:,} are known{untold}"

    def _kind(self) -> tuple[str, str]:
        return self.of[-1], f"lists of {' and '.join(self.of)}"
