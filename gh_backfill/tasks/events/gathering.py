"""The series of one repository, each from the best source that answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gh_backfill.clients import events_call
from gh_backfill.clients import series as client
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.clients.series import CountedHome
from gh_backfill.engine.series import SOURCES, OutOfTime, SeriesRead, SeriesWalk
from gh_backfill.engine.star_history import HistoryReading
from gh_backfill.errors import BadCredentials, Denied, Gone, Unexpected
from gh_backfill.models.events import FORK, STAR, Answering, Covered, Event, Series, Source, SourceAnswer
from gh_backfill.models.github import NodeId
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.events.reading import covers
from gh_backfill.policy.events.sources import asks
from gh_backfill.policy.events.types import CAPTURED, ONLY_EVENTS
from gh_backfill.policy.markdown import counted
from gh_backfill.store import events
from gh_backfill.store.db import Database
from gh_backfill.store.events import SourceStanding
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.events.wish import EventsWish, SeriesFound

# What GitHub's events call may not know yet, and how far back it goes.
LATENCY, REACHES = timedelta(hours=6), timedelta(days=30)
ISSUES = "issues"
_OF_ISSUES = frozenset({"IssuesEvent", "IssueCommentEvent"})
# What a source may answer that says of itself alone that it is not to be had.
_CLOSED = (Gone, Denied, Unexpected)


@dataclass(kw_only=True, slots=True)
class Gathering:
    """One gathering of the events of one repository; clock and sleep are passed in."""

    db: Database
    graphql: GraphQL
    lists: RestPages
    repository_id: str
    node_id: NodeId
    wish: EventsWish
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    goes_on: Callable[[], bool] = lambda: True
    tell: Callable[[Series, SeriesRead], None] = lambda series, done: None
    found: list[SeriesFound] = field(default_factory=list)
    _known: dict[tuple[Series, Source], SourceStanding] = field(default_factory=dict)
    _home: CountedHome | None = None

    def run(self) -> list[SeriesFound]:
        """Gather what is wanted, series by series; `found` has what was done so far, also after an error.

        Raises OutOfTime where it is not to go on, and what is the fault of no single source.
        """
        with self.db.reading() as tx:
            self._known = {(each.series, each.source): each for each in events.sources(tx, self.repository_id)}
        for gather in self._wanted():
            self.found.append(gather())
        return self.found

    def _wanted(self) -> Iterator[Callable[[], SeriesFound]]:
        types = set(self.wish.types)
        if STAR in types:
            yield self._stars
        if FORK in types:
            yield self._forks
        if types & CAPTURED:
            yield self._captured
        if types & ONLY_EVENTS:
            yield self._only_events

    def _stars(self) -> SeriesFound:
        known = self._known.get((Series.STARS, Source.STARGAZERS))
        shown = known is not None and bool(known.covered)
        state, asked_at = (None, None) if known is None else (known.state, known.asked_at)
        note = None if known is None else known.reason
        if asks(state, asked_at, ever_shown=shown, now=self.now()):
            read = self._list(Series.STARS, known)
            if read.not_shown is None:
                return _of_list(Series.STARS, read)
            note = read.not_shown
            self._note(Series.STARS, Source.STARGAZERS, note)
        return self._history(note or "the list of stargazers is not shown to this token")

    def _forks(self) -> SeriesFound:
        read = self._list(Series.FORKS, self._known.get((Series.FORKS, Source.FORKS)))
        if read.not_shown is None:
            return _of_list(Series.FORKS, read)
        self._note(Series.FORKS, Source.FORKS, read.not_shown)
        return SeriesFound(series=Series.FORKS, source=None, note=read.not_shown)

    def _list(self, series: Series, known: SourceStanding | None) -> SeriesRead:
        walk = SeriesWalk(
            db=self.db,
            graphql=self.graphql,
            repository_id=self.repository_id,
            node_id=self.node_id,
            series=series,
            since=self.wish.since,
            now=self.now,
            sleep=self.sleep,
            goes_on=self.goes_on,
            tell=lambda done: self.tell(series, done),
        )
        try:
            read = walk.run(known)
        except OutOfTime:
            self.found.append(_of_list(series, walk.done))
            raise
        self._home = read.home or self._home
        return read

    def _history(self, why_not_listed: str) -> SeriesFound:
        """Read the days of the history, and who starred in the days that the events call has."""
        home = self._home or client.home(self.graphql, self.node_id)
        self._home = home
        reading = HistoryReading(
            db=self.db,
            lists=self.lists,
            repository_id=self.repository_id,
            home=home,
            now=self.now,
            sleep=self.sleep,
            goes_on=self.goes_on,
        )
        try:
            read = reading.run(self._known.get((Series.STARS, Source.HISTORY)))
        except BadCredentials:
            raise
        except _CLOSED as error:
            self._note(Series.STARS, Source.HISTORY, str(error))
            return SeriesFound(series=Series.STARS, source=None, note=f"{why_not_listed}, and {error}")
        who = self._of_call(Series.STARS, home, {STAR})
        note = [why_not_listed]
        if who:
            note.append(f"{counted(who, 'name')} by the events call")
        if read.unexplained is not None:
            more = "more" if read.unexplained > 0 else "fewer"
            note.append(f"GitHub counts {abs(read.unexplained):,} {more} than its days add up to")
        return SeriesFound(series=Series.STARS, source=Source.HISTORY, new=read.changed, note="; ".join(note))

    def _only_events(self) -> SeriesFound:
        self._home = self._home or client.home(self.graphql, self.node_id)
        try:
            new = self._of_call(Series.EVENTS, self._home, set(self.wish.types) & ONLY_EVENTS, strict=True)
        except BadCredentials:
            raise
        except _CLOSED as error:
            return SeriesFound(series=Series.EVENTS, source=None, note=str(error))
        return SeriesFound(series=Series.EVENTS, source=Source.EVENTS, new=new, note="GitHub keeps 30 days of these")

    def _of_call(self, series: Series, home: CountedHome, types: set[str], *, strict: bool = False) -> int:
        """Store what the events call tells of these types, and return how many are new.

        Where it is not to be had for names beside the history, these are done without.
        """
        new = 0
        top: datetime | None = None
        try:
            for page in events_call.pages(self.lists, home.full_name, home.github_id):
                begins = page.server_time - LATENCY if top is None else top
                told = [place for place in page.places if place is not None]
                times = [None if place is None else min(place.created_at, begins) for place in page.places]
                read = covers(times, begins, None if page.more else page.server_time - REACHES)
                answer = SourceAnswer(
                    series=series,
                    source=Source.EVENTS,
                    state=Answering.AVAILABLE,
                    asked_at=self.now(),
                    covered=read.spans,
                )
                new += self._store([each for each in told if each.event_type in types], answer)
                top = read.down_to or (min((each.created_at for each in told), default=begins))
        except BadCredentials:
            raise
        except _CLOSED as error:
            self._note(series, Source.EVENTS, str(error))
            if strict:
                raise
        return new

    def _captured(self) -> SeriesFound:
        """Make events of the pull requests and issues that are captured here."""
        wish, types = self.wish, [each for each in self.wish.types if each in CAPTURED]
        until = wish.until or self.now()
        with self.db.reading() as tx:
            told = events.captured(tx, self.repository_id, types, wish.since, until)
            kinds = {ISSUES if each in _OF_ISSUES else PULL_REQUESTS for each in types}
            whole = [events.captured_until(tx, self.repository_id, kind) for kind in sorted(kinds)]
        ends = min((each for each in whole if each is not None), default=None)
        covered = None if ends is None or None in whole else min(ends, until)
        spans = () if covered is None or covered <= wish.since else (Covered(since=wish.since, until=covered),)
        answer = SourceAnswer(
            series=Series.EVENTS,
            source=Source.CAPTURED,
            state=Answering.AVAILABLE,
            asked_at=self.now(),
            covered=spans,
        )
        new = self._store(told, answer)
        note = None if spans else "their history is not complete here: gh-backfill capture it first"
        return SeriesFound(series=Series.EVENTS, source=Source.CAPTURED, new=new, note=note)

    def _store(self, told: Sequence[Event], answer: SourceAnswer) -> int:
        def write() -> int:
            with self.db.transaction() as tx:
                new = events.write(tx, self.repository_id, told)
                events.write_source(tx, self.repository_id, answer)
            return new

        persistently(lambda: events.make_months(self.db, [each.created_at for each in told]), self.sleep)
        return persistently(write, self.sleep)

    def _note(self, series: Series, source: Source, reason: str) -> None:
        """Note that a source does not answer us."""
        answer = SourceAnswer(
            series=series, source=source, state=Answering.UNAVAILABLE, asked_at=self.now(), reason=reason
        )
        self._store((), answer)


def _of_list(series: Series, read: SeriesRead) -> SeriesFound:
    note = f"{counted(read.unreadable, 'place')} not readable" if read.unreadable else None
    return SeriesFound(series=series, source=SOURCES[series], new=read.new, note=note)
