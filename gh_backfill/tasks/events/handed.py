"""Hand repositories over to gh-datpipe, one after the other, and ask what became of them, or end that.

The service writes where everybody may read, so only what is known to be public is named to it.  Our job of each ends in
order when the service has it, and gets the service's last word when that is asked for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gh_backfill.clients.datpipe import NOT_FOUND, UNAVAILABLE, Datpipe, DatpipeJob
from gh_backfill.engine import interrupts
from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import (
    BackfillError,
    ConfigurationError,
    DatpipeError,
    DatpipeFailed,
    StoreError,
)
from gh_backfill.models.github import Spent
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.events.handed import APART, ENDINGS, HandedState, state_of
from gh_backfill.policy.ledger import ErrorType, JobOutcome, JobType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.settings import Settings
from gh_backfill.store import handed, jobs
from gh_backfill.store.db import Database
from gh_backfill.store.handed import HandedJob, HandedStanding
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.events import many
from gh_backfill.tasks.events.told import HandedOver

log = logging.getLogger(__name__)

PRIVATE = "is not known to be public, and gh-datpipe writes where everybody reads: leave out --via datpipe"
NOT_HANDED = "was never handed over: there is no job to ask about"


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """The way to the service and to the ledger, and the clock in between."""

    db: Database
    datpipe: Datpipe
    run: jobs.Run
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    goes_on: Callable[[], bool] = lambda: True

    def hand_over(self, names: Sequence[str], days: int) -> Iterator[HandedOver]:
        """Yield what became of each repository as it is handed over, a second apart.

        What would keep every repository from the service ends the rest, of which it is said that they were not begun.
        """
        return self._each(names, lambda repository, _: self._handed(repository, days), public_only=True)

    def ask(self, names: Sequence[str]) -> Iterator[HandedOver]:
        """Yield how the last job of each repository stands, and write that down."""

        def asking(repository: TrackedRepository, standing: HandedStanding) -> HandedOver:
            job = _required(repository, standing)
            return self._told(repository, job, self.datpipe.status(job.job_id, job.status_url))

        return self._each(names, asking)

    def cancel(self, names: Sequence[str]) -> Iterator[HandedOver]:
        """Yield what became of the last job of each repository when it was to be ended, and write that down."""

        def cancelling(repository: TrackedRepository, standing: HandedStanding) -> HandedOver:
            job = _required(repository, standing)
            return self._told(repository, job, self.datpipe.cancel(job.job_id))

        return self._each(names, cancelling)

    def _each(
        self,
        names: Sequence[str],
        action: Callable[[TrackedRepository, HandedStanding], HandedOver],
        *,
        public_only: bool = False,
    ) -> Iterator[HandedOver]:
        """Yield what an action makes of each repository; its errors are told, and what all would meet ends the rest."""
        repositories, standings, lost = _known(self.db, names, public_only=public_only)
        yield from lost
        over: BackfillError | None = None
        asked = False
        for repository in repositories:
            done = HandedOver(name=repository.full_name, repository=repository)
            if over is not None or not self.goes_on():
                yield replace(done, error=over, not_begun=True)
                continue
            if asked:
                self.sleep(APART)
            asked = True
            try:
                yield action(repository, standings[repository.id])
            except (DatpipeError, ConfigurationError) as error:
                over = error if isinstance(error, DatpipeError) and error.shared else None
                yield replace(done, error=error)

    def _handed(self, repository: TrackedRepository, days: int) -> HandedOver:
        ledger_id = persistently(lambda: self._start(repository), self.sleep)
        job: DatpipeJob | None = None
        failure: BaseException | None = None
        try:
            job = self.datpipe.trigger(repository.full_name, days)
        except BaseException as error:
            failure = error
            if isinstance(error, DatpipeFailed) and error.job_id is not None:
                job = DatpipeJob(id=error.job_id, status=HandedState.FAILED)
            raise
        finally:
            with interrupts.shielded():
                self._finish(ledger_id, job, failure, days)
        return HandedOver(name=repository.full_name, repository=repository, job=job)

    def _start(self, repository: TrackedRepository) -> str:
        with self.db.transaction() as tx:
            return jobs.start(tx, self.run, repository.id, worker=worker_name(), job_type=JobType.EVENTS)

    def _finish(self, ledger_id: str, job: DatpipeJob | None, failure: BaseException | None, days: int) -> None:
        """Write how the handing over ended; should that fail, the log keeps the id of the job."""
        status, outcome = ENDINGS[HandedState.FAILED if job is None else state_of(job.status)]
        if isinstance(failure, KeyboardInterrupt):
            status, outcome = JobStatus.CANCELLED, JobOutcome.CANCELLED
        elif failure is not None:
            status, outcome = ENDINGS[HandedState.FAILED]
        finishing = jobs.finishing(
            ledger_id,
            status=status,
            outcome=outcome,
            error=_error_of(job, failure),
            error_type=None if failure is None else error_type(failure),
            spent=Spent(),
            chunks=0,
            items=0,
            warnings=0,
        )

        def write() -> None:
            with self.db.transaction() as tx:
                if job is not None:
                    handed.note(
                        tx,
                        ledger_id,
                        job_id=job.id,
                        status=job.status,
                        at=self.now(),
                        status_url=job.status_url,
                        days=days,
                    )
                jobs.finish(tx, finishing)

        try:
            persistently(write, self.sleep)
        except StoreError:
            if job is not None:
                log.error("gh-datpipe has job %s, which could not be written down", job.id)  # noqa: TRY400
            raise

    def _told(self, repository: TrackedRepository, known: HandedJob, job: DatpipeJob) -> HandedOver:
        """Write down what the service told of a job."""
        state = state_of(job.status)
        status, outcome = ENDINGS[state]
        done = HandedOver(name=repository.full_name, repository=repository, job=job)

        def write() -> None:
            with self.db.transaction() as tx:
                handed.note(tx, known.ledger_id, job_id=job.id, status=job.status, at=self.now())
                handed.end(
                    tx,
                    known.ledger_id,
                    status=status,
                    outcome=outcome,
                    error=None if state is HandedState.COMPLETED else done.text,
                    error_type=ErrorType.UNEXPECTED if state is HandedState.FAILED else None,
                )

        persistently(write, self.sleep)
        return done


def datpipe(settings: Settings) -> Datpipe:
    """Return the way to the service; raises ConfigurationError where its key is missing."""
    if settings.datpipe_key is None:
        raise ConfigurationError(
            f"{UNAVAILABLE}: GH_DATPIPE_KEY is missing (gh-datpipe knows us by it): set it, or leave out --via datpipe"
        )
    return Datpipe(
        url=settings.datpipe_api_url,
        key=settings.datpipe_key.get_secret_value(),
        status_path=settings.datpipe_status_path,
        cancel_path=settings.datpipe_cancel_path,
    )


def outlook(db: Database, names: Sequence[str], days: int) -> list[many.EventsOutlook]:
    """Say what would be handed over, and which job the service has, from a read-only connection; nothing is sent."""
    repositories, standings, lost = _known(db, names, public_only=True)
    told = [many.EventsOutlook(name=each.name, text=f"{each.name}: {each.text}") for each in lost]
    for repository in repositories:
        job = standings[repository.id].job
        last = "has no job of it" if job is None else f"has job {job.job_id} of it ({job.status})"
        text = f"{repository.full_name}: {counted(days, 'day')} for gh-datpipe, which {last}"
        told.append(many.EventsOutlook(name=repository.full_name, text=text))
    return told


def _known(
    db: Database, names: Sequence[str], *, public_only: bool
) -> tuple[list[TrackedRepository], dict[str, HandedStanding], list[HandedOver]]:
    """Return the repositories that may be named to the service, how they stand, and what is said of the others.

    Without `public_only` nothing of them but their jobs is named, so all may.
    """
    found, unknown = many.found(db, names)
    lost = [_lost(each.name, None, f"{NOT_FOUND}: {each.error}") for each in unknown]
    with db.reading() as tx:
        standings = dict(handed.standing(tx, [each.id for each in found]))
    private = [each for each in found if public_only and not standings[each.id].is_public]
    lost += [_lost(each.full_name, each, f"{UNAVAILABLE}: {each.full_name} {PRIVATE}") for each in private]
    return [each for each in found if each not in private], standings, lost


def _lost(name: str, repository: TrackedRepository | None, text: str) -> HandedOver:
    return HandedOver(name=name, repository=repository, error=ConfigurationError(text))


def _required(repository: TrackedRepository, standing: HandedStanding) -> HandedJob:
    if standing.job is None:
        raise ConfigurationError(f"{NOT_FOUND}: {repository.full_name} {NOT_HANDED}")
    return standing.job


def _error_of(job: DatpipeJob | None, failure: BaseException | None) -> str | None:
    """Return what the ledger says of a job that is not done."""
    if failure is not None:
        return "interrupted" if isinstance(failure, KeyboardInterrupt) else str(failure)
    if job is None or state_of(job.status) is HandedState.COMPLETED:
        return None
    return f"gh-datpipe has it as job {job.id}: {job.status}"
