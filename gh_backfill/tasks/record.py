"""The record of a job that captures: it begins and beats in the ledger, and its end stands there, also a bad one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import interrupts
from gh_backfill.engine.diffs import DiffReading
from gh_backfill.engine.in_turn import InTurn
from gh_backfill.engine.meter import Meter
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Progress
from gh_backfill.engine.processes import worker_name
from gh_backfill.engine.profiles import ProfileReading
from gh_backfill.errors import BackfillError, RateLimited, StoreError
from gh_backfill.models.github import Spent
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy import governor
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.estimate import estimate
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.retries import PauseReason, explained
from gh_backfill.store import estimates, jobs
from gh_backfill.store.db import Database, Statement
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

ENDINGS = {CaptureOutcome.FAILED: JobStatus.FAILED, CaptureOutcome.INTERRUPTED: JobStatus.CANCELLED}


@dataclass(kw_only=True)
class Record:
    """One job of a repository in the ledger; `listen` hears of its progress, with an estimate of what is left.

    At its end `in_workspace` says that figures of workspaces depend on what it did.
    """

    db: Database
    graphql: GraphQL
    run: jobs.Run
    repository_id: str
    job_type: JobType
    part: int | None
    listen: Callable[[Progress], None]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    worker: str = field(default_factory=worker_name)
    meter: Meter = field(init=False)
    in_workspace: bool = field(init=False, default=False)
    _job: jobs.JobSoFar = field(default_factory=lambda: jobs.JobSoFar(id=""))

    def __post_init__(self) -> None:
        """Let the meter run from now on."""
        self.meter = Meter(self.db, self.graphql, now=self.now, sleep=self.sleep)

    def keep(self, prepare: Callable[[], InTurn | ProfileReading | DiffReading]) -> Captured:
        """Do what `prepare` returns, and write in the ledger how it ended, also when it ended badly.

        Raises what was raised, but RateLimited: that is a pause.
        """
        self._job = persistently(self._start, self.sleep)
        captured = Captured(outcome=CaptureOutcome.FAILED, reason="ended unexpectedly")
        working: InTurn | ProfileReading | DiffReading | None = None
        try:
            working = prepare()
            captured = working.run()
        except RateLimited as error:
            captured = replace(
                _so_far(working),
                outcome=CaptureOutcome.PAUSED,
                reason=f"{explained(PauseReason.RATE_LIMIT)}: {error}",
                resume_at=error.resume_at,
                error_type=ErrorType.RATE_LIMIT,
                spent=self.graphql.spent,
            )
        except BackfillError as error:
            captured = replace(
                _so_far(working), reason=str(error), spent=self.graphql.spent, error_type=error_type(error)
            )
            raise
        except KeyboardInterrupt:
            outcome = CaptureOutcome.INTERRUPTED
            captured = replace(_so_far(working), outcome=outcome, reason="interrupted", spent=self.graphql.spent)
            raise
        except BaseException as error:
            name_of_error = type(error).__name__
            captured = replace(
                _so_far(working), reason=name_of_error, spent=self.graphql.spent, error_type=error_type(error)
            )
            raise
        finally:
            limited = captured.outcome is CaptureOutcome.PAUSED and captured.error_type is ErrorType.RATE_LIMIT
            times = self.meter.times(captured.resume_at if limited else None)
            with interrupts.shielded():
                self._finish_in_time(captured, times)
        return captured

    def tell(self, progress: Progress) -> None:
        """Say in the ledger that the job lives, what it did so far and what is left, and tell the listener."""
        repository_id = progress.repository.id
        done = self._beat(progress.spent, progress.chunks, progress.items, self.meter.times())
        try:
            if progress.over:  # the end of the job, which follows, says as much
                self.graphql.gate.rest()
            elif progress.kind != PULL_REQUESTS:
                self.db.statements(done)
            else:
                told = self.db.statements(done, estimates.question([repository_id]))
                work, budget = estimates.from_rows(told).get(repository_id), self.graphql.budget
                if work is not None and budget is not None:
                    progress = replace(progress, left=estimate(work, governor.standing(budget, self.now())))
        except StoreError as error:
            log.warning("%s: the job's heartbeat was lost: %s", progress.repository.full_name, error)
        self.listen(progress)

    def _start(self) -> jobs.JobSoFar:
        run, worker, job_type = self.run, self.worker, self.job_type
        if run.in_steps:
            starting = jobs.resuming(run, self.repository_id, worker=worker, job_type=job_type)
        else:
            starting = jobs.starting(run, self.repository_id, worker=worker, part=self.part, job_type=job_type)
        (row,) = self.db.statements(starting)
        return jobs.so_far(row)

    def _beat(self, spent: Spent, chunks: int, items: int, times: Times, item: str | None = None) -> Statement:
        """Return what says that the job lives, and what it did with all steps before this one."""
        job = self._job
        return jobs.heartbeat(
            job.id,
            spent=job.spent + spent,
            chunks=job.chunks + chunks,
            items=job.items + items,
            times=job.times + times,
            item=item,
        )

    def _finish_in_time(self, captured: Captured, times: Times) -> None:
        """Write how the job ended; who was told to stop waits for no database that is away: the next report says it."""
        if captured.outcome is not CaptureOutcome.INTERRUPTED:
            persistently(lambda: self._finish(captured, times), self.sleep)
            return
        try:
            self._finish(captured, times)
        except StoreError as error:
            log.warning("the end of the job is not in the ledger: %s", error)

    def _finish(self, captured: Captured, times: Times) -> None:
        job = self._job
        if (
            self.run.in_steps and captured.outcome not in ENDINGS
        ):  # there may be another step: whoever knows ends the job
            item = captured.item if captured.items else None
            self.db.statements(self._beat(captured.spent, captured.chunks, captured.items, times, item))
            return
        status = ENDINGS.get(captured.outcome, JobStatus.COMPLETED)
        explained_here = status is not JobStatus.COMPLETED or captured.outcome is CaptureOutcome.PAUSED
        finishing = jobs.finishing(
            job.id,
            status=status,
            outcome=captured.outcome,
            error=captured.reason if explained_here else None,
            spent=job.spent + captured.spent,
            chunks=job.chunks + captured.chunks,
            items=job.items + captured.items,
            warnings=job.warnings + captured.counts.quarantined + captured.gaps,
            retries=job.retries + captured.retries,
            error_type=captured.error_type,
            times=job.times + times,
            item=captured.item,
        )
        self.in_workspace = any(row["in_workspace"] for row in self.db.statements(finishing))


def _so_far(working: InTurn | ProfileReading | DiffReading | None) -> Captured:
    """Return what a capture that an error ended has done; what was committed counts, whatever came after it."""
    done = working.done if working is not None else None
    return replace(done or Captured(outcome=CaptureOutcome.FAILED, reason=""), outcome=CaptureOutcome.FAILED)
