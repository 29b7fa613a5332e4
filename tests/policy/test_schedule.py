"""When a repository is due: by priority, by the budget, and by how its last sync ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.schedule import (
    EARLY,
    Frequency,
    Pace,
    Priority,
    after_failure,
    after_refusal,
    after_success,
    interval,
    pace,
)

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
LOW_BUDGET = Pace(low_budget=True)
SAVING = Pace(saving=True)


def minutes(frequency: Frequency, at: Pace | None = None) -> float:
    return interval(frequency, at or Pace()) / timedelta(minutes=1)


@pytest.mark.parametrize(("priority", "expected"), [("high", 15), ("medium", 30), ("low", 60)])
def test_the_priority_decides(priority: str, expected: int) -> None:
    assert minutes(Frequency(priority=Priority(priority))) == expected


@pytest.mark.parametrize(
    ("priority", "hours", "own", "expected"),
    [
        ("low", 24, None, 60),  # the columns' defaults: nobody said anything
        ("low", 6, None, 360),
        ("high", 24, None, 1440),  # somebody chose the one and left, or chose, the other
        ("medium", None, None, 30),
        ("medium", 0, None, 30),
        ("low", 6, 10, 10),
    ],
)
def test_an_interval_of_its_own_goes_before_the_priority_where_it_was_set(
    priority: str, hours: int | None, own: int | None, expected: int
) -> None:
    assert minutes(Frequency(priority=Priority(priority), hours=hours, minutes=own)) == expected


def test_a_low_budget_means_an_hour_for_all_but_high_priority() -> None:
    assert [minutes(Frequency(priority=each), LOW_BUDGET) for each in Priority] == [15, 60, 60]
    assert minutes(Frequency(hours=6), LOW_BUDGET) == 360


def test_from_80_percent_of_the_monthly_budget_on_every_interval_is_doubled() -> None:
    assert [minutes(Frequency(priority=each), SAVING) for each in Priority] == [30, 60, 120]
    assert minutes(Frequency(), Pace(low_budget=True, saving=True)) == 120


@pytest.mark.parametrize(("left", "low"), [([499], True), ([500], False), ([10, 4000], False), ([], False)])
def test_the_budget_is_low_while_no_identity_has_500_points_left(left: list[int], low: bool) -> None:
    budgets = [
        BudgetState(identity=str(each), limit=5000, left=each, busy=0, reset_at=None, not_before=None, moment=NOW)
        for each in left
    ]
    assert pace(budgets, None) == Pace(low_budget=low)


@pytest.mark.parametrize(("used", "saving"), [(None, False), (79.9, False), (80.0, True), (120.0, True)])
def test_who_has_no_monthly_budget_saves_nothing(used: float | None, saving: bool) -> None:
    assert pace([], used).saving is saving


def test_a_tick_that_comes_a_little_early_finds_due_what_it_came_for() -> None:
    quarter = timedelta(minutes=15)
    assert after_success(NOW, quarter) == NOW + quarter - EARLY
    assert after_success(NOW, timedelta(minutes=1)) == NOW + timedelta(seconds=30)


def test_failures_are_tried_again_at_ever_longer_intervals_of_a_day_at_most() -> None:
    every = timedelta(minutes=30)
    waits = [after_failure(NOW, every, failures) + EARLY - NOW for failures in (1, 2, 3, 7, 500)]
    assert waits == [every, every * 2, every * 4, timedelta(days=1), timedelta(days=1)]
    assert after_failure(NOW, timedelta(days=7), 3) + EARLY - NOW == timedelta(days=7)


def test_what_github_refused_is_due_when_it_may_be_asked_again() -> None:
    later = NOW + timedelta(minutes=20)
    assert (after_refusal(NOW, later), after_refusal(NOW, None)) == (later, NOW)
    assert after_refusal(NOW, NOW - timedelta(hours=1)) == NOW
