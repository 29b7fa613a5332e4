"""Discussions with comments and replies come whole, beside other kinds or alone, at their floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.server import running
from gh_backfill.store.db import Database
from gh_backfill.tasks import capture
from tests.discussion_comparison import differences, floor
from tests.tasks.conftest import House

TALK = "octo/talk"
QUIET = "octo/quiet"
DISCUSSIONS = ("discussions",)
WHOLE = Limits()


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    world = load(recipes=[f"{TALK}:24:discussions=40", f"{QUIET}:3"])
    with running(world) as github, Database(database_url) as db:
        yield House(db=db, url=database_url, github=github)


def captured(
    house: House, kinds: Sequence[str] | None = DISCUSSIONS, name: str = TALK, limits: Limits = WHOLE
) -> Captured:
    return capture.run(
        house.db,
        house.graphql(),
        house.run,
        name,
        limits,
        kinds=kinds,
        listen=lambda progress: None,
        sleep=house.wait,
    )


def wrong(house: House, name: str = TALK) -> list[str]:
    with house.db.transaction(read_only=True) as tx:
        return differences(tx, house.github.world, name)


def test_discussions_alone_come_whole_and_nothing_else_comes_with_them(house: House) -> None:
    house.track(TALK)
    done = captured(house)
    assert (done.outcome, done.items) == (CaptureOutcome.COMPLETED, 40)
    assert wrong(house) == []
    assert (house.count("discussions"), house.count("pull_requests"), house.count("issues")) == (40, 0, 0)
    assert house.count("discussion_comments") > 300


def test_a_second_capture_changes_nothing(house: House) -> None:
    house.track(TALK)
    captured(house)
    again = captured(house)
    assert (again.counts.inserted, again.counts.updated, again.spent.points) == (0, 0, 1)


def test_a_capture_of_discussions_goes_on_where_it_was(house: House) -> None:
    house.track(TALK)
    done = [captured(house, limits=Limits(chunk_size=15, max_chunks=1)) for _ in range(4)]
    assert [each.items for each in done] == [15, 15, 10, 0]
    assert wrong(house) == []


def test_a_repository_that_has_discussions_disabled_is_complete_for_two_points_at_most(house: House) -> None:
    house.track(QUIET)
    done = captured(house, name=QUIET)
    assert (done.outcome, done.items) == (CaptureOutcome.COMPLETED, 0)
    assert done.spent.points <= 2


@pytest.mark.parametrize("name", ["null_with_error", "shrink", "double", "wrong_cursors", "null_edge", "missing_id"])
def test_odd_answers_about_discussions_lose_nothing(house: House, name: str) -> None:
    house.track(TALK)
    house.github.faults.add(Fault(name=name, count=2, match={"operation": "Discussion|Replies"}))
    assert [captured(house).outcome for _ in range(3)][-1] is CaptureOutcome.COMPLETED
    assert wrong(house) == []


@pytest.mark.parametrize("many", [1, 100, 101, 700, 3_000])
def test_a_capture_costs_no_more_than_its_floor_and_a_tenth_and_two(database_url: str, many: int) -> None:
    with running(load(recipes=[f"octo/large:2:discussions={many}"])) as github, Database(database_url) as db:
        house = House(db=db, url=database_url, github=github)
        house.track("octo/large")
        done = captured(house, name="octo/large")
        assert done.outcome is CaptureOutcome.COMPLETED
        assert wrong(house, "octo/large") == []
        assert done.spent.points <= 1.1 * floor(github.world, "octo/large") + 2
