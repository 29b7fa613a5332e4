"""The read model: the figures of a run and of a month, and what was reported, delivered and told of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gh_backfill import hidden
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.ledger import ErrorType, JobOutcome
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.policy.redaction import redacted
from gh_backfill.policy.report import costs
from gh_backfill.policy.report.alerts import Alert, BackfillProgress
from gh_backfill.policy.report.costs import CostRates, Month, ProcessorUsage
from gh_backfill.policy.report.figures import JobFigures, RunFigures, Warned
from gh_backfill.resources import sql
from gh_backfill.store import repositories
from gh_backfill.store.db import Row, Transaction

_SQL = sql("reports")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A report in the database: the id of its delivery, and when it was delivered, if it was."""

    delivery_id: str
    delivered_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PendingNotification:
    """A report that no notification has told of yet; both values as they were reported."""

    run_key: str
    report: Mapping[str, Any]
    alerts: Sequence[Mapping[str, Any]]
    reported_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class LastNotification:
    """The last notification: when it was sent, if ever, and the alerts that it told of."""

    at: datetime | None = None
    alerts: Sequence[Mapping[str, Any]] = ()


def of_run(tx: Transaction, run_key: str, *, prices: CostRates, at: datetime) -> RunFigures:
    """Return the figures of a run, with nothing in them that others must not read."""
    rows = tx.rows(_SQL["reported_jobs"], run_key=run_key)
    ids = sorted({row["repository_id"] for row in rows if row["repository_id"] is not None})
    states = {state.id: state for state in repositories.status(tx, ids)} if ids else {}
    private = private_names(rows)
    jobs = tuple(_job(row, states.get(row["repository_id"]), private, prices) for row in rows)
    left, limit = _budget(tx)
    first: Row = rows[0] if rows else {}
    return RunFigures(
        run_key=run_key,
        run_id=first.get("workflow_run_id"),
        attempt=max((row["workflow_run_attempt"] or 1 for row in rows), default=1),
        processor=first.get("processor") or "local",
        at=at,
        jobs=jobs,
        points_left=left,
        points_limit=limit,
    )


def private_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return what to show for each name of a private repository."""
    return {row["full_name"]: str(row["repository_id"]) for row in rows if row["full_name"] and row["is_private"]}


def standings(tx: Transaction) -> list[BackfillProgress]:
    """Return how far each backfill has come."""
    return [
        BackfillProgress(
            name=row["repository_id"] if row.pop("is_private") else row["full_name"],
            status=BackfillStatus(row.pop("status")),
            **{key: value for key, value in row.items() if key != "full_name"},
        )
        for row in tx.rows(_SQL["backfill_progress"])
    ]


def mended(tx: Transaction) -> frozenset[str]:
    """Return the repositories, by our id, that failed once and went well since, or that nobody waits for any more."""
    return frozenset(row["repository_id"] for row in tx.rows(_SQL["mended"]))


def month(tx: Transaction, prices: CostRates, now: datetime, *, budget: float | None, priced: bool = False) -> Month:
    """Return what the month of `now` has cost so far.

    Where the last workflow ran in a public repository its minutes cost nothing, unless their price was given.
    """
    since = costs.first_of_month(now)
    until = costs.next_month(since)
    overhead = tx.row(_SQL["overhead"], since=since, until=until) or {}
    embeddings = tx.row(_SQL["embeddings"], since=since, until=until) or {}
    public = (tx.row(_SQL["public"], since=since, until=until) or {}).get("public", False)
    return costs.month(
        prices,
        [ProcessorUsage(**row) for row in tx.rows(_SQL["month"], since=since, until=until)],
        overhead_minutes=overhead.get("minutes", 0),
        embeddings=embeddings.get("cost", 0.0),
        since=since,
        at=now,
        budget=budget,
        public=public and not priced,
    )


def keep(tx: Transaction, run: RunFigures, alerts: Sequence[Alert]) -> Kept:
    """Write the errors and the cost of each job into the ledger, and the report of the run as it is told."""
    for job in run.jobs:
        tx.run(_SQL["keep_job"], id=job.id, error_summary=job.error_summary(), cost=job.cost)
    row = tx.row(
        _SQL["keep_run"],
        run_key=run.run_key,
        run_id=run.run_id,
        attempt=run.attempt,
        processor=run.processor,
        report=run.as_json(),
        error_summary=run.error_summary(),
        alerts=[alert.as_json() for alert in alerts],
        minutes=run.overhead_minutes,
        at=run.at,
    )
    assert row is not None
    return Kept(**row)


def keep_issues(tx: Transaction, run_key: str, addresses: Mapping[str, str]) -> None:
    """Note with the report of a run where the open issues of alerts are, by our ids of their repositories."""
    tx.run(_SQL["keep_issues"], run_key=run_key, issues=dict(addresses))


def delivered(tx: Transaction, run_key: str) -> None:
    """Note that the report of a run arrived where it was sent."""
    tx.run(_SQL["delivered"], run_key=run_key)


def undigested(tx: Transaction) -> tuple[list[PendingNotification], LastNotification]:
    """Return the reports that no notification has told of yet, oldest first, and what the last notification told."""
    last = tx.row(_SQL["last_notified"])
    return [PendingNotification(**row) for row in tx.rows(_SQL["undigested"])], LastNotification(**(last or {}))


def notified(tx: Transaction, run_keys: Sequence[str], at: datetime) -> None:
    """Note that a notification has told of these runs."""
    tx.run(_SQL["notified"], run_keys=tuple(run_keys), at=at)


def _job(row: Row, state: repositories.Status | None, private: Mapping[str, str], prices: CostRates) -> JobFigures:
    name = row["full_name"] or "unknown repository"
    if row["named"] is not None:  # nobody knows whether it is one that others may hear of
        hidden.unknown(row["named"])
        private = {**private, row["named"]: "a repository that was named"}
    shown = private.get(name, name)
    found = {key: row[key] for key in _PLAIN}
    job = JobFigures(
        **found,
        name=shown,
        status=JobStatus(row["status"]),
        outcome=None if row["outcome"] is None else JobOutcome(row["outcome"]),
        error_type=None if row["error_type"] is None else ErrorType(row["error_type"]),
        error=None if row["error"] is None else redacted(row["error"], private),
        captured=None if state is None else state.captured,
        total=None if state is None else state.total,
        goal=None if state is None else state.goal,
        open_ended=state is not None and state.open_ended,
        backfill=None if state is None or state.status is None else BackfillStatus(state.status),
        resume_at=None if state is None else state.resume_at,
        times=Times.of(row["times"]),
        warned=tuple(Warned(**{**each, "reason": redacted(each["reason"], private)}) for each in row["warned"]),
    )
    cost = costs.job_cost(
        prices,
        job_type=job.job_type,
        processor=job.processor,
        seconds=job.seconds if job.runner_seconds is None else job.runner_seconds,
        chunks=job.chunks,
        spent=job.cost,
    )
    return replace(job, cost=cost)


_PLAIN = (
    "id",
    "job_type",
    "repository_id",
    "processor",
    "started_at",
    "completed_at",
    "points",
    "item",
    "requests",
    "chunks",
    "items",
    "warnings",
    "retries",
    "runner_seconds",
    "cost",
    "last_progress_at",
    "initial",
    "failures_in_a_row",
    "certificate",
)


def _budget(tx: Transaction) -> tuple[int | None, int | None]:
    row = tx.row(_SQL["budget"])
    return (None, None) if row is None else (row["points_left"], row["points_limit"])
