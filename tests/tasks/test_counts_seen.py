"""Each sync and each look at what is due keeps how many stars and forks GitHub counts, for nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gh_backfill.engine.background import at_once
from gh_backfill.policy.velocity.observed import Observed
from gh_backfill.tasks import sync
from gh_backfill.tasks.dispatch import due
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.velocity.figures import velocities
from tests.tasks.conftest import SMALL, House
from tests.test_cli import ROOT, cli


def synced(house: House, *kinds: str) -> None:
    sync.run(
        *(house.db, house.graphql(), house.run, SMALL, SyncWish()),
        kinds=kinds or None, sleep=house.wait, begin=at_once,
    )  # fmt: skip


def asked_about(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update repository_syncs set next_due_at = clock_timestamp()")
    assert due.ask(house.db, house.graphql(), sleep=house.wait).unchanged == 1


def counts(house: House, stars: int, forks: int) -> None:
    """Let GitHub count so many stars and forks."""
    home = house.github.world.repository(*SMALL.split("/"))
    assert home is not None
    house.github.world.repositories[home.id] = replace(home, stargazers=stars, forks=forks)


def a_day_passes(house: House) -> None:
    with house.db.transaction() as tx:
        tx.run("update count_snapshots set taken_at = taken_at - interval '1 day'")


def seen(house: House) -> list[tuple[int, int]]:
    rows = house.rows("select stars, forks from count_snapshots order by taken_at")
    return [(row["stars"], row["forks"]) for row in rows]


def shown(house: House) -> dict[str, Any]:
    return house.only("select stargazers_count as stars, forks_count as forks from repositories")


def velocity(house: House, later: timedelta = timedelta(days=1)) -> Observed | None:
    repository_id = house.only("select id from repositories")["id"]
    with house.db.reading() as tx:
        (found,) = velocities(tx, [repository_id], 30, datetime.now(UTC) + later)
    return found.observed


@pytest.fixture
def complete(house: House) -> House:
    house.track(SMALL)
    house.capture(SMALL)
    with house.db.transaction() as tx:
        tx.run("delete from count_snapshots")
    return house


@pytest.mark.parametrize("look", [synced, asked_about])
def test_the_net_change_and_what_was_taken_back_are_in_the_velocity_of_what_was_synced(
    complete: House, look: Any
) -> None:
    synced(complete)
    with complete.db.transaction() as tx:
        tx.run("delete from count_snapshots")
    for stars, forks in ((100, 7), (104, 8), (97, 8)):
        a_day_passes(complete)
        counts(complete, stars, forks)
        look(complete)
    assert seen(complete) == [(100, 7), (104, 8), (97, 8)]
    assert shown(complete) == {"stars": 97, "forks": 8}
    found = velocity(complete)
    assert found is not None
    assert (found.stars, found.forks, found.taken_back) == (-3, 1, 7)


def test_the_command_tells_both(complete: House, tmp_path: Path) -> None:
    for stars, forks in ((100, 7), (104, 8), (97, 8)):
        counts(complete, stars, forks)
        synced(complete)
        a_day_passes(complete)
    place = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    told = cli(place, "velocity", SMALL, DATABASE_URL=complete.url).stdout
    assert "GitHub's counts since" in " ".join(told.split())
    assert "-3 stars, +1 fork; at least 7 stars taken back" in " ".join(told.split())


def test_one_row_a_day_and_one_a_change(complete: House) -> None:
    for stars in (5, 5, 6, 6, 6):
        counts(complete, stars, 1)
        synced(complete)
        with complete.db.transaction() as tx:  # a second passes
            tx.run("update count_snapshots set taken_at = taken_at - interval '1 second'")
    assert seen(complete) == [(5, 1), (6, 1)]


def test_a_sync_of_issues_alone_keeps_them_too(complete: House) -> None:
    with complete.db.transaction() as tx:
        tx.run("update tracked_repositories set kinds = '{issues}'")
    counts(complete, 11, 2)
    synced(complete, "issues")
    assert seen(complete) == [(11, 2)]


def test_it_costs_no_point_and_no_request(complete: House) -> None:
    before = (complete.github.stats.points, complete.github.stats.requests)
    synced(complete)
    asked_about(complete)
    after = (complete.github.stats.points, complete.github.stats.requests)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2)
    assert len(seen(complete)) == 1


def test_one_look_is_no_change(complete: House) -> None:
    synced(complete)
    assert velocity(complete) is None
