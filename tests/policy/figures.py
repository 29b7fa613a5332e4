"""Figures of jobs and runs for the tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.policy.report.figures import JobFigures, RunFigures

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ID = "11111111-2222-4333-8444-555555555555"


def job(name: str = "octo/engine", **given: Any) -> JobFigures:
    """Return a job that went well."""
    values: dict[str, Any] = {
        "id": name,
        "job_type": "progressive_backfill",
        "repository_id": ID,
        "name": name,
        "processor": "github_actions",
        "status": JobStatus.COMPLETED,
        "outcome": JobOutcome.COMPLETED,
        "error_type": None,
        "error": None,
        "started_at": NOW - timedelta(seconds=61),
        "completed_at": NOW,
        "chunks": 3,
        "items": 100,
        "points": 4,
        "requests": 5,
        "captured": 100,
        "total": 200,
        "backfill": BackfillStatus.ACTIVE,
    }
    return JobFigures(**{**values, **given})


def dead(name: str = "octo/engine", **given: Any) -> JobFigures:
    """Return a job whose runner died."""
    lost = {
        "status": JobStatus.FAILED,
        "outcome": JobOutcome.DIED,
        "error_type": ErrorType.RUNNER,
        "error": "the runner died or was shut down (failure)",
        "failures_in_a_row": 1,
    }
    return job(name, **{**lost, **given})


def run(*jobs: JobFigures, **given: Any) -> RunFigures:
    """Return a run of these jobs."""
    return RunFigures(**{"run_key": "7/1", "run_id": 7, "at": NOW, "jobs": jobs, **given})
