"""Take one verified webhook: each delivery once, its effect and the note of it in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gh_backfill.policy import ledger
from gh_backfill.policy.ledger import RunnerJob
from gh_backfill.policy.redaction import redacted
from gh_backfill.policy.webhooks import JobEnded, Moved, Nothing, RunEnded, meaning
from gh_backfill.store import jobs, webhooks
from gh_backfill.store.db import Database, Transaction

# What moves within a minute is captured once.
GATHER = timedelta(minutes=1)


def receive(db: Database, delivery_id: str, event: str, payload: Mapping[str, Any]) -> str:
    """Do what a delivery asks for and say what that was; one that was taken before changes nothing.

    Raises ValueError for a payload that is none, and what the database raises; the delivery then counts as failed, and
    is taken when GitHub delivers it again.
    """
    action = payload.get("action")
    with db.transaction() as tx:
        if not webhooks.begin(tx, delivery_id, event=event, action=None if action is None else str(action)):
            return "taken before"
    try:
        with db.transaction() as tx:
            status, said = _take(tx, event, payload)
            webhooks.end(tx, delivery_id, status=status)
    except Exception as error:
        with db.transaction() as tx:
            webhooks.end(tx, delivery_id, status="failed", error=redacted(str(error)))
        raise
    return said


def _take(tx: Transaction, event: str, payload: Mapping[str, Any]) -> tuple[str, str]:
    match meaning(event, payload):
        case Nothing(reason=reason):
            return "ignored", reason
        case JobEnded() as ended:
            return "done", f"{_job_ended(tx, ended)} jobs closed"
        case RunEnded() as ended:
            return "done", f"{_run_ended(tx, ended)} jobs closed"
        case Moved() as moved:
            taken = webhooks.announce(
                tx,
                moved.repository_github_id,
                kind=moved.kind,
                identity=moved.identity,
                event=event,
                payload=moved.payload,
            )
            return ("done", "noted") if taken else ("ignored", "the repository is not tracked here")


def _job_ended(tx: Transaction, ended: JobEnded) -> int:
    """Close the open job of this runner; its own word, if it comes in this moment, counts more."""
    closed = 0
    for job in webhooks.open_of_run(tx, ended.run_id, ended.runner.attempt):
        if ledger.label_matches(job.label, ended.runner):
            closed += _close(tx, job, ended.runner)
            jobs.took(tx, job.run_key, job.label, ended.runner)
    return closed


def _run_ended(tx: Transaction, ended: RunEnded) -> int:
    """Close whatever the attempt left open: a run that is over has no jobs at work."""
    runner = RunnerJob(
        name="",
        status="completed",
        conclusion=ended.conclusion,
        started_at=None,
        completed_at=ended.at,
        attempt=ended.attempt,
    )
    return sum(_close(tx, job, runner) for job in webhooks.open_of_run(tx, ended.run_id, ended.attempt))


def _close(tx: Transaction, job: ledger.OpenJob, runner: RunnerJob) -> bool:
    found = ledger.ending(job, runner)
    return found is not None and jobs.close(tx, job.id, found, completed_at=runner.completed_at)


def gathered_before(now: datetime | None = None) -> datetime:
    """Return the moment before which announcements are due."""
    return (now or datetime.now(UTC)) - GATHER
