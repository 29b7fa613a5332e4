"""Backfills of events that somebody asked for, in the ledger of jobs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from gh_backfill.models.asked import AskedEvents, AskedStatus, BatchEnd, ClaimedEvents
from gh_backfill.policy.ledger import SILENT as NEVER_STARTED
from gh_backfill.policy.ledger import JobOutcome
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.jobs import Run

_SQL = sql("asked_events")
# A fetching that is at work says so between two pages, and a page never takes so long.
SILENT = timedelta(minutes=5)
SILENT_WORDS = "whoever worked on it fell silent: start it again, it goes on where it was"


def ask(tx: Transaction, repository_ids: Sequence[str], *, days: int, batch: str, who: str, processor: str) -> int:
    """Ask for the events of repositories, and return of how many: those that wait or run already stay as they are."""
    ids = tuple(repository_ids)
    tx.rows(_SQL["lock_asked"], ids=ids)
    tx.run(_SQL["end_silent"], ids=ids, old=SILENT, error=SILENT_WORDS)
    return len(tx.rows(_SQL["ask_events"], ids=ids, days=days, batch=batch, who=who, processor=processor))


def claim(tx: Transaction, run: Run, *, worker: str) -> ClaimedEvents | None:
    """Take the job that waits longest, or one that lost its worker; None where none does."""
    row = tx.row(
        _SQL["claim_asked"],
        run_key=run.key,
        run_id=run.run_id,
        attempt=run.attempt,
        processor=run.processor,
        worker=worker,
        old=SILENT,
    )
    return None if row is None else ClaimedEvents(**row)


def waits(tx: Transaction) -> bool:
    """Say whether a job waits for somebody to take it now."""
    return tx.row(_SQL["asked_wait"], old=SILENT) is not None


def ask_again(tx: Transaction, job_id: str, not_before: datetime) -> None:
    """Let a job that had to wait go on by itself from then on."""
    tx.run(_SQL["ask_again"], id=job_id, not_before=not_before)


def cancel(tx: Transaction, *, job_id: str | None = None, repository_ids: Sequence[str] = (), who: str) -> int:
    """Cancel a job, or those of repositories, and return how many were not over."""
    return len(tx.rows(_SQL["cancel_asked"], id=job_id, ids=tuple(repository_ids), who=who))


def standing(tx: Transaction, repository_ids: Sequence[str], now: datetime) -> dict[str, AskedEvents]:
    """Return how the events of repositories stand, by our id."""
    rows = tx.rows(_SQL["event_jobs"], ids=tuple(repository_ids))
    return {row["repository_id"]: _read(row, now) for row in rows}


def job(tx: Transaction, job_id: str, now: datetime) -> tuple[str, AskedEvents] | None:
    """Return the name of the repository of a job, and how it stands, or what goes on with it; None for no such job."""
    row = tx.row(_SQL["event_job"], id=job_id)
    return None if row is None else (row["full_name"], _read(row, now))


def ended(tx: Transaction) -> list[BatchEnd]:
    """Return what was asked for together and is over, each batch once, whoever asks."""
    return [BatchEnd(**row) for row in tx.rows(_SQL["batches_ended"])]


def _read(row: Row, now: datetime) -> AskedEvents:
    status, error = _status(row, now)
    return AskedEvents(
        repository_id=row["repository_id"],
        job_id=row["id"],
        status=status,
        days=row["days"],
        batch=row["batch"],
        at=row["completed_at"] or row["started_at"] or row["created_at"],
        until=row["not_before"] if status is AskedStatus.WAITING else None,
        error=error,
        last_at=row["last_at"],
        asked_at=row["created_at"],
    )


def _status(row: Row, now: datetime) -> tuple[AskedStatus, str | None]:
    if row["id"] is None:
        return AskedStatus.NEVER, None
    if row["outcome"] is not None:
        return _ended(row)
    if not row["taken"]:
        waits = row["not_before"] is not None and row["not_before"] > now
        return (AskedStatus.WAITING, None) if waits else (AskedStatus.PENDING, None)
    if row["beat_at"] is None:  # planned by a run that does others first
        lost = now - row["created_at"] > NEVER_STARTED
        return (AskedStatus.FAILED, SILENT_WORDS) if lost else (AskedStatus.PENDING, None)
    if now - row["beat_at"] > SILENT:
        return AskedStatus.FAILED, SILENT_WORDS
    return (AskedStatus.PENDING if row["status"] == JobStatus.PENDING else AskedStatus.PROCESSING), None


def _ended(row: Row) -> tuple[AskedStatus, str | None]:
    match row["outcome"]:
        case JobOutcome.COMPLETED:
            return AskedStatus.COMPLETED, None
        case JobOutcome.CANCELLED:
            return AskedStatus.CANCELLED, row["error"]
        case JobOutcome.STOPPED if row["handed"]:
            return AskedStatus.WAITING, row["error"]
        case JobOutcome.PAUSED | JobOutcome.STOPPED:
            return AskedStatus.FAILED, f"{row['error'] or 'it was stopped'}; start it again, it goes on where it was"
        case _:
            return AskedStatus.FAILED, row["error"] or "it ended without a word: see the log of its run"
