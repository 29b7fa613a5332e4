"""The job ledger: plan, start, beat, finish, and close what a run left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gh_backfill.models.github import Spent
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.ledger import Ending, ErrorType, JobOutcome, JobType, OpenJob, RunnerJob
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement, Transaction
from gh_backfill.store.words import stored

_SQL = sql("jobs")


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What a job belongs to: a workflow run and its present attempt, or one run on a laptop.

    The key is the same for all attempts of a run.  One `in_steps` is made of many captures that are one job together;
    `job_id` is that of the job which waits for it, where there is one.
    """

    key: str
    run_id: int | None
    attempt: int
    processor: str
    in_steps: bool = False
    job_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSoFar:
    """A job at work, and what earlier steps of its run did already."""

    id: str
    spent: Spent = field(default_factory=Spent)
    chunks: int = 0
    items: int = 0
    warnings: int = 0
    retries: int = 0
    times: Times = field(default_factory=Times)


def plan(
    tx: Transaction,
    run: Run,
    entries: Sequence[tuple[str, str, int | None]],
    *,
    worker: str | None = None,
    job_type: JobType = JobType.BACKFILL,
) -> None:
    """Write a pending job for each (repository id, reason, part or None); `worker` is the process that starts them.

    What an earlier attempt of the run left open is closed: it is over, and its place is planned anew.
    """
    if run.attempt > 1:
        tx.later(_SQL["supersede"], run_key=run.key, run_attempt=run.attempt)
    if entries:
        rows = [dict(zip(("repository_id", "reason", "part"), entry, strict=True)) for entry in entries]
        tx.later(_SQL["plan"], rows=rows, job_type=job_type, worker=worker, **_of(run))


def plan_failed(
    tx: Transaction,
    run: Run,
    errors: Sequence[tuple[str | None, str]],
    *,
    error_type: ErrorType,
) -> None:
    """Write a failed job for each (repository id, error): it was asked for and can't be done."""
    rows = [{"repository_id": id_, "error": error, "error_type": error_type} for id_, error in errors]
    _plan_failed(tx, run, rows)


def plan_unknown(tx: Transaction, run: Run, names: Mapping[str, str]) -> None:
    """Write a failed job for each name that was given and that no repository here has, with what is said of it."""
    unknown = {"repository_id": None, "error_type": ErrorType.CONFIGURATION}
    rows = [{**unknown, "named": name, "error": text} for name, text in names.items()]
    _plan_failed(tx, run, rows)


def plan_waiting(tx: Transaction, run: Run, repository_ids: Sequence[str], error: str) -> None:
    """Write a job that is over before it began for each repository that has to wait for points, and why."""
    if repository_ids:
        tx.later(_SQL["plan_waiting"], ids=tuple(repository_ids), error=error, job_type=JobType.BACKFILL, **_of(run))


def start(
    tx: Transaction,
    run: Run,
    repository_id: str | None,
    *,
    worker: str = "",
    part: int | None = None,
    job_type: JobType = JobType.BACKFILL,
) -> str:
    """Take the job that was planned for this repository and part in this run, or write one; returns its id.

    A worker that asks twice, having got no answer the first time, gets the same job.
    """
    statement, params = starting(run, repository_id, worker=worker, part=part, job_type=job_type)
    row = tx.row(statement, **params)
    assert row is not None
    return str(row["id"])


def starting(
    run: Run,
    repository_id: str | None,
    *,
    worker: str = "",
    part: int | None = None,
    job_type: JobType = JobType.BACKFILL,
) -> Statement:
    """Return the statement of `start`; its one row has the `id`."""
    given = {"repository_id": repository_id, "job_type": job_type, "worker": worker, "part": part}
    return _SQL["start"], {**given, **_of(run)}


def resuming(run: Run, repository_id: str, *, worker: str, job_type: JobType) -> Statement:
    """Return the statement that takes the one job of a run in steps; `so_far` reads its row.

    It has none where the job that waited for the run is another one's by now.
    """
    return _SQL["resume_job_in_steps"], {
        "repository_id": repository_id,
        "job_type": job_type,
        "worker": worker,
        "job_id": run.job_id,
        "processor": run.processor,
        "run_key": run.key,
    }


def so_far(row: Row) -> JobSoFar:
    """Read the row of `starting` or of `resuming`."""
    return JobSoFar(
        id=str(row["id"]),
        spent=Spent(points=row.get("points") or 0, requests=row.get("requests") or 0),
        chunks=row.get("chunks") or 0,
        items=row.get("items") or 0,
        warnings=row.get("warnings") or 0,
        retries=row.get("retries") or 0,
        times=Times.of(row.get("times")),
    )


def ending(run: Run, *, status: JobStatus, outcome: JobOutcome, error: str | None = None) -> Statement:
    """Return the statement that gives the job of a run in steps its final status; what it did stands there already.

    Its row is as that of `finishing`.
    """
    return _SQL["end_job_in_steps"], {"run_key": run.key, "status": status, "outcome": outcome, "error": stored(error)}


def heartbeat(
    job_id: str, *, spent: Spent, chunks: int, items: int, times: Times | None = None, item: str | None = None
) -> Statement:
    """Return the statement that says that a job lives and what it did so far; one that has ended stays as it is.

    `item` is the word for what a step brought, where it brought something.
    """
    return _SQL["heartbeat"], {
        "id": job_id,
        "points": spent.points,
        "requests": spent.requests,
        "chunks": chunks,
        "items": items,
        "times": None if times is None else times.as_json(),
        "item": item,
    }


def finish(tx: Transaction, finishing: Statement) -> bool:
    """Give a job its final status, by what `finishing` returns; False if it has one already."""
    statement, params = finishing
    return bool(tx.rows(statement, **params))


def finishing(
    job_id: str,
    *,
    status: JobStatus,
    outcome: str,
    error: str | None,
    spent: Spent,
    chunks: int,
    items: int,
    warnings: int,
    retries: int = 0,
    error_type: ErrorType | None = None,
    times: Times | None = None,
    item: str | None = None,
) -> Statement:
    """Return the statement that gives a job its final status; it brings a row unless the job has one already.

    `item` is the word for one of its items.  `in_workspace` says of its repository that figures depend on it.
    """
    return _SQL["finish"], {
        "id": job_id,
        "status": status,
        "outcome": outcome,
        "error": stored(error),
        "error_type": error_type,
        "points": spent.points,
        "requests": spent.requests,
        "chunks": chunks,
        "items": items,
        "warnings": warnings,
        "retries": retries,
        "times": None if times is None else times.as_json(),
        "item": item,
    }


def open_jobs(tx: Transaction, run_key: str, *, own: bool = True) -> list[OpenJob]:
    """Return the jobs without an outcome: those of this run, or with `own=False` those of all other runs."""
    rows = tx.rows(_SQL["open_jobs"], run_key=run_key, own=own)
    return [OpenJob(**{**row, "status": JobStatus(row["status"])}) for row in rows]


def labels(tx: Transaction, run_key: str) -> list[str]:
    """Return what the matrix entries of a run are called."""
    return [row["label"] for row in tx.rows(_SQL["labels"], run_key=run_key)]


def close(tx: Transaction, job_id: str, ending: Ending, *, completed_at: datetime | None = None) -> bool:
    """Give an open job its final word; False if it has found its own meanwhile."""
    changed = tx.run(
        _SQL["close"],
        id=job_id,
        status=ending.status,
        outcome=ending.outcome,
        error_type=ending.error_type,
        error=ending.error,
        completed_at=completed_at,
    )
    return changed == 1


def took(tx: Transaction, run_key: str, label: str, runner: RunnerJob) -> None:
    """Note how long GitHub's runner was busy with a job; this is what Actions minutes are counted from."""
    tx.run(_SQL["took"], run_key=run_key, label=label, attempt=runner.attempt, seconds=runner.seconds)


def note_run(
    tx: Transaction,
    *,
    run_key: str | None = None,
    run_id: int | None,
    attempt: int,
    url: str | None,
    number: int | None,
    conclusion: str | None = None,
) -> None:
    """Write into the metadata of a run's jobs that have ended where the run is, its number and its conclusion.

    Without a conclusion each job's own end tells; what is not known stays as it was.
    """
    tx.later(
        _SQL["note_run"],
        run_key=run_key,
        run_id=run_id,
        attempt=attempt,
        url=url,
        number=number,
        conclusion=conclusion,
    )


def latest_run(tx: Transaction) -> str | None:
    """Return the key of the run that was planned last."""
    row = tx.row(_SQL["latest_run"])
    return None if row is None else str(row["run_key"])


def _plan_failed(tx: Transaction, run: Run, rows: Sequence[Row]) -> None:
    if rows:
        tx.later(_SQL["plan_failed"], rows=list(rows), job_type=JobType.BACKFILL, **_of(run))


def _of(run: Run) -> Row:
    return {
        "processor": run.processor,
        "run_id": run.run_id,
        "run_attempt": run.attempt,
        "run_key": run.key,
    }
