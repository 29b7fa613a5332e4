"""Read a list that is ordered by date alone, newest first: each page is committed with its events and what it covers.

Stars and forks have no numbers, parts or changes: a page is whole as it comes, each event is known by its own id, and
what was read is a span of time.  So such a list needs no chunks: whoever is interrupted leaves the place behind that
leads on, and who reads the same twice writes nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gh_backfill.clients import series as client
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.series import CountedHome, ListPage, NotShown
from gh_backfill.errors import Unreachable
from gh_backfill.models.events import Answering, Covered, Event, Reached, Series, Source, SourceAnswer
from gh_backfill.models.github import NodeId
from gh_backfill.policy.events.reading import BEFORE_GITHUB, PageCovers, covers, reads_down_to
from gh_backfill.store import events, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.events import SourceStanding
from gh_backfill.store.persist import persistently

SOURCES = {Series.STARS: Source.STARGAZERS, Series.FORKS: Source.FORKS}
# A page of which something could not be read is asked for so often.
TRIES = 3
# What was read in less time than this is as new as it would be read again.
FRESH = timedelta(minutes=10)


class OutOfTime(Exception):
    """The time is up, or somebody stops us: what was read is kept, and the rest comes another time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesRead:
    """What reading a list brought: new events, pages, places that could not be read, and why it is not shown, if so."""

    new: int = 0
    pages: int = 0
    unreadable: int = 0
    not_shown: str | None = None
    home: CountedHome | None = None


@dataclass(kw_only=True, slots=True)
class SeriesWalk:
    """One reading of one list of one repository, from `since` on; clock and sleep are passed in.

    `goes_on` is asked before each page whether there is time for it.
    """

    db: Database
    graphql: GraphQL
    repository_id: str
    node_id: NodeId
    series: Series
    since: datetime
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    goes_on: Callable[[], bool] = lambda: True
    tell: Callable[[SeriesRead], None] = lambda done: None
    _new: int = 0
    _pages: int = 0
    _unreadable: int = 0
    _home: CountedHome | None = None
    _shown: str | None = None
    _seen: set[str] = field(default_factory=set)

    @property
    def done(self) -> SeriesRead:
        """Return what was done so far: all of it is committed."""
        return SeriesRead(
            new=self._new,
            pages=self._pages,
            unreadable=self._unreadable,
            not_shown=self._shown,
            home=self._home,
        )

    def run(self, known: SourceStanding | None) -> SeriesRead:
        """Read what is not here yet: an interrupted beginning, then what is older, then what is new.

        Raises OutOfTime where it is not to go on, and what `GraphQL.execute` raises; what was read until then is kept.
        """
        covered = () if known is None else known.covered
        if known is not None and known.head is not None and known.head.cursor is not None:
            below = [span for span in covered if span.until < known.head.at]
            stop = below[-1].until if below else self.since
            self._read(known.head.cursor, known.head.at, stop, head=True)
        began = self._older(known)
        if self._shown is None and (began is None or self.now() - began >= FRESH):
            self._read(None, None, reads_down_to(self._covered(), self.since), head=True)
        return self.done

    def _older(self, known: SourceStanding | None) -> datetime | None:
        """Read what is older than all that is known; return when that began, where it began at the newest."""
        if self._shown is not None:
            return None
        if known is None or not known.covered:
            began = self.now()
            self._read(None, None, self.since, head=False)
            return began
        if known.deepest is not None and known.deepest.cursor is not None and known.deepest.at > self.since:
            self._read(known.deepest.cursor, known.deepest.at, self.since, head=False)
        return None

    def _covered(self) -> tuple[Covered, ...]:
        with self.db.reading() as tx:
            standing = events.sources(tx, self.repository_id)
        return next((each.covered for each in standing if each.source is SOURCES[self.series]), ())

    def _read(self, after: str | None, top: datetime | None, stop: datetime, *, head: bool) -> None:
        """Read on from a place until `stop`; `top` is the moment down to which is known what is newer, None: now."""
        begins = after is None
        while True:
            if not self.goes_on():
                raise OutOfTime
            home, page = self._page(after)
            if isinstance(page, NotShown):
                self._shown = page.reason
                return
            top, begins = (home.server_time if begins else top), False
            found = covers(_times(page), top, None if page.more else BEFORE_GITHUB)
            oldest = min((place.created_at for place in page.places if place), default=None)
            ends = not page.more or (oldest is not None and oldest < stop)
            self._commit(home, page, found, oldest, head=head, ends=ends)
            if ends:
                return
            after, top = page.end, found.down_to

    def _page(self, after: str | None) -> tuple[CountedHome, ListPage | NotShown]:
        """Ask for a page, again where something of it could not be read."""
        home, page = client.page(self.graphql, self.node_id, self.series, after)
        for _ in range(TRIES - 1):
            if isinstance(page, NotShown) or None not in page.places:
                break
            home, page = client.page(self.graphql, self.node_id, self.series, after)
        if isinstance(page, ListPage) and page.more and page.end is not None:
            if page.end in self._seen:
                raise Unreachable(f"GitHub's list of {self.series} goes round in a circle")
            self._seen.add(page.end)
        self._home = home
        return home, page

    def _commit(
        self, home: CountedHome, page: ListPage, found: PageCovers, oldest: datetime | None, *, head: bool, ends: bool
    ) -> None:
        told = [place for place in page.places if place is not None]
        at = found.down_to or oldest or home.server_time
        reached = Reached(cursor=page.end if page.more else None, at=at)
        answer = SourceAnswer(
            series=self.series,
            source=SOURCES[self.series],
            state=Answering.AVAILABLE,
            asked_at=self.now(),
            covered=found.spans,
            deepest=None if head else reached,
            head=reached if head and not ends else None,
        )
        persistently(lambda: events.make_months(self.db, [each.created_at for each in told]), self.sleep)
        self._new += persistently(lambda: self._write(home, told, answer), self.sleep)
        self._pages += 1
        self._unreadable += page.places.count(None)
        self._seen = self._seen if not ends else set()
        self.tell(self.done)

    def _write(self, home: CountedHome, told: list[Event], answer: SourceAnswer) -> int:
        with self.db.transaction() as tx:
            repositories.follow(
                tx, self.repository_id, full_name=home.full_name, is_private=home.is_private, total=None
            )
            new = events.write(tx, self.repository_id, told)
            events.write_snapshots(tx, [(self.repository_id, home.counted, home.server_time)])
            events.write_source(tx, self.repository_id, answer)
        return new


def _times(page: ListPage) -> list[datetime | None]:
    return [None if place is None else place.created_at for place in page.places]
