"""The sentence on top of the monitor follows from how things are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.pages.headline import World, below, headline
from gh_backfill.policy.shown import OF_JOBS, State

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
RECENT, OLD = NOW - timedelta(hours=11), NOW - timedelta(days=3)
POINTS = NOW.replace(hour=14, minute=22)

WORLDS = [
    (World(), "Nothing is tracked yet"),
    (World(states={State.FAILED: 1, State.RUNNING: 3, State.COMPLETED: 42}, need=1), "One repository needs you"),
    (World(states={State.FAILED: 2, State.COMPLETED: 44}, need=2), "Two repositories need you"),
    (World(states={State.FAILED: 1200}, need=1200), "1,200 repositories need you"),
    (World(states={State.RETRYING: 1, State.RUNNING: 2}), "One repository fails and is tried again"),
    (World(states={State.RUNNING: 1}), "One backfill runs"),
    (World(states={State.STARVED: 4, State.COMPLETED: 2}, points_at=POINTS), "Waiting for points until 14:22 UTC"),
    (
        World(states={State.STARVED: 1}, points_at=POINTS + timedelta(days=1)),
        "Waiting for points until 28 November 14:22 UTC",
    ),
    (World(states={State.COMPLETED: 46}, stalest=RECENT), "All 46 are complete and fresh"),
    (World(states={State.COMPLETED: 46}, stalest=OLD), "All 46 are complete"),
    (World(states={State.COMPLETED: 1}, stalest=RECENT), "The repository is complete and fresh"),
    (World(states={State.COMPLETED: 1, State.WAITING: 2}), "Two backfills wait their turn"),
    (World(states={State.NEVER: 3}), "Three repositories wait for their first run"),
    (World(states={State.COMPLETED: 1, State.CANCELLED: 2}), "All that was asked for is complete"),
    (World(states={State.HELD: 2}), "Nothing runs: a person stopped what is here"),
]


@pytest.mark.parametrize(("world", "text"), WORLDS)
def test_the_headline_says_what_matters_most(world: World, text: str) -> None:
    assert headline(world, NOW) == text


def test_the_sentence_below_counts_every_state() -> None:
    world = World(
        states={State.RUNNING: 3, State.STARVED: 1, State.COMPLETED: 41, State.FAILED: 1, State.CANCELLED: 2},
        need=1,
        points_at=POINTS,
        stalest=RECENT,
    )
    assert below(world, NOW) == (
        "1 failed, 3 backfills run, 1 waits for points until 14:22 UTC, 41 repositories are complete and fresh, "
        "2 given up."
    )


@pytest.mark.parametrize("state", sorted(set(State) - OF_JOBS))
def test_no_state_leaves_the_page_without_a_sentence(state: State) -> None:
    world = World(states={state: 1})
    assert headline(world, NOW)
    assert below(world, NOW).endswith(".")
