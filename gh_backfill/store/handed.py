"""Jobs that another service does for us, as the ledger remembers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction
from gh_backfill.store.words import stored

_SQL = sql("handed")


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedJob:
    """The last job that the service has of a repository, with its last word; `ledger_id` is the job here."""

    ledger_id: str
    job_id: str
    status: str
    status_url: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedStanding:
    """Whether a repository is known to be public, and its last job at the service."""

    is_public: bool
    job: HandedJob | None


def standing(tx: Transaction, repository_ids: Sequence[str]) -> Mapping[str, HandedStanding]:
    """Return how each repository stands, by its id."""
    rows = tx.rows(_SQL["handed_standing"], ids=tuple(repository_ids))
    return {
        row["repository_id"]: HandedStanding(is_public=row["is_public"], job=_job(row["ledger_id"], row["handed"]))
        for row in rows
    }


def note(
    tx: Transaction,
    ledger_id: str,
    *,
    job_id: str,
    status: str,
    at: datetime,
    status_url: str | None = None,
    days: int | None = None,
) -> None:
    """Remember what the service told of its job `at` a time; what is None stays as it is."""
    told = {"job_id": job_id, "status": stored(status), "status_url": status_url, "told_at": at.isoformat()}
    tx.run(_SQL["note_handed"], id=ledger_id, told=told, days=days)


def end(
    tx: Transaction,
    ledger_id: str,
    *,
    status: JobStatus,
    outcome: JobOutcome,
    error: str | None,
    error_type: ErrorType | None,
) -> None:
    """Write how a job stands that was handed over; the last word is the service's."""
    tx.run(_SQL["end_handed"], id=ledger_id, status=status, outcome=outcome, error=stored(error), error_type=error_type)


def _job(ledger_id: str | None, handed: Mapping[str, object] | None) -> HandedJob | None:
    if ledger_id is None or handed is None:
        return None
    url = handed.get("status_url")
    return HandedJob(
        ledger_id=ledger_id,
        job_id=str(handed["job_id"]),
        status=str(handed.get("status", "")),
        status_url=url if isinstance(url, str) else None,
    )
