"""Stars and forks of a repository come from the best source that answers: once each, and with what is covered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gh_backfill.clients.credentials import fixed
from gh_backfill.clients.gate import OwnGate
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.errors import GitHubError
from gh_backfill.models.events import Answering, Covered, Source
from gh_backfill.simulator import stars
from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import ClosedStars, Options, StarHistory
from gh_backfill.simulator.server import Simulator, running
from gh_backfill.store import events
from gh_backfill.store.db import Database
from gh_backfill.store.events import SourceStanding
from gh_backfill.tasks import track
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.events.fetching import Ways, fetch
from gh_backfill.tasks.events.wish import EventsFound, EventsWish
from tests import corpus
from tests.tasks.conftest import RUN
from tests.turns import some

NAME = "octo/star"
NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Sky:
    """A repository with stars and forks at a simulated GitHub whose clock stands, and a database."""

    db: Database
    github: Simulator
    now: datetime = NOW
    listed: Callable[[], bool] = lambda: True
    goes_on: Callable[[], bool] = lambda: True

    def ways(self) -> Ways:
        graphql = GraphQL(self.github.graphql_url, "tok", now=lambda: self.now, sleep=lambda _: None)
        lists = RestPages(self.github.url, fixed("tok"), lambda: OwnGate(lambda: self.now), now=lambda: self.now)
        return Ways(db=self.db, graphql=graphql, lists=lists, now=lambda: self.now, sleep=lambda _: None)

    def fetch(self, days: int = 90, **wish: object) -> EventsFound:
        wanted = replace(EventsWish.of(self.now, days=days), **wish)  # type: ignore[arg-type]
        return fetch(self.ways(), RUN, find(self.db, NAME), wanted, goes_on=self.goes_on)

    def points(self) -> int:
        return self.github.stats.points

    def stars(self) -> Counter[date]:
        with self.db.reading() as tx:
            rows = tx.rows("select created_at from github_events_cache where event_type = 'WatchEvent'")
        return Counter(row["created_at"].astimezone(UTC).date() for row in rows)

    def days(self) -> dict[date, int]:
        with self.db.reading() as tx:
            return {row["day"]: row["stars"] for row in tx.rows("select day, stars from star_days")}

    def sources(self) -> dict[Source, SourceStanding]:
        repository = find(self.db, NAME)
        with self.db.reading() as tx:
            return {each.source: each for each in events.sources(tx, repository.id)}

    def given(self, since: datetime) -> Counter[date]:
        """Return what the world has of stars since a time, by their day."""
        home = self.github.world.repository(*NAME.split("/"))
        assert home is not None
        at = [datetime.fromisoformat(star.starred_at) for star in self.github.world.shelves[home.id].stars]
        return Counter(each.date() for each in at if each >= since)


@contextmanager
def sky(db: Database, many: int = 250, *, step: timedelta = timedelta(hours=17), **options: object) -> Iterator[Sky]:
    """Give a repository with so many stars, one every `step` back from now, to one that tracks it."""
    found = Sky(db=db, github=None)  # type: ignore[arg-type]
    clock = {"clock": lambda: found.now.timestamp(), "may_list_stars": lambda: found.listed()}  # noqa: PLW0108
    chosen = Options(**{**clock, **options})  # type: ignore[arg-type]
    world = load(recipes=[f"{NAME}:3"])
    with running(world, chosen) as github:
        found.github = github
        home = github.world.repository(*NAME.split("/"))
        assert home is not None
        for number in range(many):
            at = NOW - number * step - timedelta(minutes=1)
            stars.star(github.world, NAME, by=f"fan{number}", at=f"{at:%Y-%m-%dT%H:%M:%SZ}")
        home = github.world.repositories[home.id]
        github.world.repositories[home.id] = replace(home, stargazers=many, created_at="2020-02-02T02:02:02Z")
        track.track(db, GraphQL(github.graphql_url, "tok"), [NAME], backfill=None)
        yield found


def test_who_may_see_the_list_gets_every_star_of_the_span_with_its_second(db: Database) -> None:
    with sky(db) as world:
        before = world.points()
        done = world.fetch()
        since = NOW - 90 * DAY
        assert (done.failed, done.series[0].source) == (False, Source.STARGAZERS)
        assert {day: n for day, n in world.stars().items() if day > since.date()} == {
            day: n for day, n in world.given(since).items() if day > since.date()
        }
        assert world.points() - before == 2 + 1  # two pages of stars, one of forks
        (span,) = world.sources()[Source.STARGAZERS].covered
        assert span.since <= since
        assert span.until == NOW


def test_a_second_run_reads_what_is_new_and_doubles_nothing(db: Database) -> None:
    with sky(db) as world:
        world.fetch()
        here, before = world.stars(), world.points()
        world.now += timedelta(hours=2)
        stars.star(world.github.world, NAME, by="newcomer", at="2026-11-20T16:00:00Z")
        done = world.fetch()
        assert done.series[0].new == 1
        assert world.stars() == here + Counter([date(2026, 11, 20)])
        assert world.points() - before == 2
        (span,) = world.sources()[Source.STARGAZERS].covered
        assert span.until == world.now


@pytest.mark.parametrize("empty", [False, True])
def test_who_may_not_see_it_gets_the_days_of_the_history_and_never_a_zero(db: Database, empty: bool) -> None:
    with sky(db, closed_stargazers=ClosedStars.EMPTY if empty else ClosedStars.FORBIDDEN) as world:
        world.listed = lambda: False
        done = world.fetch()
        assert (done.failed, done.series[0].source) == (False, Source.HISTORY)
        given = world.given(datetime(2008, 1, 1, tzinfo=UTC))
        assert {day: n for day, n in world.days().items() if n} == given
        assert world.sources()[Source.STARGAZERS].state is Answering.UNAVAILABLE
        history = world.sources()[Source.HISTORY]
        assert (history.found, history.expected, history.unexplained) == (250, 250, 0)
        names = world.stars()
        assert set(names) == {
            day for day in given if NOW - datetime(day.year, day.month, day.day, tzinfo=UTC) <= 31 * DAY
        } - {date(2026, 10, 21) if NOW - datetime(2026, 10, 21, 15, 30, tzinfo=UTC) > 30 * DAY else None}


def test_the_right_may_be_withdrawn_in_the_middle_and_come_back(db: Database) -> None:
    with sky(db, many=350, step=timedelta(hours=6)) as world:
        asked = iter([True, False])
        world.listed = lambda: next(asked, False)
        first = world.fetch()
        assert (first.failed, first.series[0].source) == (False, Source.HISTORY)
        assert sum(world.stars().values()) >= 100
        world.listed = lambda: True
        world.now += 2 * DAY
        second = world.fetch()
        assert second.series[0].source is Source.STARGAZERS
        since = world.now - 90 * DAY
        assert {day: n for day, n in world.stars().items() if day > since.date()} == {
            day: n for day, n in world.given(since).items() if day > since.date()
        }
        assert world.sources()[Source.STARGAZERS].covered[-1] == Covered(
            since=world.sources()[Source.STARGAZERS].covered[-1].since, until=world.now
        )


def test_what_is_stopped_goes_on_where_it_was_and_reads_no_page_twice(db: Database) -> None:
    with sky(db, many=450, step=timedelta(hours=4)) as world:
        turns = iter([True, True, False])
        world.goes_on = lambda: next(turns)
        stopped = world.fetch()
        assert (stopped.failed, stopped.reason) == (False, "stopped before its end: run it again to go on")
        assert sum(world.stars().values()) == 200
        world.goes_on = lambda: True
        before = world.points()
        world.fetch()
        assert sum(world.stars().values()) == 450
        assert world.points() - before == 3 + 1 + 1  # the other pages, a look at what is new, and the forks
        assert len(world.sources()[Source.STARGAZERS].covered) == 1


def test_a_longer_span_goes_on_behind_what_is_here(db: Database) -> None:
    with sky(db, many=300) as world:
        world.fetch(days=30)
        before = world.points()
        world.fetch(days=3660)
        assert sum(world.stars().values()) == 300
        assert world.points() - before <= 4
        assert world.sources()[Source.STARGAZERS].covered[0].since == datetime(2008, 1, 1, tzinfo=UTC)


def test_where_nothing_tells_of_stars_the_repository_fails_and_its_forks_come_all_the_same(db: Database) -> None:
    with sky(db, star_history=StarHistory(served=False)) as world:
        world.listed = lambda: False
        done = world.fetch()
        assert done.failed
        assert "does not show the list of stargazers" in done.text
        assert [each.source for each in done.series] == [None, Source.FORKS]
        assert world.days() == {}
        with db.reading() as tx:
            job = tx.row("select status, outcome, error from progressive_capture_jobs where job_type = 'events'")
        assert job is not None
        assert (job["status"], job["outcome"]) == ("failed", "failed")


@pytest.mark.parametrize("history", [StarHistory(repeated=True), StarHistory(future=3), StarHistory(shifted_hours=7)])
def test_odd_histories_add_up_all_the_same(db: Database, history: StarHistory) -> None:
    with sky(db, star_history=history) as world:
        world.listed = lambda: False
        world.fetch()
        assert sum(world.days().values()) == 250
        assert max(world.days()) <= NOW.date()
        given, days = world.given(datetime(2008, 1, 1, tzinfo=UTC)), world.days()
        if not history.shifted_hours:
            assert {day: n for day, n in days.items() if n} == given


def test_a_gap_between_the_days_and_the_count_is_told_and_spread_over_no_day(db: Database) -> None:
    with sky(db) as world:
        world.listed = lambda: False
        home = world.github.world.repository(*NAME.split("/"))
        assert home is not None
        world.github.world.repositories[home.id] = replace(home, stargazers=300)
        done = world.fetch()
        assert world.sources()[Source.HISTORY].unexplained == 50
        assert "GitHub counts 50 more than its days add up to" in done.text
        assert sum(world.days().values()) == 250


def test_stars_that_are_taken_back_are_seen_in_the_counts_and_in_no_event(db: Database) -> None:
    with sky(db, many=20) as world:
        world.fetch()
        stars.unstar(world.github.world, NAME, by="fan3")
        world.now += timedelta(hours=1)
        world.fetch()
        with db.reading() as tx:
            counts = [row["stars"] for row in tx.rows("select stars from count_snapshots order by taken_at")]
        assert counts == [20, 19]
        assert sum(world.stars().values()) == 20


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (operation, fault)
        for place, operation in enumerate(("StarPage", "ForkPage"))
        for fault in some(sorted(EFFECTS), place, step=3)
    ],
)
def test_a_fault_on_the_way_loses_nothing(db: Database, fault: str, operation: str) -> None:
    """The first page that a fault strikes may fail: the next run has everything, and nothing twice."""
    with sky(db) as world:
        world.github.faults.add(Fault(name=fault, match={"operation": operation}, count=1))
        done = world.fetch()
        assert done.error is None or isinstance(done.error, GitHubError)
        world.now += 8 * DAY
        world.github.faults.clear()
        done = world.fetch(days=98)
        assert not done.failed, done.text
        since = NOW - 90 * DAY
        assert {d: n for d, n in world.stars().items() if d > since.date()} == {
            d: n for d, n in world.given(since).items() if d > since.date()
        }


@pytest.mark.parametrize("fault", ["null_edge", "node_unread"])
def test_what_could_not_be_read_is_read_by_the_very_next_run(db: Database, fault: str) -> None:
    with sky(db, 250, step=timedelta(hours=6)) as world:
        world.github.faults.add(Fault(name=fault, match={"operation": "StarPage"}))
        world.fetch()
        world.github.faults.clear()
        since = NOW - 60 * DAY
        assert sum(world.stars().values()) < sum(world.given(since).values())
        for _ in range(2):
            world.now += timedelta(minutes=10)
            assert not world.fetch(days=60).failed
        assert {d: n for d, n in world.stars().items() if d > since.date()} == {
            d: n for d, n in world.given(since).items() if d > since.date()
        }
        spent = world.points()
        world.now += timedelta(minutes=10)
        world.fetch(days=60)
        assert world.points() - spent <= 2  # nothing is missing any more: the newest page of each list


def test_ninety_days_of_seven_thousand_real_stargazers_are_exact_by_both_ways(db: Database) -> None:
    folder = corpus.CORPUS / "keploy__keploy"
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    now = datetime(2025, 3, 26, 1, 0, tzinfo=UTC)
    for listed in (True, False):
        found = Sky(db=db, github=None, now=now)  # type: ignore[arg-type]
        options = Options(clock=now.timestamp, public_stargazers=listed)
        with running(load([folder]), options) as github:
            found.github = github
            track.track(db, GraphQL(github.graphql_url, "tok"), ["keploy/keploy"], backfill=None)
            wish = EventsWish.of(now, days=90)
            done = fetch(found.ways(), RUN, find(db, "keploy/keploy"), wish)
            assert not done.failed, done.text
            home = github.world.repository("keploy", "keploy")
            assert home is not None
            at = [datetime.fromisoformat(star.starred_at) for star in github.world.shelves[home.id].stars]
            since = datetime(2024, 12, 27, tzinfo=UTC)
            given = Counter(each.date() for each in at if each >= since)
            mine = {
                day: n for day, n in (found.stars() if listed else found.days()).items() if day >= since.date() and n
            }
            assert mine == given
            assert sum(given.values()) > 500


def test_a_full_events_call_covers_no_day_before_its_last_event(db: Database) -> None:
    with sky(db, many=400, step=timedelta(hours=1)) as world:
        world.listed = lambda: False
        world.fetch()
        (span,) = world.sources()[Source.EVENTS].covered
        assert sum(world.stars().values()) == 300
        assert span.since > NOW - 13 * DAY
