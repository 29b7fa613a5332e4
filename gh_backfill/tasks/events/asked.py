"""Backfills of events that somebody asked for: written down, taken by whoever can fetch, cancelled, told of."""

from __future__ import annotations

import queue
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.asked import AskedEvents, BatchEnd, ClaimedEvents
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.markdown import counted
from gh_backfill.store import asked_events, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.events import many
from gh_backfill.tasks.events.fetching import Ways, fetch
from gh_backfill.tasks.events.many import PARALLEL
from gh_backfill.tasks.events.side_by_side import EventsTold, side_by_side
from gh_backfill.tasks.events.wish import DAYS, MOST_DAYS, EventsFound, EventsWish

# The processor of a job that nobody has taken yet.
NOBODY = "local"


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedTogether:
    """What was asked for: of so many repositories anew; how each of all stands, by our id."""

    new: int
    standing: Mapping[str, AskedEvents]

    @property
    def text(self) -> str:
        """Say it in a sentence."""
        going = len(self.standing) - self.new
        if not self.new:
            return f"{counted(going, 'backfill')} waits or runs already." if going == 1 else "All wait or run already."
        more = f" {going:,} more wait or run already." if going else ""
        return f"Backfill started for {counted(self.new, 'repository')}.{more}"


def ask(db: Database, repository_ids: Sequence[str], *, days: int | None, who: str, now: datetime) -> AskedTogether:
    """Ask for the events of repositories that are here; what waits or runs already goes on as it was asked for.

    Raises ConfigurationError for days that are none.
    """
    wanted = DAYS if days is None else days
    if not 1 <= wanted <= MOST_DAYS:
        raise ConfigurationError(f"days must be a whole number from 1 to {MOST_DAYS:,}, not {wanted}")
    with db.transaction() as tx:
        new = asked_events.ask(tx, repository_ids, days=wanted, batch=uuid.uuid4().hex, who=who, processor=NOBODY)
        return AskedTogether(new=new, standing=asked_events.standing(tx, repository_ids, now))


def asked_for(db: Database, name: str, *, days: int | None, who: str, now: datetime) -> AskedEvents:
    """Ask for the events of one repository, by any of its names; raises ConfigurationError where it is not here."""
    with db.reading() as tx:
        known = repositories.find(tx, [name])[name]
    if known is None:
        raise ConfigurationError(f"{name} is not here: add it first")
    return ask(db, [known.id], days=days, who=who, now=now).standing[known.id]


def is_id(text: str) -> bool:
    """Say whether a text can be the id of a job."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def standing(db: Database, repository_ids: Sequence[str], now: datetime) -> dict[str, AskedEvents]:
    """Return how the events of repositories stand, by our id."""
    with db.reading() as tx:
        return asked_events.standing(tx, repository_ids, now)


def waits(db: Database) -> bool:
    """Say whether anything was asked for that nobody has taken yet, and whose time has come."""
    with db.reading() as tx:
        return asked_events.waits(tx)


def cancel(db: Database, repository_ids: Sequence[str], *, who: str) -> int:
    """Cancel what is not over of these repositories, and return how many that were; what was read stays."""
    with db.transaction() as tx:
        return asked_events.cancel(tx, repository_ids=repository_ids, who=who)


def cancel_job(db: Database, job_id: str, *, who: str) -> bool:
    """Cancel one backfill; False where it is over already."""
    with db.transaction() as tx:
        return asked_events.cancel(tx, job_id=job_id, who=who) > 0


@dataclass(kw_only=True)
class AskedWork:
    """The fetching of what was asked for, until nothing waits; `open_ways` opens what one thread uses alone."""

    run: Run
    open_ways: Callable[[], AbstractContextManager[Ways]]
    goes_on: Callable[[], bool] = lambda: True
    parallel: int = PARALLEL
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _over: threading.Event = field(default_factory=threading.Event)
    _told: EventsTold = field(default_factory=queue.SimpleQueue)

    def each(self) -> Iterator[EventsFound]:
        """Return what becomes of each as it ends, some at a time.  Raises what kept all from it."""
        return side_by_side(self._work, self.parallel, told=self._told, over=self._over, name="asked-events")

    def _work(self) -> None:
        try:
            with self.open_ways() as ways:
                while self._continues() and (claimed := self._claim(ways)) is not None:
                    self._told.put(self._one(ways, claimed))
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that asked for the work)
            self._over.set()
            self._told.put(error)

    def _one(self, ways: Ways, claimed: ClaimedEvents) -> EventsFound:
        repository = find(ways.db, claimed.repository_id, (PULL_REQUESTS,))

        def settle(tx: Transaction, done: EventsFound) -> None:
            if done.resume_at is not None:
                asked_events.ask_again(tx, claimed.id, done.resume_at)

        done = fetch(
            ways,
            self.run,
            repository,
            EventsWish.of(self.now(), days=claimed.days),
            goes_on=self._continues,
            job_id=claimed.id,
            settle=settle,
        )
        if many.is_shared(done):
            self._over.set()
        return done

    def _claim(self, ways: Ways) -> ClaimedEvents | None:
        def claim() -> ClaimedEvents | None:
            with ways.db.transaction() as tx:
                return asked_events.claim(tx, self.run, worker=worker_name())

        return persistently(claim, ways.sleep)

    def _continues(self) -> bool:
        return not self._over.is_set() and self.goes_on()


def ended(db: Database) -> list[BatchEnd]:
    """Return what was asked for together and is over; each batch is returned once, to whoever asks first."""
    with db.transaction() as tx:
        return asked_events.ended(tx)


def told(found: Sequence[EventsFound]) -> str:
    """Say how many were fetched, and how many were not."""
    failed = sum(each.failed for each in found)
    stopped = sum(each.resume_at is not None for each in found)
    parts = [f"{counted(len(found) - failed - stopped, 'repository')} fetched"]
    parts += [f"{failed:,} failed"] if failed else []
    return ", ".join(parts + ([f"{stopped:,} stopped before their end"] if stopped else []))
