"""The run of an aggressive backfill: one worker at a time, step after step, each with its state, and the checklist."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from gh_backfill.engine import processes
from gh_backfill.errors import BackfillError, RateLimited, StoreError
from gh_backfill.policy.aggressive.checklist import DATA, CheckLine, unheld
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import TITLES, AggressiveStatus, AggressiveStep, StepStatus
from gh_backfill.policy.estimate import duration
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.aggressive.done import AggressiveDone
from gh_backfill.tasks.aggressive.sync_step import LOOK_AGAIN, StepEnd, ended_by

log = logging.getLogger(__name__)

# In seconds: so often a worker tells of itself.
BEAT = 30.0
# What came while the last step ran is read before it counts as missing.
RECOUNTS = 2
LOST = StepEnd(status=StepStatus.PENDING, told="it was cancelled, or another worker has it")
# Does a step, at most until then, and asks now and then whether it is to go on.
Work = Callable[[AggressiveBackfill, datetime | None, Callable[[], bool]], StepEnd]
Kept = TypeVar("Kept")


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveWork:
    """All that a run works with: what does each step, and what checks the whole.

    `listen` hears of each step that begins, and ends.  `wait` is how long the end of the data sync is waited for, and
    `deadline` when the other steps stop; None of either: as long as it takes.  Who is `patient` waits out, as long, an
    error that passes by itself.
    """

    db: Database
    run_key: str
    steps: Mapping[AggressiveStep, Work]
    check: Callable[[AggressiveBackfill], Sequence[CheckLine]]
    listen: Callable[[AggressiveBackfill, AggressiveStep, StepEnd | None], None]
    wait: timedelta | None = None
    deadline: datetime | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = lambda seconds: None
    beat: float = BEAT
    patient: bool = True


def run(
    work: AggressiveWork, backfill: AggressiveBackfill, wanted: frozenset[AggressiveStep] | None = None
) -> AggressiveDone:
    """Do the steps that are left, of these that are wanted (None: all), and check the whole once all are done.

    What another worker has is waited for.  A step that fails, or has to wait, ends the run: the next one goes on with
    it.  Raises KeyboardInterrupt after a signal, and StoreError where the database is away.
    """
    worker = processes.worker_name()
    ends = [work.now() + work.wait] if work.wait is not None else []
    until = min([*ends, *([work.deadline] if work.deadline is not None else [])], default=None)
    while not _claimed(work, backfill, worker):
        backfill = _read(work, backfill)
        if backfill.over:
            return AggressiveDone(backfill=backfill)
        if until is None or work.now() + timedelta(seconds=LOOK_AGAIN) >= until:
            return AggressiveDone(backfill=backfill, busy=True)
        work.sleep(LOOK_AGAIN)
    with _beating(work, backfill, worker) as goes_on:
        own = _Run(work=work, worker=worker, until=until, goes_on=goes_on, wanted=wanted)
        return own.of(_read(work, backfill))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """A run of one worker; `wanted` are the steps that it may do (None: all), others that are left wait for another."""

    work: AggressiveWork
    worker: str
    until: datetime | None
    goes_on: Callable[[], bool]
    wanted: frozenset[AggressiveStep] | None

    def of(self, backfill: AggressiveBackfill) -> AggressiveDone:
        """Do what is left of it, and check the whole; what came meanwhile is read before it counts as missing."""
        points, rounds = 0, 0
        last: tuple[CheckLine, ...] = ()
        while True:
            backfill, end = self._steps(backfill)
            points += end.points
            checked = end if end.status in (StepStatus.PENDING, StepStatus.FAILED) else self._checked(backfill)
            if isinstance(checked, StepEnd):
                if not self._waited_out(backfill, checked):
                    return self._over(backfill, checked, points)
                backfill = _read(self.work, backfill)
                continue
            if rounds < RECOUNTS and _behind(checked) and checked != last:
                backfill, rounds, last = self._once_more(backfill), rounds + 1, checked
                continue
            wrong = unheld(checked)
            status = AggressiveStatus.FAILED if wrong else AggressiveStatus.COMPLETED
            told = "; ".join(f"{each.name}: {each.detail}" for each in wrong) or "complete"
            if self._end(backfill, status, told, checked, points) or not self.goes_on():
                return AggressiveDone(backfill=_read(self.work, backfill))
            if (backfill := _read(self.work, backfill)).over or backfill.worker != self.worker:
                return AggressiveDone(backfill=backfill)

    def _steps(self, backfill: AggressiveBackfill) -> tuple[AggressiveBackfill, StepEnd]:
        """Do one step after the other, each by the wish as it is then; returns the backfill, and how the last ended."""
        points, left = 0, ""
        for step in AggressiveStep:
            while step in backfill.steps and not backfill.steps[step].over:
                if self.wanted is not None and step not in self.wanted:
                    left = left or f"{TITLES[step]} is left to another run"
                    break
                end = self._step(backfill, step)
                points += end.points
                if end.status in (StepStatus.PENDING, StepStatus.FAILED):
                    told = f"{TITLES[step]}: {end.told}"
                    return backfill, replace(end, told=told, points=points)
                backfill = _read(self.work, backfill)
        status = StepStatus.PENDING if left else StepStatus.COMPLETED
        return backfill, StepEnd(status=status, told=left, points=points)

    def _waited_out(self, backfill: AggressiveBackfill, end: StepEnd) -> bool:
        """Wait until an error that passes is worth another try; False where that is too late, or it does not pass."""
        if end.status is not StepStatus.PENDING or end.resume_at is None or not self.work.patient:
            return False
        if not self.goes_on() or (self.until is not None and end.resume_at >= self.until):
            return False
        wait = max(1.0, (end.resume_at - self.work.now()).total_seconds())
        log.warning("%s: %s; trying again in %s", backfill.full_name, end.told, duration(wait))
        self._kept(backfill, None, lambda: self._slept(wait))
        return self.goes_on()

    def _slept(self, seconds: float) -> StepEnd:
        self.work.sleep(seconds)
        return StepEnd(status=StepStatus.COMPLETED, told="")

    def _once_more(self, backfill: AggressiveBackfill) -> AggressiveBackfill:
        """Let the steps be done again for what came meanwhile."""

        def again(tx: Transaction) -> bool:
            for step in backfill.steps:
                if backfill.steps[step].status is StepStatus.COMPLETED:
                    store.end_step(tx, backfill, step, StepStatus.PENDING, "once more", worker=self.worker)
            return True

        self._store(again)
        return _read(self.work, backfill)

    def _step(self, backfill: AggressiveBackfill, step: AggressiveStep) -> StepEnd:
        """Do a step, and note how it ended, also where it ended badly."""
        if not self._store(lambda tx: store.begin_step(tx, backfill.id, step, worker=self.worker)):
            return LOST
        self.work.listen(backfill, step, None)
        until = self.until if step is AggressiveStep.SYNC else self.work.deadline
        end = self._kept(backfill, step, lambda: self.work.steps[step](backfill, until, self.goes_on))
        told, status = end.told, end.status
        if not self._store(lambda tx: store.end_step(tx, backfill, step, status, told, worker=self.worker)):
            return replace(LOST, points=end.points)
        self.work.listen(backfill, step, end)
        return end

    def _checked(self, backfill: AggressiveBackfill) -> tuple[CheckLine, ...] | StepEnd:
        """Return the checklist, or the end of the run where it could not be made."""
        found: list[CheckLine] = []

        def check() -> StepEnd:
            found.extend(self.work.check(backfill))
            return StepEnd(status=StepStatus.COMPLETED, told="")

        end = self._kept(backfill, None, check)
        told = f"Verification checklist: {end.told}"
        return tuple(found) if end.status is StepStatus.COMPLETED else replace(end, told=told)

    def _kept(self, backfill: AggressiveBackfill, step: AggressiveStep | None, do: Callable[[], StepEnd]) -> StepEnd:
        """Do a part of the work, and return its end whatever ends it; after a signal it is given back."""
        try:
            return do()
        except RateLimited as error:
            return StepEnd(status=StepStatus.PENDING, told=str(error), resume_at=error.resume_at)
        except StoreError:
            raise
        except BackfillError as error:
            return ended_by(error, self.work.now())
        except KeyboardInterrupt:
            if not self.goes_on():  # it was cancelled, or another worker has it
                return LOST
            self._interrupted(backfill, step)
            raise

    def _interrupted(self, backfill: AggressiveBackfill, step: AggressiveStep | None) -> None:
        """Give it back at once, so that nobody has to wait until the worker counts as silent."""
        told = "interrupted"
        try:
            with self.work.db.transaction() as tx:
                if step is not None:
                    store.end_step(tx, backfill, step, StepStatus.PENDING, told, worker=self.worker)
                store.leave(tx, backfill.id, worker=self.worker, reason=told, not_before=None, points=0)
        except StoreError as error:
            log.warning("%s: that it was interrupted could not be stored: %s", backfill.full_name, error)

    def _over(self, backfill: AggressiveBackfill, end: StepEnd, points: int) -> AggressiveDone:
        """Leave it for another time, or end it for a step that failed."""
        if end.status is StepStatus.FAILED:
            self._end(backfill, AggressiveStatus.FAILED, end.told, None, points)
        else:
            self._store(
                lambda tx: store.leave(
                    tx, backfill.id, worker=self.worker, reason=end.told, not_before=end.resume_at, points=points
                )
            )
        return AggressiveDone(backfill=_read(self.work, backfill), error=end.error, points=points)

    def _end(
        self,
        backfill: AggressiveBackfill,
        status: AggressiveStatus,
        reason: str,
        checklist: Sequence[CheckLine] | None,
        points: int,
    ) -> bool:
        return self._store(
            lambda tx: store.end(
                tx,
                backfill,
                worker=self.worker,
                status=status,
                reason=reason,
                checklist=checklist,
                points=points,
            )
        )

    def _store(self, write: Callable[[Transaction], Kept]) -> Kept:
        def once() -> Kept:
            with self.work.db.transaction() as tx:
                return write(tx)

        return persistently(once, self.work.sleep)


def _behind(checked: Sequence[CheckLine]) -> bool:
    """Say whether more is at GitHub than here."""
    return any(each.holds is False for each in checked if "GitHub" in each.name or each.name == DATA)


def _claimed(work: AggressiveWork, backfill: AggressiveBackfill, worker: str) -> bool:
    gone = processes.dead([backfill.worker] if backfill.worker is not None else [])

    def claim() -> bool:
        with work.db.transaction() as tx:
            for each in gone:
                store.take_back(tx, backfill.id, worker=each)
            return store.claim(tx, backfill.id, worker=worker, run_key=work.run_key)

    return persistently(claim, work.sleep)


def _read(work: AggressiveWork, backfill: AggressiveBackfill) -> AggressiveBackfill:
    with work.db.reading() as tx:
        (found,) = store.standing(tx, [backfill.repository_id])
    return found


@contextmanager
def _beating(work: AggressiveWork, backfill: AggressiveBackfill, worker: str) -> Iterator[Callable[[], bool]]:
    """Tell from a thread of its own, as long as the block runs, that the worker lives; yield whether it is to go on."""
    over, lost = threading.Event(), threading.Event()

    def beats() -> None:
        while not over.wait(work.beat):
            try:
                with work.db.another() as own, own.transaction() as tx:
                    if not store.beat(tx, backfill.id, worker=worker):
                        lost.set()
            except StoreError as error:
                log.debug("a beat was not stored: %s", error)

    thread = threading.Thread(target=beats, name="aggressive-beat", daemon=True)
    thread.start()
    try:
        yield lambda: not lost.is_set()
    finally:
        over.set()
        thread.join(work.beat)
