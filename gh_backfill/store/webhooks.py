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
from gh_backfill.store.words import stored

_SQL = sql("webhooks")
# Of what no event could be made of, this much of each repository is kept, for 30 days at most.
MOST_UNUSABLE = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Announcement:
    """A pull request that moved; `version` is another one each time that it is announced."""

    repository: TrackedRepository
    number: int
    version: str
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """What a webhook told of an event, as it was kept; `version` is another one each time that it comes again."""

    repository_id: str
    repository_github_id: int
    identity: str
    version: str
    event: str
    payload: Mapping[str, object]
    heard_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class UnusableRows:
    """Of how many webhooks no event could be made, and why not of the last of them."""

    many: int
    reason: str | None


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


def forget(tx: Transaction, *, most_unusable: int = MOST_UNUSABLE) -> int:
    """Delete what is too old to matter, and what no event could be made of beyond so many; returns how many.

    What is still to be fetched of a tracked repository is never too old.
    """
    old = tx.run(_SQL["forget_deliveries"]) + tx.run(_SQL["forget_announced"])
    return old + tx.run(_SQL["forget_events"], most=most_unusable)


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


def heard(tx: Transaction, *, most: int) -> list[Heard]:
    """Return what tells of events and waits to become these, the longest heard first."""
    return [Heard(**row) for row in tx.rows(_SQL["heard"], most=most)]


def take_heard(tx: Transaction, repository_github_id: int, told: Sequence[Heard]) -> set[str]:
    """Take what becomes events in this very transaction; returns the identities of what was there for us to take."""
    rows = [{"identity": each.identity, "version": each.version} for each in told]
    return {
        row["identity"] for row in tx.rows(_SQL["take_heard"], repository_github_id=repository_github_id, rows=rows)
    }


def set_heard_aside(tx: Transaction, repository_github_id: int, unusable: Sequence[tuple[Heard, str]]) -> int:
    """Note why no event can be made of these, which are not tried again; returns how many there were."""
    rows = [{"identity": each.identity, "version": each.version, "reason": stored(reason)} for each, reason in unusable]
    return tx.run(_SQL["set_heard_aside"], repository_github_id=repository_github_id, rows=rows)


def drop_heard(tx: Transaction) -> int:
    """Delete what tells of events of repositories neither tracked any more nor in a workspace; returns how many."""
    return tx.run(_SQL["drop_heard"])


def unusable(tx: Transaction) -> UnusableRows:
    """Return of how many webhooks no event could be made."""
    row = tx.row(_SQL["unusable"])
    assert row is not None
    return UnusableRows(**row)


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
