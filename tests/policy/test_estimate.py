"""Estimates: what was measured counts, then the price list; and what the budget lacks is waited for."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.policy import query_prices
from gh_backfill.policy.estimate import CATCH_UP, TYPICAL_SECONDS, TYPICAL_WANTS, RemainingWork, duration, estimate
from gh_backfill.policy.governor import DRAIN, MARGIN, BudgetState, unknown

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = query_prices.Prices().cheapest_page()
# Ten pages left that cost two points each; a request takes 1.5 s, one of it at GitHub.
WORK = RemainingWork(
    left=10 * PAGE,
    catch_up=False,
    items=5 * PAGE,
    points=10,
    requests=10,
    timed_requests=10,
    seconds=15.0,
    request_seconds=9.0,
)


def standing(left: int, *, limit: int = 20, resets_in: float | None = 600.0) -> BudgetState:
    reset_at = None if resets_in is None else NOW + timedelta(seconds=resets_in)
    return BudgetState(identity="", limit=limit, left=left, busy=0.0, reset_at=reset_at, not_before=None, moment=NOW)


PLENTY = standing(5_000, limit=5_000)


def test_what_the_last_chunks_took_is_what_the_next_ones_take() -> None:
    found = estimate(WORK, PLENTY)
    assert (found.pull_requests, found.points, found.measured) == (10 * PAGE, 20, True)
    assert (found.seconds, found.waiting) == (30.0, 0.0)


def test_where_nothing_is_measured_the_price_list_counts() -> None:
    found = estimate(RemainingWork(left=10 * PAGE), unknown("", NOW))
    expected = 10 * PAGE * (query_prices.UNITS_OF_A_PULL_REQUEST + TYPICAL_WANTS) / query_prices.UNITS_OF_ONE_POINT
    assert (found.points, found.measured) == (math.ceil(expected), False)
    assert found.seconds == pytest.approx(found.points * TYPICAL_SECONDS, abs=0.1)


def test_smaller_pages_are_more_pages() -> None:
    assert estimate(WORK, PLENTY, ceiling=10).points == PAGE
    assert estimate(RemainingWork(left=100, catch_up=False), PLENTY, ceiling=2).points == 50


def test_after_the_walk_only_the_catch_up_is_left() -> None:
    assert estimate(RemainingWork(left=0), PLENTY).points == CATCH_UP
    nothing = estimate(RemainingWork(left=0, catch_up=False), standing(0))
    assert (nothing.points, nothing.seconds, nothing.waiting) == (0, 0.0, 0.0)


def test_retries_are_requests_that_take_time_and_no_points() -> None:
    found = estimate(RemainingWork(left=PAGE, catch_up=False, items=PAGE, points=2, requests=4), PLENTY)
    assert found.points == 2
    assert found.seconds == pytest.approx(4 * TYPICAL_SECONDS, abs=0.1)


def test_no_request_is_faster_than_githubs_60_seconds_a_minute_allow() -> None:
    quick = RemainingWork(
        left=PAGE,
        catch_up=False,
        items=PAGE,
        points=10,
        requests=10,
        timed_requests=10,
        seconds=9.0,
        request_seconds=9.0,
    )
    assert estimate(quick, PLENTY).seconds == pytest.approx(9.0 / DRAIN, abs=0.1)


def test_points_that_lack_are_waited_for_until_the_reset() -> None:
    found = estimate(WORK, standing(12))  # 10 above the reserve, 18 every hour
    assert found.seconds == pytest.approx(600 + MARGIN.total_seconds() + 10 * 1.5, abs=0.1)
    assert found.waiting == pytest.approx(found.seconds - 30.0, abs=0.1)


def test_many_hours_are_waited_for_one_after_another() -> None:
    much = RemainingWork(left=100 * PAGE, catch_up=False, items=5 * PAGE, points=10, requests=10)
    found = estimate(much, standing(2))  # 200 points: none now, 18 in each hour, the last 2 in the twelfth
    hour = 3600 + MARGIN.total_seconds()
    assert found.seconds == pytest.approx(600 + MARGIN.total_seconds() + 11 * hour + 2 * TYPICAL_SECONDS, abs=1)


def test_a_reset_under_way_brings_new_points_without_waiting() -> None:
    assert estimate(WORK, standing(12, resets_in=5.0)).waiting == 0.0


def test_a_wish_to_slow_down_is_waited_for() -> None:
    told = BudgetState(
        identity="", limit=5_000, left=5_000, busy=0.0, reset_at=None, not_before=NOW + timedelta(minutes=1), moment=NOW
    )
    assert estimate(WORK, told).seconds == pytest.approx(90.0, abs=0.1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 s"),
        (59, "59 s"),
        (61, "1 min"),
        (3_570, "1 h 0 min"),
        (5_400, "1 h 30 min"),
        (172_800, "2 d 0 h"),
        (180_000, "2 d 2 h"),
    ],
)
def test_a_length_of_time_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_people_read_points_and_time_and_how_much_of_it_is_waiting() -> None:
    assert str(estimate(WORK, PLENTY)) == "about 20 points, 30 s"
    assert str(estimate(WORK, standing(12))) == "about 20 points, 10 min, 10 min of it waiting"
