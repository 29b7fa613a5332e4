"""The initial backfills that wait, captured on this machine: small ones first, several at a time, then the report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gh_backfill.engine.processes import worker_name
from gh_backfill.engine.recover import recover
from gh_backfill.errors import StoreError, StoreUnavailable
from gh_backfill.policy.initial import next_of, place
from gh_backfill.settings import Settings
from gh_backfill.store import backfill_batches, jobs, repositories
from gh_backfill.store.backfill_batches import Queued
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.store.repositories import Status
from gh_backfill.tasks import children, connect
from gh_backfill.tasks.captures import Lanes, side_by_side
from gh_backfill.tasks.children import Child
from gh_backfill.tasks.not_now import NOT_NOW
from gh_backfill.tasks.report.report import Report, report
from gh_backfill.tasks.scene import Look, Scene

log = logging.getLogger(__name__)

REASON = "initial backfill"
# In seconds: how often the queue is looked at, and how long a process waits for work that may come.
LOOK_EVERY = 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Worked:
    """What was captured; None and none where nothing waited."""

    report: Report | None
    log: Path | None
    states: Sequence[Status] = ()


def work(
    settings: Settings,
    db: Database,
    *,
    workers: int,
    show: Callable[[Scene], None],
    say: Callable[[str], None],
    only: Sequence[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Worked:
    """Capture what waits for its initial backfill until nothing does; `only` these repositories, by our id.

    What is added meanwhile is taken too.  One that ended is taken again only when somebody lets it go on, or its pause
    is over.  Raises StoreError where the database refused to let one begin; the others are done.
    """
    run = connect.this_run(settings)
    settings = settings.model_copy(update={"run_key": run.key})
    recover(db, list(only) if only is not None else None)
    queue = _Queue(db=db, run=run, only=only, clock=clock)
    if not queue.waits():
        return Worked(report=None, log=None)
    written = children.new_log(settings.data_folder / "logs", run.key)
    scene = Look(db, queue.taken)

    def look(running: Sequence[Child]) -> None:
        scene.show([child.repository_id for child in running], show)

    lanes = Lanes(settings=settings, log=written, workers=workers, look=look, say=say)
    side_by_side(db, lanes, queue.take, more=queue.waits)
    if not queue.taken:  # other processes were quicker each time: there is nothing of ours to report
        written.unlink(missing_ok=True)
        queue.raise_refusal()
        return Worked(report=None, log=None)
    done = persistently(lambda: report(db, run.key), time.sleep)
    states = persistently(lambda: _states(db, queue.taken), time.sleep)
    queue.raise_refusal()
    return Worked(report=done, log=written, states=states)


def _states(db: Database, ids: Sequence[str]) -> Sequence[Status]:
    with db.reading() as tx:
        return repositories.status(tx, ids, spent=True)


@dataclass(kw_only=True, slots=True)
class _Queue:
    """The database's queue as this process takes from it: each repository once, and again when it changed since."""

    db: Database
    run: Run
    only: Sequence[str] | None
    clock: Callable[[], float]
    worker: str = field(default_factory=worker_name)
    taken: list[str] = field(default_factory=list)
    _ended: dict[str, datetime] = field(default_factory=dict)
    _at_work: dict[str, Queued] = field(default_factory=dict)
    _waiting: list[Queued] = field(default_factory=list)
    _refused: dict[str, StoreError] = field(default_factory=dict)
    _looked: float | None = None
    _blind: bool = False

    def take(self, running: Sequence[Child]) -> tuple[Queued, int | None] | None:
        """Return the next one, its job written; None where none may begin now."""
        self._look({child.repository_id for child in running})
        owners = [each.owner for each in self._at_work.values()]
        while (at := next_of(self._waiting, owners, lambda each: each.owner if each.alone else None)) is not None:
            taken = self._waiting.pop(at)
            try:
                if not self._begin(taken):
                    continue  # another process was quicker
            except StoreError as error:  # the others go on
                self._not_begun(taken, error)
                return None
            self._at_work[taken.id] = taken
            if taken.id not in self.taken:
                self.taken.append(taken.id)
            return taken, None
        return None

    def _begin(self, taken: Queued) -> bool:
        """Write the job of one that was waiting a moment ago; False where it waits no more."""
        with self.db.transaction() as tx:
            waits = backfill_batches.lock(tx, taken.id)
            if waits:
                jobs.plan(tx, self.run, [(taken.id, REASON, None)], worker=self.worker)
        return waits

    def _not_begun(self, taken: Queued, error: StoreError) -> None:
        """Have one looked for again that the database has no time for now; what it refuses is not tried again."""
        log.warning("%s can't be begun now: %s", taken.full_name, error)
        if isinstance(error, (StoreUnavailable, *NOT_NOW)):
            self._looked = None
        else:
            self._refused[taken.id] = error

    def raise_refusal(self) -> None:
        """Raise what the database said first of one that it refused to let begin, if there is any."""
        for error in self._refused.values():
            raise error

    def waits(self) -> bool:
        """Say whether something may begin now; a database that is away is waited for, as long as is sensible."""
        self._look(set(self._at_work))
        if self._blind:
            persistently(lambda: self._read(set(self._at_work)), time.sleep)
        return bool(self._waiting)

    def _look(self, running: set[str]) -> None:
        ended = [id_ for id_ in self._at_work if id_ not in running]
        now = self.clock()
        if not ended and self._looked is not None and now - self._looked < LOOK_EVERY:
            return
        self._looked = now
        try:
            self._read(running)
        except StoreError:  # the captures have their own patience with the database
            self._blind = True

    def _read(self, running: set[str]) -> None:
        """Read the queue, and forget those that are not at work any more."""
        with self.db.reading() as tx:
            queued = {each.id: each for each in backfill_batches.queue(tx)}
        self._blind = False
        for id_ in [each for each in self._at_work if each not in running]:
            del self._at_work[id_]
            if id_ in queued:
                self._ended[id_] = queued[id_].updated_at
        waiting = [each for each in queued.values() if self._may_begin(each)]
        self._waiting = sorted(waiting, key=lambda each: place(each.wanted or 0, each.pushed_at))

    def _may_begin(self, each: Queued) -> bool:
        if each.id in self._at_work or each.id in self._refused or (self.only is not None and each.id not in self.only):
            return False
        return each.id not in self._ended or each.updated_at > self._ended[each.id]
