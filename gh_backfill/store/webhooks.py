"""Deliveries of GitHub's webhooks, each taken once, and what they announced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.freshness import GATHER
from gh_backfill.policy.ledger import OpenJob
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction

_SQL = sql("webhooks")
# Nothing reads announced stars, forks and issues yet: this many of each repository are kept, for 30 days at most.
MOST_EVENTS = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """A pull request that moved; `version` is another one each time that it is announced."""

    repository: TrackedRepository
    number: int
    version: str
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """How many announced pull requests wait, since when, how many of them failed so far, and why the last one did."""

    announced: int
    since: datetime | None
    failing: int
    reason: str | None


def begin(tx: Transaction, delivery_id: str, *, event: str, action: str | None) -> bool:
    """Take a delivery; False if it was taken before, and neither failed nor was ignored."""
    return tx.row(_SQL["begin"], delivery_id=delivery_id, event=event, action=action) is not None


def end(tx: Transaction, delivery_id: str, *, status: str, error: str | None = None) -> None:
    """Note how a delivery ended: `done`, `ignored` or `failed`."""
    tx.run(_SQL["end"], delivery_id=delivery_id, status=status, error=error)


def forget(tx: Transaction, *, most_events: int = MOST_EVENTS) -> int:
    """Delete what is too old to matter, and of each repository the oldest events beyond so many; returns how many.

    What is still to be fetched of a tracked repository is never too old.
    """
    old = tx.run(_SQL["forget_deliveries"]) + tx.run(_SQL["forget_announced"])
    return old + tx.run(_SQL["forget_events"], most=most_events)


def open_of_run(tx: Transaction, run_id: int, attempt: int) -> list[OpenJob]:
    """Return the open jobs of one attempt of a workflow run."""
    rows = tx.rows(_SQL["open_of_run"], run_id=run_id, attempt=attempt)
    return [OpenJob(**{**row, "status": JobStatus(row["status"])}) for row in rows]


def announce(
    tx: Transaction,
    repository_github_id: int,
    *,
    kind: str,
    identity: str,
    event: str,
    payload: Mapping[str, object],
) -> bool:
    """Remember what moved, once however often it does; False if the repository is not tracked here."""
    changed = tx.run(
        _SQL["announce"],
        repository_github_id=repository_github_id,
        kind=kind,
        identity=identity,
        event=event,
        payload=dict(payload),
    )
    return changed == 1


def due(tx: Transaction, now: datetime, *, most: int) -> list[Announcement]:
    """Return pull requests that are to be fetched now, the longest announced first; they stay announced."""
    return [_announcement(row) for row in tx.rows(_SQL["due"], now=now, gather=GATHER, most=most)]


def done(tx: Transaction, repository: TrackedRepository, fetched: Sequence[Announcement]) -> None:
    """Take off the list what is stored in this very transaction; what was announced again since it was read stays."""
    rows = [{"identity": str(each.number), "version": each.version} for each in fetched]
    tx.run(_SQL["done"], repository_github_id=repository.github_id, rows=rows)
    tx.run(_SQL["gather_anew"], repository_github_id=repository.github_id, rows=rows)


def failed(
    tx: Transaction, repository: TrackedRepository, failures: Sequence[tuple[Announcement, str, datetime]]
) -> None:
    """Note of each (announcement, reason, time) why it could not be fetched, and when it is tried again."""
    rows = [
        {"identity": str(each.number), "version": each.version, "reason": reason, "retry_at": at}
        for each, reason, at in failures
    ]
    tx.run(_SQL["failed"], repository_github_id=repository.github_id, rows=rows)


def waiting(tx: Transaction) -> Waiting:
    """Return how many announced pull requests of tracked repositories wait to be fetched."""
    row = tx.row(_SQL["waiting"])
    assert row is not None
    return Waiting(**row)


def _announcement(row: Row) -> Announcement:
    """Read a row; how far the backfill of its repository has come makes no difference, and is not asked."""
    repository = TrackedRepository(
        id=row["id"],
        github_id=row["github_id"],
        owner=row["owner"],
        name=row["name"],
        node_id=row["node_id"],
        is_private=row["is_private"],
        total=None,
        captured=0,
        status=None,
        pause_reason=None,
        resume_at=None,
        planned_at=None,
        tracked_at=None,
        leased=False,
        has_stream=False,
    )
    return Announcement(repository=repository, number=row["number"], version=row["version"], attempts=row["attempts"])
