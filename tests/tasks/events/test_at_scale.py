"""Fifty thousand stars: as many requests as the list of prices says, every row once, whatever comes between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.events import Source
from gh_backfill.simulator import crowd, stars
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import running
from gh_backfill.simulator.shelf import Shelf
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from tests.tasks.events.test_fetching import DAY, NAME, NOW, Sky
from tests.turns import TURNS, some

STARS, FORKS = 50_000, 250
HISTORY_PAGES, EVENTS_PAGES = 21, 3  # 621 weeks since 2015, thirty a page; three hundred events
SINCE = NOW - 90 * DAY
LONG_AGO = datetime(2008, 1, 1, tzinfo=UTC)


@contextmanager
def many(db: Database, *, stars: int = STARS) -> Iterator[Sky]:
    """Give a repository with so many stars since 2015, ever more a day."""
    found = Sky(db=db, github=None)  # type: ignore[arg-type]
    options = Options(clock=lambda: found.now.timestamp(), may_list_stars=lambda: found.listed())  # noqa: PLW0108
    with running(load(recipes=[f"{NAME}:3:stars={stars}:forks={FORKS}:until=2026-11-20"]), options) as github:
        found.github = github
        track.track(db, GraphQL(github.graphql_url, "tok"), [NAME], backfill=None)
        yield found


def asked(world: Sky) -> tuple[int, int, int]:
    """Return how many pages of stars and of forks GitHub was asked for, and how many requests by REST."""
    tally = world.github.stats.as_json()["identities"]["tok"]
    return tally["operations"].get("StarPage", 0), tally["operations"].get("ForkPage", 0), tally["rest"]


def shelf(world: Sky) -> Shelf:
    home = world.github.world.repository(*NAME.split("/"))
    assert home is not None
    return world.github.world.shelves[home.id]


def given(world: Sky, since: datetime = LONG_AGO) -> list[tuple[str, int, datetime]]:
    """Return who starred since a time, and when, as GitHub has it, oldest first."""
    rows = [(star.account, datetime.fromisoformat(star.starred_at)) for star in shelf(world).stars]
    return [(crowd.login(account), account, at) for account, at in rows if at >= since]


def stored(world: Sky, since: datetime = LONG_AGO) -> list[tuple[str, int, datetime]]:
    """Return the same of what is stored."""
    query = """select actor_login, actor_github_id, created_at from github_events_cache
        where event_type = 'WatchEvent' and created_at >= %(since)s order by created_at, actor_github_id"""
    with world.db.reading() as tx:
        return [(row["actor_login"], row["actor_github_id"], row["created_at"]) for row in tx.rows(query, since=since)]


def forks(world: Sky) -> list[tuple[str, datetime]]:
    query = """select payload #>> '{forkee,full_name}' as name, created_at from github_events_cache
        where event_type = 'ForkEvent' order by created_at, name"""
    with world.db.reading() as tx:
        return [(row["name"], row["created_at"]) for row in tx.rows(query)]


def test_ninety_days_cost_the_pages_in_which_they_lie_and_again_one_page_each(db: Database) -> None:
    with many(db) as world:
        world.fetch()
        wanted = given(world, SINCE)
        assert 1_500 < len(wanted) < 2_500
        assert stored(world, SINCE) == wanted
        pages = len(wanted) // 100 + 1  # the last one has the first star that is older
        assert asked(world) == (pages, 1, 0)
        assert world.points() == pages + 1 + 1  # the first is that of `track`
        rows = stored(world)
        world.now += timedelta(hours=1)
        done = world.fetch()
        assert [each.new for each in done.series] == [0, 0]
        assert (asked(world), stored(world)) == ((pages + 1, 2, 0), rows)


@pytest.mark.parametrize("size", [6_000, *some([STARS], step=TURNS)])
def test_the_whole_costs_a_point_for_each_hundred_and_has_every_row_once(db: Database, size: int) -> None:
    with many(db, stars=size) as world:
        done = world.fetch(since=LONG_AGO)
        assert [each.new for each in done.series] == [size, FORKS]
        assert asked(world) == (-(-size // 100), -(-FORKS // 100), 0)
        assert stored(world) == given(world)
        order = shelf(world).forks.ordered("CREATED_AT", world.github.world.repositories)
        made = [order.row(key) for key in order.keys]
        assert forks(world) == sorted(
            ((row.full_name, datetime.fromisoformat(row.created_at)) for row in made), key=lambda row: (row[1], row[0])
        )
        (span,) = world.sources()[Source.STARGAZERS].covered
        assert (span.since, span.until) == (LONG_AGO, NOW)


def test_what_is_stopped_again_and_again_reads_no_page_twice(db: Database) -> None:
    with many(db) as world:
        runs = 0
        while True:
            turns = iter([True] * 6)
            world.goes_on = lambda turns=turns: next(turns, False)  # type: ignore[misc]
            done = world.fetch()
            runs += 1
            if done.reason is None:
                break
        assert stored(world, SINCE) == given(world, SINCE)
        pages = len(given(world, SINCE)) // 100 + 1
        # The list of the first run ends where it ends; a later one looks at what is new, and at the forks.
        assert (runs, asked(world)) == (-(-(pages + 2) // 6), (pages + 1, 1, 0))


def test_a_right_withdrawn_in_the_middle_leaves_days_and_given_back_it_goes_on_from_there(db: Database) -> None:
    with many(db) as world:
        answers = iter([True] * 7)
        world.listed = lambda: next(answers, False)
        first = world.fetch()
        assert (first.failed, first.series[0].source) == (False, Source.HISTORY)
        assert len(stored(world)) == 700
        assert asked(world) == (8, 1, HISTORY_PAGES + EVENTS_PAGES)
        days = Counter(at.date() for _, _, at in given(world))
        assert {day: count for day, count in world.days().items() if count} == days
        history = world.sources()[Source.HISTORY]
        assert (history.found, history.expected, history.unexplained) == (STARS, STARS, 0)
        world.listed = lambda: True
        world.now += 2 * DAY
        second = world.fetch()
        assert second.series[0].source is Source.STARGAZERS
        since = world.now - 90 * DAY
        assert stored(world, since) == given(world, since)
        pages = (len(given(world, since)) - 700) // 100 + 1
        assert asked(world) == (8 + pages + 1, 2, HISTORY_PAGES + EVENTS_PAGES)
        assert len(world.sources()[Source.STARGAZERS].covered) == 1


def test_a_right_withdrawn_by_a_control_leaves_what_was_listed_beside_the_days(db: Database) -> None:
    with many(db, stars=1_200) as world:
        world.fetch(since=LONG_AGO)
        stars.show_stargazers(world.github.world, shown=False, repository=NAME)
        stars.star(world.github.world, NAME, by="fan-1", at="2026-11-20T16:00:00Z")
        world.now += timedelta(hours=2)
        assert world.fetch().series[0].source is Source.HISTORY
        assert sum(world.days().values()) == 1_201
        assert stored(world) == given(world)  # the events call told of the new one
        stars.show_stargazers(world.github.world, shown=None)
        world.now += 2 * DAY
        assert world.fetch().series[0].source is Source.STARGAZERS
        assert stored(world) == given(world)
