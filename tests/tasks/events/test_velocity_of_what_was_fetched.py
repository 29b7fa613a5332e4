"""What is fetched gives the velocity that a script makes of the stars themselves, whichever source told of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.velocity import trend
from gh_backfill.simulator.options import StarHistory
from gh_backfill.store.db import Database
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.velocity.covered import coverages
from gh_backfill.tasks.velocity.figures import RepositoryVelocity, velocities
from tests.tasks.events.test_fetching import NAME, NOW, Sky, sky
from tests.velocity_by_hand import Figures, Plain, Span, Told, figures


def measured(world: Sky, days: int) -> RepositoryVelocity:
    repository = find(world.db, NAME)
    with world.db.reading() as tx:
        (found,) = velocities(tx, [repository.id], days, world.now)
    return found


def by_hand(world: Sky, days: int) -> Figures:
    """Return what the script makes of the stars that GitHub has, all of which it sees."""
    home = world.github.world.repository(*NAME.split("/"))
    assert home is not None
    stars = world.github.world.shelves[home.id].stars
    told = [
        Told("WatchEvent", f"fan{place}", place, datetime.fromisoformat(each.starred_at).timestamp())
        for place, each in enumerate(stars)
    ]
    spans = [Span("stars", "stargazers", 0, world.now.timestamp())]
    return figures(Plain(told=told, spans=spans), "stars", world.now.timestamp(), days)


@pytest.mark.parametrize("listed", [True, False])
def test_either_way_it_is_that_of_the_stars_themselves(db: Database, listed: bool) -> None:
    with sky(db) as world:
        world.listed = lambda: listed
        world.fetch()
        for days in (7, 30, 45):
            found, wanted = measured(world, days), by_hand(world, days)
            assert [*found.stars.previous.counts, *found.stars.current.counts] == [count for _, _, count in wanted.days]
            assert found.stars.current.total == wanted.total
            assert trend.outcome(found.stars.trend) == wanted.trend[0] == "percent"
            assert trend.percent(found.stars.trend) == float(str(wanted.trend[1]))
            assert found.stars.current.by_source == {"stargazers" if listed else "history": days}
            assert trend.outcome(found.forks.trend) == "both_zero"


def test_what_nobody_tells_of_is_unavailable_with_the_words_of_the_sources(db: Database) -> None:
    with sky(db, star_history=StarHistory(served=False)) as world:
        world.listed = lambda: False
        world.fetch()
        found = measured(world, 30)
    assert re.fullmatch(
        r"unavailable \(.*; GitHub does not show the list of .*\)", trend.words(found.stars.trend, NOW.date())
    )
    assert (found.stars.per_day, found.stars.current.total) == (None, None)
    assert trend.outcome(found.forks.trend) == "both_zero"


def test_days_that_nobody_asked_about_since_are_unknown_until_somebody_does(db: Database) -> None:
    with sky(db) as world:
        world.fetch(days=60)
        world.now += timedelta(days=3)
        repository = find(db, NAME)
        with db.reading() as tx:
            (before,) = coverages(tx, [repository.id], 60, world.now)
        assert before.series["stars"].counts.gaps[-1].since == NOW.date()
        assert trend.outcome(measured(world, 28).stars.trend) == "insufficient_data"
        world.fetch(days=60)
        assert trend.outcome(measured(world, 28).stars.trend) == "percent"
        assert measured(world, 28).stars.current.as_of(measured(world, 28).stars.asked) == world.now.astimezone(UTC)
