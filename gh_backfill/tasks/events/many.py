"""Fetch the events of many repositories, several at a time: what fails for one of them does not stop the others."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from gh_backfill.errors import BadCredentials, ConfigurationError, Denied, PartlyFailed, Unreachable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.ledger import ErrorType, JobType
from gh_backfill.policy.markdown import counted
from gh_backfill.store import events, jobs
from gh_backfill.store.db import Database
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.events.fetching import Ways, fetch, pass_over
from gh_backfill.tasks.events.side_by_side import EventsTold, side_by_side
from gh_backfill.tasks.events.wish import EventsFound, EventsWish

# What keeps GitHub from us keeps it from the next repository, too.
SHARED = frozenset({ErrorType.RATE_LIMIT, ErrorType.NETWORK})
# So many at a time where nobody says otherwise; the budget is shared whatever their number.
PARALLEL, MOST_PARALLEL = 4, 20
NOT_HERE = (
    "it is not here: gh-backfill workspace add SLUG owner/name brings it alone, gh-backfill track owner/name also its "
    "pull requests"
)


def found(db: Database, names: Sequence[str]) -> tuple[list[TrackedRepository], list[EventsFound]]:
    """Return the repositories that names stand for, each once, and what is said of names of which none is here."""
    known: dict[str, TrackedRepository] = {}
    lost: list[EventsFound] = []
    for name in dict.fromkeys(names):
        try:
            repository = find(db, name)
        except ConfigurationError as error:
            lost.append(EventsFound(name=name, error=error, reason=NOT_HERE, cause=ErrorType.CONFIGURATION))
            continue
        known.setdefault(repository.id, repository)
    return list(known.values()), lost


def is_shared(done: EventsFound) -> bool:
    """Say whether what kept one repository from us keeps the next one, too."""
    return done.cause in SHARED or isinstance(done.error, BadCredentials)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsOutlook:
    """What a fetching would ask of one repository, by what is known of its sources."""

    name: str
    text: str

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {"repository": self.name, "text": self.text}


def outlook(db: Database, names: Sequence[str], wish: EventsWish) -> list[EventsOutlook]:
    """Say what would be asked, from a read-only connection and without asking GitHub."""
    repositories, lost = found(db, names)
    told = [EventsOutlook(name=each.name, text=each.text) for each in lost]
    for repository in repositories:
        with db.reading() as tx:
            known = events.sources(tx, repository.id)
        here = [
            f"{each.series} by {each.source}" + (f" ({each.reason})" if each.reason else "")
            for each in known
            if each.covered or each.reason
        ]
        since = f"{wish.since:%Y-%m-%d}"
        text = (
            f"{repository.full_name}: {', '.join(wish.types)} since {since}; known: {', '.join(here) or 'nothing yet'}"
        )
        told.append(EventsOutlook(name=repository.full_name, text=text))
    return told


@dataclass(kw_only=True)
class Fetching:
    """The fetching of the events of many repositories; `open_ways` opens the ways that one thread uses alone.

    Each repository has a job, which waits until its turn comes and gets exactly one end.  `goes_on` says whether there
    is time for more.
    """

    open_ways: Callable[[], AbstractContextManager[Ways]]
    run: jobs.Run
    repositories: Sequence[TrackedRepository]
    wish: EventsWish
    parallel: int = PARALLEL
    goes_on: Callable[[], bool] = lambda: True
    _waiting: queue.SimpleQueue[TrackedRepository] = field(default_factory=queue.SimpleQueue)
    _told: EventsTold = field(default_factory=queue.SimpleQueue)
    _over: threading.Event = field(default_factory=threading.Event)
    _shared: EventsFound | None = None

    def each(self, ways: Ways) -> Iterator[EventsFound]:
        """Yield what became of each repository as it ends; `ways` are those of the caller.

        What would keep every repository from us ends the rest, of which it is said that they were not begun.
        """
        with ways.db.transaction() as tx:
            entries = [(each.id, "events asked for", None) for each in self.repositories]
            jobs.plan(tx, self.run, entries, job_type=JobType.EVENTS)
        for each in self.repositories:
            self._waiting.put(each)
        many = min(self.parallel, len(self.repositories))
        try:
            yield from side_by_side(self._work, many, told=self._told, over=self._over, name="events")
        finally:
            left = list(self._left(ways))
        yield from left

    def _left(self, ways: Ways) -> Iterator[EventsFound]:
        """Write of each repository that was not begun that it was not, and yield that."""
        shared = self._shared
        while not self._waiting.empty():
            repository = self._waiting.get()
            done = EventsFound(
                name=repository.full_name, repository=repository, reason="not begun: the time is up", not_begun=True
            )
            if shared is not None:
                done = EventsFound(
                    name=repository.full_name,
                    repository=repository,
                    reason=f"not begun: {shared.reason}",
                    resume_at=shared.resume_at,
                    error=shared.error,
                    cause=shared.cause,
                    not_begun=True,
                )
            pass_over(ways, self.run, repository, done)
            yield done

    def _work(self) -> None:
        try:
            with self.open_ways() as ways:
                while self._continues() and not self._waiting.empty():
                    try:
                        repository = self._waiting.get_nowait()
                    except queue.Empty:
                        return
                    done = fetch(ways, self.run, repository, self.wish, goes_on=self._continues)
                    if is_shared(done):
                        self._shared = done
                        self._over.set()
                    self._told.put(done)
        except BaseException as error:  # noqa: BLE001  (raised again by the thread that asked for the work)
            self._over.set()
            self._told.put(error)

    def _continues(self) -> bool:
        return not self._over.is_set() and self.goes_on()


def raise_failures(done: Sequence[EventsFound]) -> None:
    """Raise the error that a fetching ends in: by its exit code, the credential's, the network's or their own fault."""
    failed = [each for each in done if each.failed]
    if not failed:
        return
    message = (
        f"the events of {counted(len(failed), 'repository')} could not be fetched: {failed[0].name}: {failed[0].text}"
    )
    causes = {each.cause for each in failed}
    if causes == {ErrorType.CONFIGURATION} and len(failed) == len(done):
        raise ConfigurationError(message)
    if all(isinstance(each.error, BadCredentials) for each in failed):
        raise Denied(message)
    raise Unreachable(message) if causes == {ErrorType.NETWORK} else PartlyFailed(message)
