"""The steps of Inngest's functions: each begins a run or fetches one chunk, and returns counts, never rows.

A step may be repeated, and its process may die anywhere in it.  What was done stands in the database alone: the claim
of a chunk sees to it that nothing is done twice, and its stream that nothing is left out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import prices, registry
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import ConfigurationError, PartlyFailed, Unreachable
from gh_backfill.models.inngest_events import InitialBackfill, PullRequestSync, RepositorySync
from gh_backfill.models.work import PULL_REQUESTS, Goal, TrackedRepository
from gh_backfill.policy.initial import Size, Wish, goal_of
from gh_backfill.policy.ledger import PASSING, JobOutcome, JobType, Processor
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.syncing import SyncReason
from gh_backfill.settings import Settings
from gh_backfill.store import jobs, syncs
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.tasks import aggregate, capture, connect, ready, sync
from gh_backfill.tasks.inngest_progress import MOST_IDLE, ChunkDone, RunPlan, RunProgress, RunSums
from gh_backfill.tasks.sync_stage import SyncStage
from gh_backfill.tasks.sync_told import SyncWish

Wanted = InitialBackfill | PullRequestSync | RepositorySync
# A step may wait so long for points, or for the next try, in itself; what takes longer is Inngest's to wait for.
STEP = timedelta(seconds=50)
# What another worker holds is looked for again after so long, where nobody can say better.
LOOK_AGAIN = timedelta(minutes=1)


@dataclass(kw_only=True)
class InngestSteps:
    """All that steps work with.  Safe to use from several threads."""

    settings: Settings
    database_url: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _at_work: int = 0
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _credentials: list[Credential] = field(default_factory=list)

    def begin(self, event: Wanted, run_id: str) -> RunPlan:
        """Find the repository, and take or write the job of the run.

        Raises ConfigurationError where the repository is not here, or its sync is refused.
        """
        run = run_of(event, run_id)
        with Database(self.database_url) as db:
            found = self._found(db, event)
            starting = jobs.resuming(run, found.id, worker=worker_name(), job_type=_job_type(event))
            if not persistently(lambda: db.statements(starting), self.sleep):
                return RunPlan(note="its job is done already, or another run does it")
            refused = self._refusal(db, found, event)
            if refused is not None:
                self._end(db, run, JobStatus.SKIPPED, JobOutcome.NOT_POSSIBLE, refused)
                raise ConfigurationError(refused)
            return RunPlan(kinds=_kinds(event, found))

    def fetch(self, event: Wanted, run_id: str, progress: RunProgress) -> ChunkDone:
        """Fetch one chunk of the first kind that is left.

        Raises what may pass as it is, and ConfigurationError or PartlyFailed where a person has to look.
        """
        run, kind = run_of(event, run_id), progress.left[0]
        with self.open() as (db, graphql):
            found = self._found(db, event)
            captured = self._captured(db, graphql, run, found, event, kind, progress)
            done = ChunkDone(
                kind=kind,
                complete=captured.outcome is CaptureOutcome.COMPLETED,
                did=RunSums.of(captured),
                resume_at=self._resume_at(captured),
                reason=captured.reason,
            )
            self._settle(db, run, captured, progress.after(done), last=progress.last)
            return done

    def cancelled(self, run_id: str) -> None:
        """Note that a run was cancelled; what it was about stays where it is."""
        with Database(self.database_url) as db:
            run = Run(key=_key(run_id), run_id=None, attempt=1, processor=Processor.INNGEST)
            self._end(db, run, JobStatus.CANCELLED, JobOutcome.CANCELLED, "its run was cancelled in Inngest")

    def close(self, seconds: float) -> None:
        """Let no step wait any more, and give those at work so many seconds to end their chunk."""
        self._stopping.set()
        with self._changed:
            self._changed.wait_for(lambda: not self._at_work, seconds)

    def _captured(
        self,
        db: Database,
        graphql: GraphQL,
        run: Run,
        found: TrackedRepository,
        event: Wanted,
        kind: str,
        progress: RunProgress,
    ) -> Captured:
        limits = Limits(max_chunks=1, deadline=self.now() + STEP)
        memory = prices.ask_once_a_week(db, graphql)
        if isinstance(event, InitialBackfill):
            return capture.run(
                db,
                graphql,
                run,
                found.full_name,
                limits,
                goal=_goal(event, found) if kind == PULL_REQUESTS else None,
                kinds=(kind,),
                listen=lambda _: None,
                now=self.now,
                sleep=self.sleep,
                found=found,
                memory=memory,
                profiles_old=self.settings.profiles_old,
            )
        stage = SyncStage(
            kinds=progress.complete,
            items=progress.sums.items,
            counts=progress.sums.counts,
            more=len(progress.left) > 1,
        )
        synced = sync.run(
            db,
            graphql,
            run,
            found.full_name,
            SyncWish(reason=_reason(event), days=event.days),  # whether it is refused was asked as the run began
            kinds=(kind,),
            limits=limits,
            now=self.now,
            sleep=self.sleep,
            found=found,
            memory=memory,
            stage=stage,
            profiles_old=self.settings.profiles_old,
        )
        if synced.captured is None:
            return Captured(outcome=CaptureOutcome.PAUSED, reason=synced.refused or "")
        return synced.captured

    def _settle(self, db: Database, run: Run, captured: Captured, after: RunProgress, *, last: bool) -> None:
        """End the job where the run ends; raises what ends it badly."""
        match captured.outcome:
            case CaptureOutcome.COMPLETED if not after.left:
                self._end(db, run, JobStatus.COMPLETED, JobOutcome.COMPLETED, None)
            case CaptureOutcome.PAUSED if captured.resume_at is None:
                self._end(db, run, JobStatus.COMPLETED, JobOutcome.PAUSED, captured.reason)
                raise ConfigurationError(captured.reason)
            case CaptureOutcome.FAILED if captured.resume_at is None:  # its job says so already
                raise Unreachable(captured.reason) if captured.error_type in PASSING else PartlyFailed(captured.reason)
            case _ if after.idle >= MOST_IDLE:
                reason = f"nothing could be done {MOST_IDLE} times in a row: {captured.reason}"
                self._end(db, run, JobStatus.FAILED, JobOutcome.FAILED, reason)
                raise PartlyFailed(reason)
            case _ if last:
                self._end(db, run, JobStatus.COMPLETED, JobOutcome.STOPPED, None)

    def _resume_at(self, captured: Captured) -> datetime | None:
        """Return until when the next step waits."""
        if captured.outcome is CaptureOutcome.BUSY:
            return captured.resume_at or self.now() + LOOK_AGAIN
        return captured.resume_at

    def _found(self, db: Database, event: Wanted) -> TrackedRepository:
        kinds = registry.chosen(self.settings.kinds, given_as="GH_BACKFILL_KINDS") or (PULL_REQUESTS,)
        try:
            return persistently(lambda: capture.find(db, event.repository_id, kinds), self.sleep)
        except ConfigurationError:
            text = f"Repository not found: {event.repository_id} (gh-backfill track owner/name adds one)"
            raise ConfigurationError(text) from None

    def _refusal(self, db: Database, found: TrackedRepository, event: Wanted) -> str | None:
        if isinstance(event, InitialBackfill):
            return None
        with db.reading() as tx:
            standing = syncs.standing(tx, found.id)
        wish = SyncWish(reason=_reason(event), foreign=isinstance(event, PullRequestSync))
        return None if standing is None else sync.refusal(standing, wish, self.now())

    def _end(self, db: Database, run: Run, status: JobStatus, outcome: JobOutcome, error: str | None) -> None:
        ending = jobs.ending(run, status=status, outcome=outcome, error=error)
        for row in persistently(lambda: db.statements(ending), self.sleep):
            if row["in_workspace"]:
                aggregate.after(db, row["repository_id"])

    @contextmanager
    def open(self) -> Iterator[tuple[Database, GraphQL]]:
        """Yield the database and a client of this step's own, so that it counts what the step spends."""
        self._credentials = self._credentials or connect.credentials_of(self.settings)
        with (
            self._counted(),
            GraphQL(self.settings.graphql_url, Credentials(self._credentials), sleep=self.sleep) as graphql,
            Database(self.database_url) as db,
            connect.sharing(graphql, db, ahead=True),
        ):
            yield db, graphql

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            self._at_work += 1
        try:
            yield
        finally:
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def sleep(self, seconds: float) -> None:
        """Wait; where the process ends meanwhile, end as after a signal: what is claimed is given back."""
        if self._stopping.wait(seconds):
            raise KeyboardInterrupt


def run_of(event: Wanted, run_id: str) -> Run:
    """Return the run of the ledger that is one of Inngest's."""
    key = _key(run_id)
    return Run(key=key, run_id=None, attempt=1, processor=Processor.INNGEST, in_steps=True, job_id=event.job_id)


def _key(run_id: str) -> str:
    return f"inngest-{run_id}"


def _job_type(event: Wanted) -> JobType:
    return JobType.BACKFILL if isinstance(event, InitialBackfill) else JobType.SYNC


def _kinds(event: Wanted, found: TrackedRepository) -> tuple[str, ...]:
    """Return the kinds that an event is about, people last: of the customer's own sync only pull requests."""
    if isinstance(event, PullRequestSync):
        return (PULL_REQUESTS,)
    return (*ready.unfinished_first(found, found.kinds), *found.after)


def _goal(event: InitialBackfill, found: TrackedRepository) -> Goal | None:
    """Return the goal of a backfill; None leaves it at its own."""
    if event.max_prs is None:
        return None
    if found.total is None:
        return Goal(max_items=event.max_prs)
    size = Size(total=found.total, created_at=None, pushed_at=None)
    return goal_of(Wish(max_prs=event.max_prs), size, datetime.now(UTC))


def _reason(event: PullRequestSync | RepositorySync) -> SyncReason:
    """Return why a sync is made; a word of somebody else's that we don't know is nobody's exception."""
    if isinstance(event, RepositorySync):
        return SyncReason.SCHEDULED
    word = event.reason.strip().lower()
    return SyncReason(word) if word in list(SyncReason) else SyncReason.AUTOMATIC
