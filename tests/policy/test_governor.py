"""May we spend: the reserve stays, GitHub's word holds, and the wait ends when there is something again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.models.github import Budget
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState, Cause, RateLimitReport, Wait

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESET = NOW + timedelta(minutes=20)


def standing(left: int = 1_000, *, limit: int = 1_000, busy: float = 0.0, who: str = "user:1") -> BudgetState:
    return BudgetState(identity=who, limit=limit, left=left, busy=busy, reset_at=RESET, not_before=None, moment=NOW)


def stops(wait: Wait | None) -> Cause | None:
    return None if wait is None else wait.cause


@pytest.mark.parametrize(("limit", "left"), [(60, 9), (1_000, 103), (5_000, 503)])
def test_points_above_the_reserve_may_be_spent(limit: int, left: int) -> None:
    assert governor.verdict(standing(left, limit=limit), 3) is None


@pytest.mark.parametrize(("limit", "left"), [(60, 8), (1_000, 102), (5_000, 502), (1_000, 0)])
def test_the_last_tenth_of_the_actual_limit_is_never_touched(limit: int, left: int) -> None:
    wait = governor.verdict(standing(left, limit=limit), 3)
    assert wait is not None
    assert (wait.cause, wait.until) == (Cause.POINTS, RESET + governor.MARGIN)


@given(limit=st.integers(0, 20_000), left=st.integers(0, 20_000), points=st.integers(1, 50))
def test_whatever_is_granted_leaves_a_tenth(limit: int, left: int, points: int) -> None:
    if governor.verdict(standing(left, limit=limit), points) is None:
        assert 10 * (left - points) >= limit


def test_after_the_reset_the_old_figure_counts_no_more() -> None:
    budget = Budget(limit=1_000, remaining=0, reset_at=NOW - governor.MARGIN)
    assert governor.verdict(governor.standing(budget, NOW), 3) is None
    fresh = Budget(limit=1_000, remaining=0, reset_at=NOW)
    assert stops(governor.verdict(governor.standing(fresh, NOW), 3)) is Cause.POINTS


def test_the_first_request_may_be_sent_to_learn_the_budget() -> None:
    assert governor.verdict(governor.unknown("user:1", NOW), 3) is None


def test_githubs_word_to_slow_down_comes_before_everything_else() -> None:
    told = governor.after_answer(
        standing(), RateLimitReport(seconds=0.1, budget=None, resume_at=NOW + timedelta(seconds=60))
    )
    wait = governor.verdict(told, 1)
    assert wait is not None
    assert (wait.cause, wait.seconds) == (Cause.TOLD, 60.0)
    assert governor.verdict(governor.at(told, NOW + timedelta(seconds=60)), 1) is None


def test_a_full_bucket_waits_until_it_has_leaked() -> None:
    wait = governor.verdict(standing(busy=governor.SLACK + 2 * governor.DRAIN), 1)
    assert wait is not None
    assert wait.cause is Cause.TIME
    assert wait.seconds == pytest.approx(2.0)


def test_a_big_request_is_let_in_like_a_small_one() -> None:
    assert governor.verdict(standing(busy=governor.SLACK), 1) is None


@pytest.mark.parametrize(("measured", "counted"), [(0.001, 0.03), (2.5, 2.5), (30.0, 10.0)])
def test_a_request_counts_with_its_length_within_what_github_can_have_spent(measured: float, counted: float) -> None:
    assert governor.seconds(measured) == counted


def test_the_richest_comes_first_by_what_it_may_still_spend() -> None:
    poor, rich = standing(400, limit=5_000, who="user:poor"), standing(300, limit=1_000, who="user:rich")
    slowed = governor.after_answer(
        standing(5_000, limit=5_000, who="user:slowed"), RateLimitReport(seconds=0.0, budget=None, resume_at=RESET)
    )
    assert [each.identity for each in governor.richest_first([slowed, poor, rich])] == [
        "user:rich",
        "user:poor",
        "user:slowed",
    ]
