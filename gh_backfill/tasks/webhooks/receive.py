"""Take one verified webhook: each delivery once, its effect and the note of it in one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from gh_backfill.errors import StoreConflict, StoreUnavailable
from gh_backfill.policy import ledger
from gh_backfill.policy.ledger import RunnerJob
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.redaction import redacted
from gh_backfill.policy.webhooks import JobEnded, Meaning, Moved, Nothing, RunEnded, meaning
from gh_backfill.store import jobs, webhooks
from gh_backfill.store.db import Database, Transaction

# GitHub waits ten seconds for an answer, and does not deliver again by itself.
PAUSES = (0.1, 0.4, 1.0, 2.0)


def receive(
    db: Database,
    delivery_id: str,
    event: str,
    payload: Mapping[str, Any],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Do what a delivery asks for and say what that was; one that was taken before changes nothing.

    One that was ignored before is judged anew: its repository may be tracked by now.
    A database that is away or busy is asked again for some seconds.  Raises ValueError for a payload that is none,
    RowRefused for one that no database takes, and other StoreErrors, of which the delivery is noted as failed: it is
    taken when somebody lets GitHub deliver it again.
    """
    what = meaning(event, payload)
    action = payload.get("action")
    said = None if action is None else str(action)[:100]
    pauses = iter(PAUSES)
    while True:
        try:
            return _once(db, delivery_id, event, said, what)
        except Exception as error:
            pause = next(pauses, None) if isinstance(error, StoreConflict | StoreUnavailable) else None
            if pause is None:
                _note_failure(db, delivery_id, event, said, error)
                raise
        sleep(pause)


def _once(db: Database, delivery_id: str, event: str, action: str | None, what: Meaning) -> str:
    with db.transaction() as tx:
        if not webhooks.begin(tx, delivery_id, event=event, action=action):
            return "taken before"
        status, said = _take(tx, event, delivery_id, what)
        webhooks.end(tx, delivery_id, status=status)
    return said


def _note_failure(db: Database, delivery_id: str, event: str, action: str | None, error: Exception) -> None:
    with suppress(Exception), db.transaction() as tx:
        if webhooks.begin(tx, delivery_id, event=event, action=action):
            webhooks.end(tx, delivery_id, status="failed", error=redacted(str(error)))


def _take(tx: Transaction, event: str, delivery_id: str, what: Meaning) -> tuple[str, str]:
    match what:
        case Nothing(reason=reason):
            return "ignored", reason
        case JobEnded() as ended:
            return "done", f"{counted(_job_ended(tx, ended), 'job')} closed"
        case RunEnded() as ended:
            return "done", f"{counted(_run_ended(tx, ended), 'job')} closed"
        case Moved() as moved:
            taken = [_announce(tx, event, delivery_id, each) for each in (moved, moved.also) if each is not None]
            return ("done", "noted") if any(taken) else ("ignored", "the repository is not tracked here")


def _announce(tx: Transaction, event: str, delivery_id: str, moved: Moved) -> bool:
    return webhooks.announce(
        tx,
        moved.repository_github_id,
        kind=moved.kind,
        identity=f"{moved.identity} {delivery_id}" if moved.each else moved.identity,
        event=event,
        payload=moved.payload,
    )


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
    closed = sum(_close(tx, job, runner) for job in webhooks.open_of_run(tx, ended.run_id, ended.attempt))
    jobs.note_run(
        tx,
        run_id=ended.run_id,
        attempt=ended.attempt,
        url=ended.url,
        number=ended.number,
        conclusion=ended.conclusion,
    )
    return closed


def _close(tx: Transaction, job: ledger.OpenJob, runner: RunnerJob) -> bool:
    found = ledger.ending(job, runner)
    return found is not None and jobs.close(tx, job.id, found, completed_at=runner.completed_at)
