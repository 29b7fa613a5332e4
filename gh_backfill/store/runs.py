"""The last runs and what became of their jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("runs")


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """One run in sums; `waiting` are jobs that never began, `running` those that began and have not ended.

    `address` is its page at GitHub, `headline` what its report said.
    """

    run_key: str
    run_id: int | None
    attempt: int | None
    processor: str
    began_at: datetime
    ended_at: datetime | None
    jobs: int
    waiting: int
    running: int
    failed: int
    paused: int
    items: int
    item: str
    points: int
    address: str | None
    headline: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PastJob:
    """One job of a run."""

    name: str
    part: str | None
    outcome: str
    error: str | None
    reason: str | None
    started_at: datetime | None
    ended_at: datetime | None
    items: int
    item: str
    points: int
    attempt: int


def last(tx: Transaction, *, most: int) -> list[PastRun]:
    """Return the last runs, the latest first."""
    return [PastRun(**row) for row in tx.rows(_SQL["last_runs"], most=most)]


def jobs(tx: Transaction, run_key: str) -> list[PastJob]:
    """Return the jobs of a run, those of all its attempts; none if there is no such run."""
    return [PastJob(**row) for row in tx.rows(_SQL["jobs_of_a_run"], run_key=run_key)]
