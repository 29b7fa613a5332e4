"""Give every job of a run its final word: GitHub tells of its runner; where nobody can tell, its age decides."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.errors import BackfillError
from gh_backfill.policy import ledger
from gh_backfill.policy.ledger import OpenJob, RunnerJob
from gh_backfill.policy.report.costs import billed_minutes
from gh_backfill.store import jobs, routing
from gh_backfill.store.db import Database, Transaction

log = logging.getLogger(__name__)

# Asks GitHub for the jobs of all attempts of a run, by its id.
Ask = Callable[[int], list[RunnerJob]]
# A report asks GitHub about at most this many old runs; the next report asks about the others.
MOST_RUNS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Closed:
    """How many jobs were closed, the minutes of the run's other jobs, and what could not be found out."""

    jobs: int = 0
    overhead_minutes: int = 0
    plan_failed: bool = False
    notes: tuple[str, ...] = ()


def close_run(
    db: Database, run_key: str, ask: Ask | None, *, run: tuple[int, int] | None, labels: Sequence[str]
) -> Closed:
    """Close what this run left open; all its jobs but the reporting one are over.

    `run` is GitHub's id and attempt of the run; `labels` are the names of all its matrix entries.  A job whose runner
    GitHub says is still at work stays open.  Attempts of one run are closed together: the report of the first one may
    have died.
    """
    with db.transaction() as tx:
        routing.release_unbegun(tx, run_key)
    with db.reading() as tx:
        waiting = jobs.open_jobs(tx, run_key)
    runners, notes = _runners(ask, None if run is None else run[0])
    with db.transaction() as tx:
        closed = sum(_close(tx, job, _runner_of(job, runners)) for job in waiting)
        for runner in runners:
            label = next((label for label in labels if ledger.label_matches(label, runner)), None)
            if label is not None and runner.conclusion is not None:
                jobs.took(tx, run_key, label, runner)
    others = ledger.once([each for each in runners if not any(ledger.label_matches(label, each) for label in labels)])
    return Closed(
        jobs=closed,
        overhead_minutes=sum(billed_minutes(each.seconds) if each.conclusion else 1 for each in others),
        plan_failed=_plan_failed(others),
        notes=notes,
    )


def sweep(db: Database, run_key: str, ask: Ask | None, now: datetime) -> int:
    """Close what other runs left open and no report closed: report jobs die as well.  Returns how many jobs that were.

    A run that GitHub knows is closed by what it says; any other by its age alone.
    """
    with db.reading() as tx:
        waiting = jobs.open_jobs(tx, run_key, own=False)
    known: dict[int, list[RunnerJob]] = {}
    closed = 0
    for job in waiting:
        runner = _runner_of(job, _known(known, job, ask))
        found = ledger.ending(job, runner) if runner is not None else ledger.ending_by_age(job, now)
        if found is not None:
            with db.transaction() as tx:
                closed += jobs.close(tx, job.id, found, completed_at=runner.completed_at if runner else None)
    return closed


def _close(tx: Transaction, job: OpenJob, runner: RunnerJob | None) -> bool:
    found = ledger.ending(job, runner)
    if found is None:
        return False
    return jobs.close(tx, job.id, found, completed_at=runner.completed_at if runner else None)


def _plan_failed(others: Sequence[RunnerJob]) -> bool:
    """Say whether the last attempt at the plan failed."""
    plans = sorted((each for each in others if each.name.split(" ")[-1] == "plan"), key=lambda each: each.attempt)
    return bool(plans) and plans[-1].conclusion == "failure"


def _runners(ask: Ask | None, run_id: int | None) -> tuple[list[RunnerJob], tuple[str, ...]]:
    if run_id is None or ask is None:
        return [], ()
    try:
        return ask(run_id), ()
    except BackfillError as error:
        log.warning("the jobs of the run are not known: %s", error)
        return [], (f"GitHub did not tell about the run's jobs, so they were closed by the ledger alone: {error}",)


def _known(known: dict[int, list[RunnerJob]], job: OpenJob, ask: Ask | None) -> list[RunnerJob]:
    if job.run_id is None or ask is None:
        return []
    if job.run_id not in known:
        known[job.run_id] = _runners(ask, job.run_id)[0] if len(known) < MOST_RUNS else []
    return known[job.run_id]


def _runner_of(job: OpenJob, runners: Sequence[RunnerJob]) -> RunnerJob | None:
    """Return the runner of a job; that of another attempt says nothing about it."""
    own = (each for each in runners if each.attempt == job.attempt)
    return next((each for each in own if job.label and ledger.label_matches(job.label, each)), None)
