"""One job of the matrix: find its repository, open the backfill if need be, capture, and write the ledger."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine import interrupts
from gh_backfill.engine.background import Begin, in_thread
from gh_backfill.engine.claims import Claims
from gh_backfill.engine.in_turn import InTurn
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.meter import Meter
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.prices import Memory
from gh_backfill.engine.processes import worker_name
from gh_backfill.engine.registry import KINDS
from gh_backfill.engine.worker import Worker
from gh_backfill.errors import BackfillError, ConfigurationError, RateLimited, StoreError
from gh_backfill.models.work import PULL_REQUESTS, Goal, TrackedRepository
from gh_backfill.policy import chunking, governor
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.estimate import Estimate, estimate
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import BackfillStatus, JobStatus
from gh_backfill.policy.progress import of_wanted
from gh_backfill.policy.query_prices import LARGEST_FIRST, Prices
from gh_backfill.policy.retries import PauseReason, explained
from gh_backfill.store import backfills, estimates, jobs, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.ready import before_capture, ready_for_capture, unfinished_first

log = logging.getLogger(__name__)

ENDINGS = {CaptureOutcome.FAILED: JobStatus.FAILED, CaptureOutcome.INTERRUPTED: JobStatus.CANCELLED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a capture would do, and what that would take; None where GitHub's count is not known, or nothing is left."""

    repository: TrackedRepository
    left: Estimate | None
    text: str


def find(db: Database, name: str, kinds: Sequence[str] = (PULL_REQUESTS,)) -> TrackedRepository:
    """Return the repository of a name, or of an id of either kind; raises ConfigurationError if it is not here.

    `kinds` are captured of it where nothing else was said.
    """
    with db.reading() as tx:
        known = repositories.named([name], repositories.candidates(tx, asked=[name], kinds=kinds))[name]
    if known is None:
        raise ConfigurationError(f"{name} is not tracked here: run gh-backfill track owner/name first")
    return known


def check_part(db: Database, name: str, part: int) -> None:
    """Raise ConfigurationError where the walk of a repository never had such a part."""
    repository = find(db, name)
    with db.reading() as tx:
        last = backfills.last_part(tx, repository.id)
    if part > last:
        parts = f"has {last} parts" if last else "is read whole, not in parts"
        raise ConfigurationError(f"--part {part}: the history of {repository.full_name} {parts}")


def preview(db: Database, name: str, limits: Limits) -> Preview:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    repository = find(db, name)
    ceiling = limits.chunk_size or LARGEST_FIRST
    size = min(ceiling, chunking.first_page(repository.total or 0))
    begin = {
        None: "would open a backfill",
        BackfillStatus.ACTIVE: "would go on with the open backfill",
        BackfillStatus.PAUSED: f"is paused ({repository.pause_reason or 'no reason given'}); would go on",
        BackfillStatus.COMPLETED: "is complete; would read what changed since",
        BackfillStatus.FAILED: "has failed; would try again",
    }[BackfillStatus(repository.status) if repository.status else None]
    left = _left(db, repository, limits)
    here = of_wanted(repository.captured, repository.total, repository.goal, open_ended=repository.open_ended)
    text = (
        f"{repository.full_name}: {begin}; {here} pull requests are here, the first page has "
        f"up to {size}, {left or 'an unknown number of points'} to go; nothing was written"
    )
    return Preview(repository=repository, left=left, text=text)


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    name: str,
    limits: Limits,
    *,
    goal: Goal | None = None,
    kinds: Sequence[str] | None = None,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    job_type: JobType = JobType.BACKFILL,
    lists: RestPages | None = None,
    listen: Callable[[Progress], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    begin: Begin = in_thread,
    found: TrackedRepository | None = None,
    memory: Memory | None = None,
) -> Captured:
    """Capture one repository and write in the ledger how it ended, also when it ended badly.

    `kinds` of items this once, else those that the repository is tracked with, else `default_kinds`.  With `lists`,
    review comments may come by REST as well.  `found` is the repository, and `memory` has the prices, where the
    caller has just looked them up.
    """
    worker = worker_name()
    meter = Meter(db, graphql, now=now, sleep=sleep)
    repository = found or persistently(lambda: find(db, name, default_kinds), sleep)
    job_id = persistently(lambda: _start(db, job_run, repository.id, worker, limits.part, job_type), sleep)
    captured = Captured(outcome=CaptureOutcome.FAILED, reason="ended unexpectedly")
    working: InTurn | None = None
    try:
        names = (PULL_REQUESTS,) if limits.part is not None else kinds or repository.kinds
        chosen = [KINDS[each] for each in unfinished_first(repository, names)]
        ready = ready_for_capture(db, graphql, repository, goal, chosen, sleep)

        def worker_of(kind: Kind, within: Limits, tell: Callable[[Progress], None]) -> Worker:
            return Worker(
                db=db,
                graphql=graphql,
                kind=kind,
                repository=ready,
                before=persistently(lambda: before_capture(db, ready, kind), sleep),
                limits=within,
                claims=Claims(
                    db=db,
                    repository_id=repository.id,
                    kind=kind.name,
                    worker=worker,
                    processor=job_run.processor,
                    part=limits.part,
                    now=now,
                    sleep=meter.sleep,
                ),
                now=now,
                sleep=meter.sleep,
                listen=tell,
                begin=begin,
                lists=lists,
                memory=memory,
            )

        told = _beating(db, graphql, job_id, meter, listen, now)
        working = InTurn(kinds=chosen, limits=limits, worker=worker_of, listen=told)
        captured = working.run()
    except RateLimited as error:
        captured = replace(
            _so_far(working),
            outcome=CaptureOutcome.PAUSED,
            reason=f"{explained(PauseReason.RATE_LIMIT)}: {error}",
            resume_at=error.resume_at,
            error_type=ErrorType.RATE_LIMIT,
            spent=graphql.spent,
        )
    except BackfillError as error:
        captured = replace(_so_far(working), reason=str(error), spent=graphql.spent, error_type=error_type(error))
        raise
    except KeyboardInterrupt:
        outcome = CaptureOutcome.INTERRUPTED
        captured = replace(_so_far(working), outcome=outcome, reason="interrupted", spent=graphql.spent)
        raise
    except BaseException as error:
        name_of_error = type(error).__name__
        captured = replace(_so_far(working), reason=name_of_error, spent=graphql.spent, error_type=error_type(error))
        raise
    finally:
        limited = captured.outcome is CaptureOutcome.PAUSED and captured.error_type is ErrorType.RATE_LIMIT
        times = meter.times(captured.resume_at if limited else None)
        with interrupts.shielded():
            _finish_in_time(db, job_id, captured, times, sleep)
    return captured


def _left(db: Database, repository: TrackedRepository, limits: Limits) -> Estimate | None:
    """Estimate what a run within these limits would take."""
    with db.reading() as tx:
        work = estimates.works(tx, [repository.id]).get(repository.id)
    if work is None:
        return None
    page = Prices().cheapest_page(limits.chunk_size or LARGEST_FIRST)
    if limits.max_chunks is not None and limits.max_chunks * page < work.left:
        work = replace(work, left=limits.max_chunks * page, catch_up=False)
    return estimate(work, budget(db), ceiling=page)


def _start(
    db: Database, job_run: jobs.Run, repository_id: str, worker: str, part: int | None, job_type: JobType
) -> str:
    (row,) = db.statements(jobs.starting(job_run, repository_id, worker=worker, part=part, job_type=job_type))
    return str(row["id"])


def _beating(
    db: Database,
    graphql: GraphQL,
    job_id: str,
    meter: Meter,
    listen: Callable[[Progress], None],
    now: Callable[[], datetime],
) -> Callable[[Progress], None]:
    """Return a listener that also says in the ledger that the job lives, what it did so far, and what is left."""

    def beat(progress: Progress) -> None:
        repository_id = progress.repository.id
        done = jobs.heartbeat(
            job_id, spent=progress.spent, chunks=progress.chunks, items=progress.items, times=meter.times()
        )
        try:
            if progress.over:  # the end of the job, which follows, says as much
                graphql.gate.rest()
            elif progress.kind != PULL_REQUESTS:
                db.statements(done)
            else:
                work = estimates.from_rows(db.statements(done, estimates.question([repository_id]))).get(repository_id)
                if work is not None and graphql.budget is not None:
                    progress = replace(progress, left=estimate(work, governor.standing(graphql.budget, now())))
        except StoreError as error:
            log.warning("%s: the job's heartbeat was lost: %s", progress.repository.full_name, error)
        listen(progress)

    return beat


def _so_far(working: InTurn | None) -> Captured:
    """Return what a capture that an error ended has done; what was committed counts, whatever came after it."""
    done = working.done if working is not None else None
    return replace(done or Captured(outcome=CaptureOutcome.FAILED, reason=""), outcome=CaptureOutcome.FAILED)


def _finish_in_time(
    db: Database, job_id: str, captured: Captured, times: Times, sleep: Callable[[float], None]
) -> None:
    """Write how the job ended; who was told to stop waits for no database that is away: the next report says it."""
    if captured.outcome is not CaptureOutcome.INTERRUPTED:
        persistently(lambda: _finish(db, job_id, captured, times), sleep)
        return
    try:
        _finish(db, job_id, captured, times)
    except StoreError as error:
        log.warning("the end of the job is not in the ledger: %s", error)


def _finish(db: Database, job_id: str, captured: Captured, times: Times) -> None:
    status = ENDINGS.get(captured.outcome, JobStatus.COMPLETED)
    explained = status is not JobStatus.COMPLETED or captured.outcome is CaptureOutcome.PAUSED
    finishing = jobs.finishing(
        job_id,
        status=status,
        outcome=captured.outcome,
        error=captured.reason if explained else None,
        spent=captured.spent,
        chunks=captured.chunks,
        items=captured.items,
        warnings=captured.counts.quarantined + captured.gaps,
        retries=captured.retries,
        error_type=captured.error_type,
        times=times,
    )
    db.statements(finishing)
