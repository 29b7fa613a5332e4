"""Jobs that wait to be routed: take them, write where each goes and why, give back what nobody could be told of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.policy.ledger import ErrorType, JobOutcome, JobType, Processor
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.routing import Route, RoutingRule, Shares
from gh_backfill.policy.syncing import DAYS_BESIDE_A_BACKFILL, DEFAULT_DAYS
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.words import stored

_SQL = sql("routing")
ROUTED = (JobType.BACKFILL, JobType.SYNC)
# A job that was routed and that no processor began within so long is routed again.
UNHEARD = timedelta(hours=6)
# The ids of so many go into the inputs of one workflow.
MOST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingJob:
    """A job that was taken.

    `days` are what it reads: as it says, else what has passed since the last sync.  `given_days` are those that it
    says.  `ours` says that a tick wrote it, for a repository that is due; `starts` counts the processors that were told
    of it before.  A job of which nobody knows the repository has no `repository_id`.
    """

    id: str
    job_type: JobType
    repository_id: str | None
    owner: str
    name: str
    is_private: bool
    pull_requests: int
    backfilling: bool
    days: int
    given_days: int | None
    reason: str | None
    priority: str | None
    ours: bool
    starts: int

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def label(self) -> str:
        """Return what may be told of it in public."""
        return (self.repository_id or "") if self.is_private else self.full_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """The end of a job that no processor is told of, and why."""

    job: WaitingJob
    status: JobStatus
    outcome: JobOutcome
    reason: str
    rule: RoutingRule | None = None
    error_type: ErrorType | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobsWaiting:
    """How many jobs of a type wait to be routed, and since when."""

    job_type: str
    many: int
    since: datetime


def take(
    tx: Transaction, run_key: str, *, most: int = MOST, unheard: timedelta = UNHEARD, ours: bool = False
) -> list[WaitingJob]:
    """Take the jobs that wait, the oldest first; nobody else takes them then.  `ours`: what a tick wrote alone."""
    given = {"run_key": run_key, "types": ROUTED, "most": most, "unheard": unheard, "ours": ours}
    return _read(tx, tx.rows(_SQL["take_jobs"], **given))


def planned(tx: Transaction, run_key: str) -> list[WaitingJob]:
    """Return the syncs that were handed to the worker of a run and wait for it, the oldest first."""
    return _read(tx, tx.rows(_SQL["planned_syncs"], run_key=run_key))


def release_unbegun(tx: Transaction, run_key: str) -> None:
    """Give back what was handed to a run that is over and began none of it."""
    tx.run(_SQL["release_unbegun"], run_key=run_key)


def look(tx: Transaction) -> list[JobsWaiting]:
    """Return how many jobs wait, by their type."""
    return [JobsWaiting(**row) for row in tx.rows(_SQL["look_jobs"], types=ROUTED)]


def write(tx: Transaction, routes: Sequence[tuple[WaitingJob, Route]], run_keys: Mapping[Processor, str]) -> None:
    """Write where each job goes, why, and by which key its processor takes it."""
    rows = [
        {
            "id": job.id,
            "processor": route.processor,
            "run_key": run_keys[route.processor],
            "rule": route.rule,
            "reason": route.reason,
            "fallback": route.fallback,
            "starts": job.starts + 1,
            "label": job.label,
        }
        for job, route in routes
        if route.processor is not None
    ]
    if rows:
        tx.later(_SQL["write_routes"], rows=rows)


def close(tx: Transaction, closings: Sequence[Closing]) -> None:
    """Give jobs their end."""
    rows = [
        {
            "id": each.job.id,
            "status": each.status,
            "outcome": each.outcome,
            "error": stored(each.reason),
            "error_type": each.error_type,
            "decision": "skip",
            "rule": each.rule,
        }
        for each in closings
    ]
    if rows:
        tx.later(_SQL["close_routed"], rows=rows)


def release(tx: Transaction, jobs: Sequence[WaitingJob], why: str) -> None:
    """Let these wait for the next tick, and say why."""
    if jobs:
        tx.later(_SQL["release_jobs"], ids=tuple(each.id for each in jobs), why=stored(why))


def shares(tx: Transaction, since: datetime) -> Shares:
    """Count what became of the jobs that were routed since a time."""
    rows = tx.rows(_SQL["routing_shares"], since=since)
    return shares_of((row["rule"], row["processor"], row["many"]) for row in rows)


def shares_of(counted: Iterable[tuple[str, str, int]]) -> Shares:
    """Read how many jobs each rule sent to each processor; words of others are left out."""
    found = {
        (RoutingRule(rule), None if processor == "skip" else Processor(processor)): many
        for rule, processor, many in counted
        if rule in tuple(RoutingRule) and processor in (*Processor, "skip")
    }
    return Shares(by_rule=found)


def _read(tx: Transaction, found: Sequence[Row]) -> list[WaitingJob]:
    if not found:
        return []
    return [_job(row) for row in tx.rows(_SQL["read_jobs"], ids=tuple(row["id"] for row in found))]


def _job(row: Row) -> WaitingJob:
    given, passed = row["days"], row["days_since"]
    days = given if given is not None else DEFAULT_DAYS if passed is None else max(1, math.ceil(passed))
    if given is None and row["backfilling"]:
        days = DAYS_BESIDE_A_BACKFILL  # a sync beside a backfill reads no more
    return WaitingJob(
        id=str(row["id"]),
        job_type=JobType(row["job_type"]),
        repository_id=None if row["owner"] is None else str(row["repository_id"]),
        owner=row["owner"] or "",
        name=row["name"] or "",
        is_private=row["is_private"] is not False,
        pull_requests=row["pull_requests"],
        backfilling=row["backfilling"],
        days=days,
        given_days=None if row["ours"] else given,
        reason=row["reason"] or row["trigger_reason"],
        priority=row["priority"],
        ours=row["ours"],
        starts=row["starts"],
    )
