"""The run of an aggressive backfill: one worker at a time, step after step, each with its state, and the checklist."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from gh_backfill.engine import processes
from gh_backfill.errors import BackfillError, PartlyFailed, RateLimited, StoreError
from gh_backfill.policy.aggressive.checklist import CheckLine, unheld
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import TITLES, AggressiveStatus, AggressiveStep, StepStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.store import aggressive as store
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.aggressive.sync_step import LOOK_AGAIN, StepEnd, ended_by

log = logging.getLogger(__name__)

# In seconds: so often a worker tells of itself.
BEAT = 30.0
Work = Callable[[AggressiveBackfill, datetime | None], StepEnd]


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveWork:
    """All that a run works with: what does each step, and what checks the whole.

    `listen` hears of each step that begins, and ends.  `wait` is how long the end of the data sync is waited for, and
    `deadline` when the other steps stop; None of either: as long as it takes.
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


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveDone:
    """What a run came to: how the backfill stands now, and the error of the step that ended it.

    With an error that passes by itself it is pending all the same.  `busy` says that another worker has it.
    """

    backfill: AggressiveBackfill
    error: BackfillError | None = None
    busy: bool = False

    @property
    def unheld(self) -> list[CheckLine]:
        """Return the lines of the checklist that do not hold."""
        return unheld(self.backfill.checklist)

    @property
    def failed(self) -> bool:
        """Say whether it failed, now or for good."""
        return self.error is not None or self.backfill.status is AggressiveStatus.FAILED

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {**self.backfill.as_json(), "busy": self.busy}


def run(work: AggressiveWork, backfill: AggressiveBackfill) -> AggressiveDone:
    """Do the steps that are left, and check the whole.

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
        return _Run(work=work, worker=worker, until=until, goes_on=goes_on).of(_read(work, backfill))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    work: AggressiveWork
    worker: str
    until: datetime | None
    goes_on: Callable[[], bool]

    def of(self, backfill: AggressiveBackfill) -> AggressiveDone:
        points = 0
        for step in backfill.steps:
            if backfill.steps[step].over:
                continue
            if not self.goes_on():  # somebody cancelled it
                return AggressiveDone(backfill=_read(self.work, backfill))
            end = self._step(backfill, step)
            points += end.points
            if end.status is StepStatus.PENDING:
                self._leave(backfill, f"{TITLES[step]}: {end.told}", end.resume_at, points)
                return AggressiveDone(backfill=_read(self.work, backfill), error=end.error)
            if end.status is StepStatus.FAILED:
                self._end(backfill, AggressiveStatus.FAILED, f"{TITLES[step]}: {end.told}", (), points)
                return AggressiveDone(backfill=_read(self.work, backfill), error=end.error)
        checked = self.work.check(backfill)
        wrong = unheld(checked)
        status = AggressiveStatus.FAILED if wrong else AggressiveStatus.COMPLETED
        told = "; ".join(f"{each.name}: {each.detail}" for each in wrong) or "complete"
        self._end(backfill, status, told, checked, points)
        return AggressiveDone(backfill=_read(self.work, backfill))

    def _step(self, backfill: AggressiveBackfill, step: AggressiveStep) -> StepEnd:
        """Do a step, and note how it ended, also where it ended badly."""
        self._store(lambda tx: store.begin_step(tx, backfill.id, step))
        self.work.listen(backfill, step, None)
        until = self.until if step is AggressiveStep.SYNC else self.work.deadline
        try:
            end = self.work.steps[step](backfill, until)
        except RateLimited as error:
            end = StepEnd(status=StepStatus.PENDING, told=str(error), resume_at=error.resume_at)
        except StoreError:
            raise
        except BackfillError as error:
            end = ended_by(error, self.work.now())
        except KeyboardInterrupt:
            self._interrupted(backfill, step)
            raise
        self._store(lambda tx: store.end_step(tx, backfill.id, step, end.status, end.told))
        self.work.listen(backfill, step, end)
        return end

    def _interrupted(self, backfill: AggressiveBackfill, step: AggressiveStep) -> None:
        """Give it back at once, so that nobody has to wait until the worker counts as silent."""
        told = "interrupted"
        try:
            with self.work.db.transaction() as tx:
                store.end_step(tx, backfill.id, step, StepStatus.PENDING, told)
                store.leave(tx, backfill.id, worker=self.worker, reason=told, not_before=None, points=0)
        except StoreError as error:
            log.warning("%s: that it was interrupted could not be stored: %s", backfill.full_name, error)

    def _leave(self, backfill: AggressiveBackfill, reason: str, not_before: datetime | None, points: int) -> None:
        self._store(
            lambda tx: store.leave(
                tx, backfill.id, worker=self.worker, reason=reason, not_before=not_before, points=points
            )
        )

    def _end(
        self,
        backfill: AggressiveBackfill,
        status: AggressiveStatus,
        reason: str,
        checklist: Sequence[CheckLine],
        points: int,
    ) -> None:
        self._store(
            lambda tx: store.end(
                tx,
                backfill.id,
                worker=self.worker,
                status=status,
                reason=reason,
                checklist=checklist,
                points=points,
            )
        )

    def _store(self, write: Callable[[Transaction], None]) -> None:
        def once() -> None:
            with self.work.db.transaction() as tx:
                write(tx)

        persistently(once, self.work.sleep)


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
        with work.db.another() as own:
            while not over.wait(work.beat):
                try:
                    with own.transaction() as tx:
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


def told(done: AggressiveDone) -> str:
    """Say in a line what a run came to."""
    found = done.backfill
    match found.status:
        case AggressiveStatus.COMPLETED:
            return f"complete, {counted(found.points, 'point')}"
        case AggressiveStatus.PENDING:
            return f"goes on: {found.reason or 'it waits for its turn'}"
        case AggressiveStatus.PROCESSING:
            return "another worker is at it: it goes on"
        case status:
            return f"{status}: {found.reason}"


def raise_failures(done: Sequence[AggressiveDone]) -> None:
    """Raise the error that runs end in: that of the one step that failed, or what names the lines that do not hold."""
    failed = [each for each in done if each.failed]
    if not failed:
        return
    if len(failed) == len(done) == 1 and failed[0].error is not None:
        raise failed[0].error
    message = "; ".join(f"{each.backfill.full_name}: {each.backfill.reason}" for each in failed)
    raise PartlyFailed(message)
