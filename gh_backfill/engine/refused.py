"""Find the rows of a chunk that the database refuses, so that all others are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from gh_backfill.engine.kind import Kind, NamedPart
from gh_backfill.errors import RowRefused, RowTooLarge
from gh_backfill.models.github import Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.items import CompleteItem
from gh_backfill.store import people, quarantine
from gh_backfill.store.db import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Sifted:
    """What a database admits and what it refuses.

    `most` says that it refuses most of the chunk though the rows are not too large, which is a fault of the database:
    one item never is.
    """

    kept: list[CompleteItem]
    refused: list[Unreadable]
    most: bool


class _RolledBack(Exception):
    """Raised to roll back a transaction that was only a trial."""


def sift(db: Database, kind: Kind, repository: TrackedRepository, chunk: Sequence[CompleteItem]) -> Sifted:
    """Return what the database admits, and what it refuses with its words.

    Each item is tried alone, and where it fails its parts; every trial is rolled back.
    """
    trial = _Trial(db=db, kind=kind, repository=repository)
    kept: list[CompleteItem] = []
    refused: list[Unreadable] = []
    rows, all_rows = 0, sum(1 + len(kind.parts(item)) for item in chunk)
    for item in chunk:
        if trial.refusal(item) is None:
            kept.append(item)
            continue
        parts = kind.parts(item)
        if (refusal := trial.refusal(kind.with_parts(item, ()))) is not None:
            refused.append(kind.without_row(item, str(refusal)))
            rows += 0 if isinstance(refusal, RowTooLarge) else 1 + len(parts)
            continue
        good: list[NamedPart] = []
        for part in parts:
            refusal = trial.refusal(kind.with_parts(item, [part]))
            if refusal is None:
                good.append(part)
            else:
                refused.append(_lost(item, part, str(refusal)))
                rows += not isinstance(refusal, RowTooLarge)
        kept.append(kind.with_parts(item, good))
    most = len({each.number for each in refused}) > 1 and 2 * rows > all_rows
    return Sifted(kept=kept, refused=refused, most=most)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Trial:
    """Writes an item and takes it back."""

    db: Database
    kind: Kind
    repository: TrackedRepository

    def refusal(self, item: CompleteItem) -> RowRefused | None:
        """Return why the database refuses an item with its parts; None if it does not."""
        try:
            self._attempt(item)
        except _RolledBack:
            return None
        except RowRefused as error:
            return error

    def _attempt(self, item: CompleteItem) -> NoReturn:
        with self.db.transaction() as tx:
            people.store_people(tx, self.kind.people([item]))
            self.kind.write(tx, self.repository, [item], [])
            raise _RolledBack


def _lost(item: CompleteItem, part: NamedPart, reason: str) -> Unreadable:
    return Unreadable(
        kind=part.kind,
        identity=f"{part.kind} {part.part.github_id}",
        github_id=part.part.github_id,
        number=item.number,
        reason=reason,
        payload={"body": quarantine.plain_text(part.part.body)},
    )
