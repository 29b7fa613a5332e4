"""Syncs: the streams that read what changed, their claims, and what is known of the last one of each repository."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.models.work import PULL_REQUESTS, Claim
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.query_prices import LARGEST_FIRST
from gh_backfill.policy.syncing import FIRST_PAGE, MARGIN, SOON, SyncReason
from gh_backfill.resources import sql
from gh_backfill.store import kinds
from gh_backfill.store.chunks import LEASE, NoClaim
from gh_backfill.store.db import Database, Row, Statement, Transaction
from gh_backfill.store.verify import StoredPart
from gh_backfill.store.words import stored

_SQL = {**sql("syncs"), **sql("verify_discussions")}
_CHUNKS = sql("chunks")
# What is more than a query takes is left to a verification.
MOST_SURPLUS = 100
# A sync leaves a small chunk behind each time.  So long they tell what happened.
CHUNKS_KEPT = timedelta(days=7)


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncStanding:
    """What is known of a repository before a sync.

    `status` is that of its backfill of pull requests, of which `there` are here or known gaps and GitHub counts
    `total`; all three are None where it has none.
    """

    full_name: str
    is_private: bool
    tracked: bool
    held: bool
    held_reason: str | None
    held_by: str | None
    status: BackfillStatus | None
    there: int | None
    total: int | None
    last_success_at: datetime | None
    failures: int
    interval_minutes: int | None
    priority: str | None
    sync_frequency_hours: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncTimes:
    """What changed at GitHub before `last_success_at` is here; `last_error` is why a later sync did not end well.

    So many jobs are `waiting` to sync it.
    """

    last_success_at: datetime | None
    next_due_at: datetime
    last_error: str | None
    waiting: int = 0


def standing(tx: Transaction, repository_id: str) -> SyncStanding | None:
    """Return what is known of a repository before a sync; None where it is not here."""
    row = tx.row(_SQL["known"], id=repository_id)
    if row is None:
        return None
    counted = row["github_pull_requests"] if row["github_pull_requests"] is not None else row["total"]
    return SyncStanding(
        full_name=row["full_name"],
        is_private=row["is_private"],
        tracked=row["tracked"],
        held=row["held"],
        held_reason=row["held_reason"],
        held_by=row["held_by"],
        status=None if row["status"] is None else BackfillStatus(row["status"]),
        there=row["there"],
        total=counted,
        last_success_at=row["last_success_at"],
        failures=row["failures"] or 0,
        interval_minutes=row["interval_minutes"],
        priority=row["priority"],
        sync_frequency_hours=row["sync_frequency_hours"],
    )


def times(tx: Transaction, repository_id: str) -> SyncTimes | None:
    """Return how fresh a repository was made and when it is due again; None where nobody synced it."""
    row = tx.row(_SQL["sync_times"], id=repository_id)
    return None if row is None else SyncTimes(**row)


def surplus(tx: Transaction, repository_id: str, kind: str) -> list[StoredPart]:
    """Return the parts among which some must be gone: their items, just read, have more here than GitHub counts."""
    found = tx.rows(_SQL[f"surplus_of_{kind}"], repository_id=repository_id, most=MOST_SURPLUS)
    return [StoredPart(**row) for row in found]


def begin(
    tx: Transaction,
    repository_id: str,
    kind_names: Sequence[str],
    *,
    reason: SyncReason,
    since: datetime,
    asked: bool,
) -> None:
    """Open the syncs of these kinds, or let those go on that were interrupted.

    They read down to their last checkpoint, or to `since` where there is none, and where it was `asked` for and is
    earlier.
    """
    for kind in kind_names:
        tx.later(
            _SQL["open_sync"],
            repository_id=repository_id,
            kind=kind,
            since=since,
            asked=asked,
            margin=MARGIN,
            first=FIRST_PAGE,
            soon=SOON,
            later=LARGEST_FIRST,
        )
    tx.later(_SQL["forget_chunks"], repository_id=repository_id, kept=CHUNKS_KEPT)
    tx.run(_SQL["began"], repository_id=repository_id, reason=reason)


def claiming(repository_id: str, kind: str, *, worker: str, processor: str) -> tuple[Statement, Statement]:
    """Return the statements that claim the next chunk of a sync in one transaction; `chunks.claimed` reads its row."""
    return (
        (_SQL["choose_sync"], {"repository_id": repository_id, "kind": kind}),
        (_CHUNKS["claim_chunk"], {"worker": worker, "processor": processor, "lease": LEASE}),
    )


def why_no_claim(tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS) -> NoClaim:
    """Return why nothing of a sync could be claimed."""
    row = tx.row(_SQL["why_no_sync"], repository_id=repository_id, kind=kind)
    if row is None:
        return NoClaim(status=None)
    return NoClaim(
        status=BackfillStatus(row["status"]),
        chunk_status=row["chunk_status"],
        retry_at=row["retry_at"],
        lease_until=row["lease_until"],
        claimed_by=row["claimed_by"],
    )


def give_up(tx: Transaction, claim: Claim) -> None:
    """Let the next sync begin again where this one did."""
    kinds.lock(tx, claim.stream.repository_id, claim.stream.kind)
    tx.run(_SQL["give_up_sync"], stream_id=claim.stream.id)


def succeeded(
    db: Database,
    repository_id: str,
    kind_names: Sequence[str],
    *,
    read: int,
    changed: int,
    next_due_at: datetime,
    run_key: str,
    alarm: str | None = None,
) -> None:
    """Note that every kind is as it was when this sync began, when the next one is due, and what is odd about it.

    Jobs that waited for a sync of this repository before it began are done with it.
    """
    db.statements(
        (_SQL["settle_waiting"], {"repository_id": repository_id, "run_key": run_key}),
        (
            _SQL["succeeded"],
            {
                "repository_id": repository_id,
                "kinds": tuple(kind_names),
                "rows_read": read,
                "rows_changed": changed,
                "next_due_at": next_due_at,
                "alarm": alarm,
            },
        ),
    )


def partly(db: Database, repository_id: str) -> None:
    """Note that a sync of some kinds has ended: nothing follows for when all of them are due."""
    db.statements((_SQL["partly_synced"], {"repository_id": repository_id}))


def hand_over(db: Database, repository_id: str, total: int) -> None:
    """Let a repository wait for a backfill, unless it does so already."""
    db.statements((_SQL["hand_over"], {"repository_id": repository_id, "total": total}))


def ended(db: Database, repository_id: str, *, error: str, failed: bool, next_due_at: datetime) -> None:
    """Note why a sync did not come to its end, whether that is a failure, and when it is due again."""
    given: Row = {
        "repository_id": repository_id,
        "error": stored(error),
        "failed": failed,
        "next_due_at": next_due_at,
    }
    db.statements((_SQL["sync_ended"], given))


def due(tx: Transaction, now: datetime) -> list[str]:
    """Return the repositories whose time has come, the longest due first."""
    return [row["id"] for row in tx.rows(_SQL["due_for_sync"], now=now)]
