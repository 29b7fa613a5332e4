"""The job ledger: plan, start, finish, and close what a run left open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.models import Spent
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction

_SQL = sql("jobs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a job belongs to: one attempt of one workflow run, or one run on a laptop."""

    key: str
    run_id: int | None
    attempt: int
    processor: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One planned piece of work and what became of it."""

    id: str
    repository_id: str | None
    full_name: str | None
    is_private: bool
    status: JobStatus
    outcome: str | None
    error: str | None
    started_at: datetime | None
    completed_at: datetime | None
    points: int
    requests: int
    chunks: int
    items: int
    warnings: int

    @property
    def seconds(self) -> float:
        """Return how long the job ran, 0 if it never did."""
        if self.started_at is None or self.completed_at is None:
            return 0.0
        return (self.completed_at - self.started_at).total_seconds()


def plan(tx: Transaction, run: Run, reasons: Sequence[tuple[str, str]]) -> None:
    """Write a pending job for each (repository id, reason)."""
    if reasons:
        rows = [{"repository_id": repository_id, "reason": reason} for repository_id, reason in reasons]
        tx.run(_SQL["plan"], rows=rows, **_of(run))


def plan_failed(tx: Transaction, run: Run, errors: Sequence[tuple[str | None, str]]) -> None:
    """Write a failed job for each (repository id, error): it was asked for and can't be done."""
    if errors:
        rows = [{"repository_id": repository_id, "error": error} for repository_id, error in errors]
        tx.run(_SQL["plan_failed"], rows=rows, **_of(run))


def start(tx: Transaction, run: Run, repository_id: str) -> str:
    """Take the job that was planned for this repository in this run, or write one; returns its id."""
    row = tx.row(_SQL["start"], run_key=run.key, repository_id=repository_id)
    if row is None:
        row = tx.row(_SQL["start_unplanned"], repository_id=repository_id, **_of(run))
    assert row is not None
    return str(row["id"])


def finish(
    tx: Transaction,
    job_id: str,
    *,
    status: JobStatus,
    outcome: str,
    error: str | None,
    spent: Spent,
    chunks: int,
    items: int,
    warnings: int,
) -> bool:
    """Give a job its final status; False if it has one already."""
    changed = tx.run(
        _SQL["finish"],
        id=job_id,
        status=status,
        outcome=outcome,
        error=error,
        points=spent.points,
        requests=spent.requests,
        chunks=chunks,
        items=items,
        warnings=warnings,
    )
    return changed == 1


def close(tx: Transaction, run_key: str) -> int:
    """Close what the run left open; returns how many jobs that were."""
    return tx.run(_SQL["close"], run_key=run_key)


def of_run(tx: Transaction, run_key: str) -> list[Job]:
    """Return the jobs of one run."""
    rows = tx.rows(_SQL["of_run"], run_key=run_key)
    return [Job(**{**row, "status": JobStatus(row["status"])}) for row in rows]


def latest_run(tx: Transaction) -> str | None:
    """Return the key of the run that was planned last."""
    row = tx.row(_SQL["latest_run"])
    return None if row is None else str(row["run_key"])


def _of(run: Run) -> Row:
    return {
        "processor": run.processor,
        "run_id": run.run_id,
        "run_attempt": run.attempt,
        "run_key": run.key,
    }
