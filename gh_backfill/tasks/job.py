"""One job of the matrix: find its repository, open the backfill if need be, capture, and write the ledger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BackfillError, ConfigurationError, Gone, StoreError
from gh_backfill.models import Goal, TrackedRepository
from gh_backfill.policy import chunking, cost
from gh_backfill.policy.ledger import JobType, error_type
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.store import jobs, repositories
from gh_backfill.store.db import Database
from gh_backfill.tasks.capture import Captured, Limits, Outcome, Progress, Worker
from gh_backfill.tasks.connect import worker_name
from gh_backfill.tasks.plan import open_backfill

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a capture would do; points are an estimate from the price list."""

    repository: TrackedRepository
    text: str


def find(db: Database, name: str) -> TrackedRepository:
    """Return the repository of a name, or of an id of either kind; raises ConfigurationError if it is not here."""
    with db.transaction(read_only=True) as tx:
        known = repositories.find(tx, [name])[name]
        if known is None:
            raise ConfigurationError(f"{name} is not tracked here: run gh-backfill track owner/name first")
        return next(each for each in repositories.candidates(tx, asked=[known.id]) if each.id == known.id)


def preview(db: Database, name: str, limits: Limits) -> Preview:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    repository = find(db, name)
    missing = max(0, (repository.total or 0) - repository.captured)
    ceiling = limits.chunk_size or cost.LARGEST_FIRST
    size = min(ceiling, chunking.first_page(repository.total or 0))
    pages = -(-missing // cost.cheapest_page(ceiling))
    begin = {
        None: "would open a backfill",
        BackfillStatus.ACTIVE: "would go on with the open backfill",
        BackfillStatus.PAUSED: f"is paused ({repository.pause_reason or 'no reason given'}); would go on",
        BackfillStatus.COMPLETED: "is complete; would begin again at the top",
        BackfillStatus.FAILED: "has failed; would try again",
    }[BackfillStatus(repository.status) if repository.status else None]
    if limits.max_chunks is not None:
        pages = min(pages, limits.max_chunks)
    total = "an unknown number of" if repository.total is None else repository.total
    text = (
        f"{repository.full_name}: {begin}; {repository.captured} of {total} pull requests are here, the first page has "
        f"up to {size}, about {pages} pages and at least {pages} points remain; nothing was written"
    )
    return Preview(repository=repository, text=text)


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    name: str,
    limits: Limits,
    *,
    goal: Goal | None = None,
    job_type: JobType = JobType.BACKFILL,
    listen: Callable[[Progress], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Captured:
    """Capture one repository and write in the ledger how it ended, also when it ended badly."""
    repository = find(db, name)
    with db.transaction() as tx:
        job_id = jobs.start(tx, job_run, repository.id, job_type=job_type)
    captured = Captured(outcome=Outcome.FAILED, reason="ended unexpectedly")
    try:
        repository = _ready(db, graphql, repository, goal)
        worker = Worker(
            db=db,
            graphql=graphql,
            repository=repository,
            limits=limits,
            name=worker_name(),
            processor=job_run.processor,
            now=now,
            sleep=sleep,
            listen=_beating(db, job_id, listen),
        )
        captured = worker.run()
    except BackfillError as error:
        captured = replace(captured, reason=str(error), spent=graphql.spent, error_type=error_type(error))
        raise
    except BaseException as error:
        captured = replace(captured, reason=type(error).__name__, spent=graphql.spent, error_type=error_type(error))
        raise
    finally:
        _finish(db, job_id, captured)
    return captured


def _beating(db: Database, job_id: str, listen: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Return a listener that also says in the ledger that the job lives, and what it did so far."""

    def beat(progress: Progress) -> None:
        listen(progress)
        try:
            with db.transaction() as tx:
                jobs.heartbeat(tx, job_id, spent=progress.spent, chunks=progress.chunks, items=progress.items)
        except StoreError as error:
            log.warning("%s: the job's heartbeat was lost: %s", progress.repository.full_name, error)

    return beat


def _ready(db: Database, graphql: GraphQL, repository: TrackedRepository, goal: Goal | None) -> TrackedRepository:
    """Learn the repository's node id if it is missing, and open its backfill if `plan` has not."""
    if repository.node_id is None:
        answer = github.repositories_by_name(graphql, [(repository.owner, repository.name)])[0]
        if answer is None or answer.github_id != repository.github_id:
            raise Gone(f"GitHub does not show {repository.full_name} (deleted, made private, or another one by now)")
        with db.transaction() as tx:
            repositories.store(tx, [answer])
        repository = replace(repository, node_id=answer.node_id, total=answer.pull_requests)
    if repository.status != BackfillStatus.ACTIVE or not repository.has_stream or goal is not None:
        with db.transaction() as tx:
            open_backfill(tx, repository, goal)
    return repository


def _finish(db: Database, job_id: str, captured: Captured) -> None:
    failed = captured.outcome is Outcome.FAILED
    with db.transaction() as tx:
        jobs.finish(
            tx,
            job_id,
            status=JobStatus.FAILED if failed else JobStatus.COMPLETED,
            outcome=captured.outcome,
            error=captured.reason if failed or captured.outcome is Outcome.PAUSED else None,
            spent=captured.spent,
            chunks=captured.chunks,
            items=captured.items,
            warnings=captured.counts.quarantined + captured.gaps,
            error_type=captured.error_type,
        )
