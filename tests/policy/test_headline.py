"""The sentence on top of the monitor follows from how things are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.pages.headline import Overall, below, headline
from gh_backfill.policy.shown import PageState

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
RECENT, OLD = NOW - timedelta(hours=11), NOW - timedelta(days=3)
POINTS = NOW.replace(hour=14, minute=22)

OF_JOBS = {PageState.SILENT, PageState.SKIPPED}  # only a job can have them
WORLDS = [
    (Overall(), "Nothing is tracked yet"),
    (
        Overall(states={PageState.FAILED: 1, PageState.RUNNING: 3, PageState.COMPLETED: 42}, need=1),
        "One repository needs you",
    ),
    (Overall(states={PageState.FAILED: 2, PageState.COMPLETED: 44}, need=2), "Two repositories need you"),
    (Overall(states={PageState.FAILED: 1200}, need=1200), "1,200 repositories need you"),
    (Overall(states={PageState.RETRYING: 1, PageState.RUNNING: 2}), "One repository fails and is tried again"),
    (Overall(states={PageState.RUNNING: 1}), "One backfill runs"),
    (
        Overall(states={PageState.STARVED: 4, PageState.COMPLETED: 2}, points_at=POINTS),
        "Waiting for points until 14:22 UTC",
    ),
    (
        Overall(states={PageState.STARVED: 1}, points_at=POINTS + timedelta(days=1)),
        "Waiting for points until 28 November 14:22 UTC",
    ),
    (Overall(states={PageState.COMPLETED: 46}, stalest=RECENT), "All 46 are complete and fresh"),
    (Overall(states={PageState.COMPLETED: 46}, stalest=OLD), "All 46 are complete"),
    (Overall(states={PageState.COMPLETED: 1}, stalest=RECENT), "The repository is complete and fresh"),
    (Overall(states={PageState.COMPLETED: 1, PageState.WAITING: 2}), "Two backfills wait their turn"),
    (Overall(states={PageState.NEVER: 3}), "Three repositories wait for their first run"),
    (Overall(states={PageState.COMPLETED: 1, PageState.CANCELLED: 2}), "All that was not given up is complete"),
    (Overall(states={PageState.HELD: 2}), "Two repositories are held by a person"),
]


@pytest.mark.parametrize(("world", "text"), WORLDS)
def test_the_headline_says_what_matters_most(world: Overall, text: str) -> None:
    assert headline(world, NOW) == text


def test_the_sentence_below_counts_every_state() -> None:
    world = Overall(
        states={
            PageState.RUNNING: 3,
            PageState.STARVED: 1,
            PageState.COMPLETED: 41,
            PageState.FAILED: 1,
            PageState.CANCELLED: 2,
        },
        need=1,
        points_at=POINTS,
        stalest=RECENT,
    )
    assert below(world, NOW) == (
        "1 failed, 3 backfills run, 1 waits for points until 14:22 UTC, 41 repositories are complete and fresh, "
        "2 given up."
    )


@pytest.mark.parametrize("state", sorted(set(PageState) - OF_JOBS))
def test_no_state_leaves_the_page_without_a_sentence(state: PageState) -> None:
    world = Overall(states={state: 1})
    assert headline(world, NOW)
    assert below(world, NOW).endswith(".")
