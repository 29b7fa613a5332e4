"""Batches of repositories that were added together, and the queue of initial backfills.  Times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.resources import sql
from gh_backfill.store import kinds
from gh_backfill.store.db import Row, Transaction

_SQL = sql("backfill_batches")


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBatch:
    """A batch as it was made: what was wished, and what each name led to, both as JSON-ready values."""

    id: str
    created_at: datetime
    created_by: str | None
    backfill: bool
    wish: Mapping[str, object]
    members: Sequence[Row]


@dataclass(frozen=True, kw_only=True, slots=True)
class Queued:
    """An initial backfill that waits for a worker; `wanted` is None while GitHub's count is unknown.

    `alone` says that no other one of its account is to run beside it.
    """

    id: str
    full_name: str
    updated_at: datetime
    pushed_at: datetime | None
    wanted: int | None
    alone: bool

    @property
    def owner(self) -> str:
        """Return the account that it belongs to."""
        return self.full_name.split("/", maxsplit=1)[0]


def record(tx: Transaction, batch: StoredBatch) -> None:
    """Store a batch."""
    tx.later(
        _SQL["record_batch"],
        id=batch.id,
        created_at=batch.created_at,
        created_by=batch.created_by,
        backfill=batch.backfill,
        wish=dict(batch.wish),
        members=list(batch.members),
    )


def find(tx: Transaction, batch_id: str) -> StoredBatch | None:
    """Return a batch by its id, which has the form of a UUID; None where there is none."""
    row = tx.row(_SQL["batch"], id=batch_id)
    return None if row is None else StoredBatch(**row)


def last(tx: Transaction, *, most: int) -> list[StoredBatch]:
    """Return the last batches, the newest first."""
    return [StoredBatch(**row) for row in tx.rows(_SQL["last_batches"], most=most)]


def forget(tx: Transaction) -> None:
    """Delete batches that are older than 90 days, and of which nothing waits any more."""
    tx.later(_SQL["forget_batches"])


def queue(tx: Transaction) -> list[Queued]:
    """Return the initial backfills that wait for a worker, in no order."""
    return [Queued(**row) for row in tx.rows(_SQL["initial_queue"], id=None)]


def lock(tx: Transaction, repository_id: str) -> bool:
    """Lock an initial backfill, and say whether it still waits: then a job that is written before the commit has it."""
    kinds.lock(tx, repository_id, PULL_REQUESTS)
    return tx.row(_SQL["initial_queue"], id=repository_id) is not None
