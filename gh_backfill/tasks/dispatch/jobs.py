"""Route the jobs that wait: each goes to one processor, with its reason on record, or is skipped, or waits on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from gh_backfill.errors import BackfillError
from gh_backfill.policy import routing
from gh_backfill.policy.ledger import ErrorType, JobOutcome, JobType, Processor
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.routing import ACTIONS_PERCENT, Routable, Route, Shares
from gh_backfill.store import routing as store
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.routing import Closing, WaitingJob
from gh_backfill.tasks.dispatch.sender import Sender

log = logging.getLogger(__name__)

# So often a job is handed over; what nobody began by then is given up.
MOST_STARTS = 3
# Five at a time take some minutes each: so many begin within the hours in which nobody else takes them.
MOST_BACKFILLS = 50
NO_REPOSITORY = "its repository is not here: gh-backfill track owner/name"
TWICE = "another job of the same repository and type waits already"
UNHEARD = f"no processor began it, though {MOST_STARTS} were told of it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Processors:
    """The processors that take jobs, and why there is not each of them."""

    senders: Mapping[Processor, Sender]
    missing: Mapping[Processor, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutedJobs:
    """What became of the jobs that waited.

    `down` says why a processor took nothing, `waiting` are those that wait for one, and `closed` were skipped or given
    up.
    """

    routes: tuple[tuple[WaitingJob, Route], ...] = ()
    closed: tuple[Closing, ...] = ()
    waiting: int = 0
    down: Mapping[Processor, str] = field(default_factory=dict)

    @property
    def shares(self) -> Shares:
        """Return how the jobs were shared out, those that were skipped among them."""
        skipped = [Route(processor=None, rule=each.rule, reason=each.reason) for each in self.closed if each.rule]
        return routing.shares([*(route for _, route in self.routes), *skipped])


def route(
    db: Database,
    processors: Processors,
    *,
    percent: int = ACTIONS_PERCENT,
    most: int = store.MOST,
    sleep: Callable[[float], None] = time.sleep,
    new_key: Callable[[], str] = lambda: uuid4().hex[:12],
) -> RoutedJobs:
    """Take the jobs that wait, decide where each goes, write that down, and hand them over.

    A processor that takes nothing is down for this tick, and what was meant for it goes to the other one.  With none
    left the jobs wait for the next tick.  Each is taken by one tick alone.
    """
    key = new_key()
    run_keys = {each: f"dispatch-{key}-{each}" for each in (Processor.GITHUB_ACTIONS, Processor.INNGEST)}
    taken = persistently(lambda: _take(db, run_keys[Processor.GITHUB_ACTIONS], most), sleep)
    closings, jobs, later = _sifted(taken)
    decided = [(each, routing.decide(_routable(each), percent=percent)) for each in jobs]
    closings += [_skipped(each, its) for each, its in decided if its.processor is None]
    wanted = [(each, its) for each, its in decided if its.processor is not None]
    persistently(lambda: _close(db, closings), sleep)
    work = _Handing(
        db=db, processors=processors, run_keys=run_keys, sleep=sleep, down=dict(processors.missing), left=later
    )
    work.hand_over(wanted)
    persistently(work.let_wait, sleep)
    return RoutedJobs(routes=tuple(work.done), closed=tuple(closings), waiting=len(work.left), down=dict(work.down))


@dataclass(kw_only=True)
class _Handing:
    """The handing over of jobs: what is `done`, which processors are `down`, and what is `left`."""

    db: Database
    processors: Processors
    run_keys: Mapping[Processor, str]
    sleep: Callable[[float], None]
    down: dict[Processor, str]
    done: list[tuple[WaitingJob, Route]] = field(default_factory=list)
    left: list[WaitingJob] = field(default_factory=list)

    def hand_over(self, wanted: Sequence[tuple[WaitingJob, Route]]) -> None:
        """Hand jobs over, again for as long as a processor turns out to be down and another is left."""
        while wanted:
            up = self.processors.senders.keys() - self.down.keys()
            ways = [(job, routing.among(route, up, self.down)) for job, route in wanted]
            self.left += [job for job, way in ways if way is None]
            possible = [(job, way) for job, way in ways if way is not None]
            if not possible:
                return
            persistently(partial(self._write, possible), self.sleep)
            originals = {job.id: (job, route) for job, route in wanted}
            wanted = [originals[job.id] for job in self._send(possible)]

    def let_wait(self) -> None:
        """Give back what nobody could be told of, for the next tick."""
        if not self.left:
            return
        why = "; ".join(self.down.values()) or "it is for a later tick"
        with self.db.transaction() as tx:
            store.release(tx, self.left, why)

    def _write(self, routes: Sequence[tuple[WaitingJob, Route]]) -> None:
        with self.db.transaction() as tx:
            store.write(tx, routes, self.run_keys)

    def _send(self, routes: Sequence[tuple[WaitingJob, Route]]) -> list[WaitingJob]:
        """Tell each processor of its jobs; returns those that one did not take."""
        refused: list[WaitingJob] = []
        for processor, sender in self.processors.senders.items():
            its = [(job, route) for job, route in routes if route.processor is processor]
            if not its:
                continue
            try:
                sender.send([job for job, _ in its], self.run_keys[processor])
            except BackfillError as error:
                log.warning("%s takes no job: %s", processor, error)
                self.down[processor] = str(error)
                refused += [job for job, _ in its]
            else:
                self.done += its
        return refused


def _take(db: Database, run_key: str, most: int) -> list[WaitingJob]:
    with db.transaction() as tx:
        return store.take(tx, run_key, most=most)


def _close(db: Database, closings: Sequence[Closing]) -> None:
    if closings:
        with db.transaction() as tx:
            store.close(tx, closings)


def _routable(job: WaitingJob) -> Routable:
    return Routable(
        id=job.id,
        job_type=job.job_type,
        pull_requests=job.pull_requests,
        days=job.days,
        backfilling=job.backfilling,
    )


def _sifted(taken: Sequence[WaitingJob]) -> tuple[list[Closing], list[WaitingJob], list[WaitingJob]]:
    """Tell those apart that nobody can or has to do, and those that are for a later tick."""
    closings: list[Closing] = []
    jobs: list[WaitingJob] = []
    later: list[WaitingJob] = []
    seen: set[tuple[str, str]] = set()
    backfills = 0
    for job in taken:
        if job.repository_id is None:
            closings.append(_failed(job, JobOutcome.NOT_POSSIBLE, NO_REPOSITORY, ErrorType.CONFIGURATION))
        elif (job.repository_id, job.job_type) in seen and not job.ours and job.job_type is JobType.SYNC:
            later.append(job)  # it may want more than the one before it
        elif (job.repository_id, job.job_type) in seen:
            closings.append(Closing(job=job, status=JobStatus.SKIPPED, outcome=JobOutcome.BUSY, reason=TWICE))
        elif job.starts >= MOST_STARTS:
            closings.append(_failed(job, JobOutcome.NEVER_STARTED, UNHEARD, ErrorType.RUNNER))
        elif job.job_type is JobType.BACKFILL and backfills >= MOST_BACKFILLS:
            later.append(job)
        else:
            seen.add((job.repository_id, job.job_type))
            backfills += job.job_type is JobType.BACKFILL
            jobs.append(job)
    return closings, jobs, later


def _failed(job: WaitingJob, outcome: JobOutcome, reason: str, kind: ErrorType) -> Closing:
    return Closing(job=job, status=JobStatus.FAILED, outcome=outcome, reason=reason, error_type=kind)


def _skipped(job: WaitingJob, route: Route) -> Closing:
    return Closing(
        job=job, status=JobStatus.SKIPPED, outcome=JobOutcome.BUSY, reason=f"skipped: {route.reason}", rule=route.rule
    )
