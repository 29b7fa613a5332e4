"""Fetch the events of one repository, and write in the ledger how that ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine import interrupts
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.processes import worker_name
from gh_backfill.engine.series import OutOfTime, SeriesRead
from gh_backfill.errors import BackfillError, Gone, RateLimited
from gh_backfill.models.events import Series
from gh_backfill.models.github import Spent
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.store import jobs
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently
from gh_backfill.tasks import aggregate
from gh_backfill.tasks.events.gathering import Gathering
from gh_backfill.tasks.events.wish import EventsFound, EventsWish
from gh_backfill.tasks.ready import identified
from gh_backfill.tasks.record import ENDINGS

STOPPED = "stopped before its end: run it again to go on"
BEAT = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ways:
    """The ways to the database and to GitHub, which one repository after the other may use."""

    db: Database
    graphql: GraphQL
    lists: RestPages
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def fetch(
    ways: Ways,
    run: jobs.Run,
    repository: TrackedRepository,
    wish: EventsWish,
    *,
    goes_on: Callable[[], bool] = lambda: True,
    tell: Callable[[Series, SeriesRead], None] = lambda series, done: None,
    job_id: str | None = None,
    settle: Callable[[Transaction, EventsFound], None] = lambda tx, done: None,
) -> EventsFound:
    """Fetch what is wanted of one repository; all that was read is kept, however it ends.

    Its job is the one of `job_id`, else that of the run; who gives that an end stops it after the page in hand.
    `settle` is done in the transaction that ends it.  What GitHub or the database fail in is told; raises what no
    other repository could survive, too.
    """
    before, asked = ways.graphql.spent, ways.lists.requests
    worker = worker_name()
    job_id = job_id or persistently(lambda: _start(ways.db, run, repository, worker), ways.sleep)
    life = _Life(ways=ways, job_id=job_id, goes_on=goes_on)
    done = EventsFound(name=repository.full_name, repository=repository, reason="ended unexpectedly")
    outcome = CaptureOutcome.FAILED
    try:
        done = _fetched(ways, repository, wish, life, tell)
        outcome = _outcome(done)
    except KeyboardInterrupt:
        outcome = CaptureOutcome.INTERRUPTED
        done = replace(done, reason="interrupted", cause=ErrorType.CANCELLED)
        raise
    finally:
        spent = ways.graphql.spent
        done = replace(
            done,
            spent=Spent(
                points=spent.points - before.points,
                requests=spent.requests - before.requests + ways.lists.requests - asked,
            ),
        )
        with interrupts.shielded():
            _finish(ways, job_id, done, outcome, settle)
    return done


def _fetched(
    ways: Ways,
    repository: TrackedRepository,
    wish: EventsWish,
    goes_on: Callable[[], bool],
    tell: Callable[[Series, SeriesRead], None],
) -> EventsFound:
    done = EventsFound(name=repository.full_name, repository=repository)
    gathering: Gathering | None = None
    try:
        repository, _ = identified(ways.graphql, repository)
        if repository.node_id is None:
            raise Gone(f"GitHub's id of {repository.full_name} is not known")
        gathering = Gathering(
            db=ways.db,
            graphql=ways.graphql,
            lists=ways.lists,
            repository_id=repository.id,
            node_id=repository.node_id,
            wish=wish,
            now=ways.now,
            sleep=ways.sleep,
            goes_on=goes_on,
            tell=tell,
        )
        gathering.run()
    except OutOfTime:
        done = replace(done, reason=STOPPED, resume_at=ways.now())
    except RateLimited as error:
        done = replace(done, reason=str(error), resume_at=error.resume_at, error=error, cause=ErrorType.RATE_LIMIT)
    except BackfillError as error:
        done = replace(done, reason=str(error), error=error, cause=error_type(error))
    return replace(done, series=() if gathering is None else tuple(gathering.found))


def pass_over(ways: Ways, run: jobs.Run, repository: TrackedRepository, done: EventsFound) -> None:
    """Write in the ledger that a repository was not begun, and why."""
    worker = worker_name()
    job_id = persistently(lambda: _start(ways.db, run, repository, worker), ways.sleep)
    _finish(ways, job_id, done, CaptureOutcome.PAUSED if done.resume_at else CaptureOutcome.INTERRUPTED)


@dataclass(kw_only=True)
class _Life:
    """The life of a job in the ledger: from time to time it is said that it lives, and asked whether it is wanted."""

    ways: Ways
    job_id: str
    goes_on: Callable[[], bool]
    wanted: bool = True
    last: datetime | None = None

    def __call__(self) -> bool:
        """Say whether to go on; never raises for a database that is away for a moment."""
        now = self.ways.now()
        if self.wanted and (self.last is None or now - self.last >= BEAT):
            self.last = now
            self.wanted = persistently(self._lives, self.ways.sleep)
        return self.wanted and self.goes_on()

    def _lives(self) -> bool:
        statement, params = jobs.heartbeat(self.job_id, spent=Spent(), chunks=0, items=0)
        with self.ways.db.transaction() as tx:
            return bool(tx.rows(statement, **params))


def _outcome(done: EventsFound) -> CaptureOutcome:
    if done.failed:
        return CaptureOutcome.FAILED
    if done.resume_at is None:
        return CaptureOutcome.COMPLETED
    return CaptureOutcome.PAUSED if done.cause is ErrorType.RATE_LIMIT else CaptureOutcome.STOPPED


def _start(db: Database, run: jobs.Run, repository: TrackedRepository, worker: str) -> str:
    with db.transaction() as tx:
        return jobs.start(tx, run, repository.id, worker=worker, job_type=JobType.EVENTS)


def _finish(
    ways: Ways,
    job_id: str,
    done: EventsFound,
    outcome: CaptureOutcome,
    settle: Callable[[Transaction, EventsFound], None] = lambda tx, done: None,
) -> None:
    failed = done.reason or "; ".join(each.text for each in done.unavailable) or None
    finishing = jobs.finishing(
        job_id,
        status=ENDINGS.get(outcome, JobStatus.COMPLETED),
        outcome=outcome,
        error=failed,
        error_type=done.cause or (ErrorType.DENIED if done.unavailable else None),
        spent=done.spent,
        chunks=0,
        items=0,  # the ledger counts pull requests, issues and the like, and sums them up
        warnings=len(done.unavailable),
    )

    def finish() -> None:
        with ways.db.transaction() as tx:
            jobs.finish(tx, finishing)
            settle(tx, done)

    persistently(finish, ways.sleep)
    if outcome is CaptureOutcome.COMPLETED and done.repository is not None:
        aggregate.after(ways.db, done.repository.id)
