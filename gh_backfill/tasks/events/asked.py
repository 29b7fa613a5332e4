"""Backfills of events that somebody asked for: written down, taken by whoever can fetch, cancelled, told of."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.asked import AskedEvents, BatchEnd, ClaimedEvents
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.markdown import counted
from gh_backfill.store import asked_events, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.events.fetching import Ways, fetch
from gh_backfill.tasks.events.many import PARALLEL, SHARED
from gh_backfill.tasks.events.wish import DAYS, MOST_DAYS, EventsFound, EventsWish

# The processor of a job that nobody has taken yet.
NOBODY = "local"


def ask(
    db: Database, repository_ids: Sequence[str], *, days: int | None, who: str, now: datetime
) -> tuple[str, dict[str, AskedEvents]]:
    """Ask for the events of repositories that are here; returns the batch, and how each stands, by our id.

    What waits or runs already goes on as it was asked for.  Raises ConfigurationError for days that are none.
    """
    wanted = DAYS if days is None else days
    if not 1 <= wanted <= MOST_DAYS:
        raise ConfigurationError(f"days must be a whole number from 1 to {MOST_DAYS:,}, not {wanted}")
    batch = uuid.uuid4().hex
    with db.transaction() as tx:
        asked_events.ask(tx, repository_ids, days=wanted, batch=batch, who=who, processor=NOBODY)
        return batch, asked_events.standing(tx, repository_ids, now)


def asked_for(db: Database, name: str, *, days: int | None, who: str, now: datetime) -> AskedEvents:
    """Ask for the events of one repository, by any of its names; raises ConfigurationError where it is not here."""
    with db.reading() as tx:
        known = repositories.find(tx, [name])[name]
    if known is None:
        raise ConfigurationError(f"{name} is not here: add it first")
    return ask(db, [known.id], days=days, who=who, now=now)[1][known.id]


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


@dataclass(kw_only=True)
class AskedWork:
    """The fetching of what was asked for, until nothing waits; `open_ways` opens what one thread uses alone.

    `ended` is told of each batch when its last repository has its end.
    """

    db: Database
    run: Run
    open_ways: Callable[[], AbstractContextManager[Ways]]
    goes_on: Callable[[], bool] = lambda: True
    parallel: int = PARALLEL
    ended: Callable[[BatchEnd], None] = lambda end: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _over: threading.Event = field(default_factory=threading.Event)

    def each(self) -> Iterator[EventsFound]:
        """Fetch one after the other, some at a time; returns what became of them.  Raises what kept all from it."""
        found: list[EventsFound] = []
        failed: list[BaseException] = []
        threads = [
            threading.Thread(target=self._work, args=(found, failed), name=f"asked-events-{number}", daemon=True)
            for number in range(max(1, self.parallel))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        yield from found

    def _work(self, found: list[EventsFound], failed: list[BaseException]) -> None:
        try:
            with self.open_ways() as ways:
                while self._continues() and (claimed := self._claim(ways.db)) is not None:
                    found.append(self._one(ways, claimed))
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that asked for the work)
            self._over.set()
            failed.append(error)

    def _one(self, ways: Ways, claimed: ClaimedEvents) -> EventsFound:
        repository = find(ways.db, claimed.repository_id, (PULL_REQUESTS,))
        wish = EventsWish.of(self.now(), days=claimed.days)

        def wanted() -> bool:
            with ways.db.reading() as tx:
                return self._continues() and asked_events.is_wanted(tx, claimed.id)

        done = fetch(ways, self.run, repository, wish, goes_on=wanted)
        if done.cause in SHARED:
            self._over.set()
        self._settle(ways.db, claimed, done)
        return done

    def _settle(self, db: Database, claimed: ClaimedEvents, done: EventsFound) -> None:
        """Let what has to wait go on later, and tell of a batch that is over."""
        end: BatchEnd | None = None
        with db.transaction() as tx:
            if done.resume_at is not None and not asked_events.was_cancelled(tx, claimed.id):
                asked_events.ask_again(tx, claimed.id, done.resume_at)
            if claimed.batch is not None:
                end = asked_events.ended(tx, claimed.batch)
        if end is not None and end.open == 0:
            self.ended(end)

    def _claim(self, db: Database) -> ClaimedEvents | None:
        with db.transaction() as tx:
            return asked_events.claim(tx, self.run, worker=worker_name())

    def _continues(self) -> bool:
        return not self._over.is_set() and self.goes_on()


def told(found: Sequence[EventsFound]) -> str:
    """Say how many were fetched, and how many were not."""
    failed = sum(each.failed for each in found)
    return f"{counted(len(found) - failed, 'repository')} fetched" + (f", {failed:,} failed" if failed else "")
