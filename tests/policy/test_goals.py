"""What a goal is about, in words and item by item, and which one contains another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.models.github import Unreadable
from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.models.work import Goal
from gh_backfill.policy import goals
from gh_backfill.policy.items import Slot
from gh_backfill.policy.progress import missing, of_wanted

OPEN, CLOSED, MERGED = PullRequestState
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
days = st.none() | st.integers(0, 8).map(lambda day: BEGAN + timedelta(days=day))
any_goal = st.builds(
    Goal,
    max_items=st.none() | st.integers(1, 6),
    since=days,
    until=days,
    states=st.lists(st.sampled_from(PullRequestState), max_size=3).map(tuple),
)
Item = tuple[datetime, PullRequestState]
items = st.lists(
    st.tuples(st.integers(0, 8).map(lambda day: BEGAN + timedelta(days=day)), st.sampled_from(PullRequestState)),
    max_size=12,
).map(lambda found: sorted(found, key=lambda item: item[0], reverse=True))


def about(goal: Goal, world: Sequence[Item]) -> list[int]:
    found = [
        place
        for place, (created_at, state) in enumerate(world)
        if goals.in_time(goal, created_at) and (not goal.states or state in goal.states)
    ]
    return found[: goal.max_items]


def slot(created_at: datetime | None) -> Slot:
    lost = Unreadable(kind="pull_request", identity="x", reason="", created_at=created_at)
    return Slot(after="c", item=None, unreadable=(lost,))


@given(any_goal, any_goal, items)
def test_whoever_has_what_a_goal_is_about_has_that_of_each_that_it_covers(
    goal: Goal, other: Goal, world: list[Item]
) -> None:
    if goals.covers(goal, other):
        assert set(about(other, world)) <= set(about(goal, world))


@given(any_goal)
def test_every_goal_covers_itself_and_everything_covers_every_goal(goal: Goal) -> None:
    assert goals.covers(goal, goal)
    assert goals.covers(Goal(), goal)
    assert goals.covers(goal, Goal()) == (goal == Goal())


@given(any_goal, any_goal, items)
def test_a_walk_that_goes_on_to_another_goal_has_all_of_that_above_its_place(
    goal: Goal, other: Goal, world: list[Item]
) -> None:
    read = about(goal, world)
    if goals.goes_on(goal, other) and read:
        assert {place for place in about(other, world) if place <= read[-1]} <= set(read)


@given(any_goal, items)
def test_a_page_is_of_the_goal_between_what_is_newer_and_what_is_past(goal: Goal, world: list[Item]) -> None:
    slots = [slot(created_at) for created_at, _ in world]
    late, end = goals.newer(goal, slots), goals.past(goal, slots)
    between = slots[late : len(slots) if end is None else end]
    assert [each for each in slots if goals.in_time(goal, each.created_at)] == between


def test_what_nobody_knows_the_time_of_is_not_passed_by() -> None:
    goal = Goal(since=BEGAN, until=BEGAN + timedelta(days=2))
    page = [slot(BEGAN + timedelta(days=3)), slot(None), slot(BEGAN + timedelta(days=1)), slot(None)]
    assert (goals.newer(goal, page), goals.past(goal, page)) == (1, None)
    assert goals.matches(goal, page[1])


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (Goal(), "everything"),
        (Goal(max_items=200), "the newest 200"),
        (Goal(since=BEGAN), "all since 2026-01-01"),
        (
            Goal(since=BEGAN, until=datetime(2026, 3, 1, tzinfo=UTC), states=(MERGED,)),
            "all merged since 2026-01-01 and before 2026-03-01",
        ),
        (Goal(max_items=50, states=(MERGED, OPEN)), "the newest 50 open or merged"),
        (Goal(states=(MERGED, OPEN, CLOSED)), "everything"),
        (Goal(until=datetime(2026, 3, 1, 12, 30, tzinfo=UTC)), "all before 2026-03-01 12:30 UTC"),
    ],
)
def test_a_goal_is_said_in_words(goal: Goal, words: str) -> None:
    assert goal.words == words


@pytest.mark.parametrize(
    ("goal", "ended", "wanted"),
    [
        (Goal(), True, None),
        (Goal(max_items=5), True, None),
        (Goal(states=(MERGED,)), False, 120),
        (Goal(since=BEGAN), False, None),
        (Goal(since=BEGAN), True, 120),
        (Goal(until=BEGAN, states=(MERGED,)), True, None),
    ],
)
def test_github_counts_what_is_of_states_and_of_a_span_only_what_its_list_ends_in(
    goal: Goal, ended: bool, wanted: int | None
) -> None:
    assert goals.number_wanted(goal, of_list=120, at_its_end=ended) == wanted


def test_how_many_are_wanted_of_a_span_is_not_said_before_it_is_known() -> None:
    assert of_wanted(20, 180, None, open_ended=True) == "20 so far (of 180 in all)"
    assert of_wanted("", 180, None, "", open_ended=True) == "so far (of 180 in all)"
    assert of_wanted(20, None, None, open_ended=True) == "20 of ?"


@pytest.mark.parametrize(("stuck", "lacks"), [(False, 0), (True, 1)])
def test_a_walk_through_what_nobody_counts_lacks_something_if_it_did_not_end(stuck: bool, lacks: int) -> None:
    assert missing(None, None, listed=5, stored=5, later=0, stuck=stuck) == lacks
