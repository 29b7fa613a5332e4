"""The route of review comments: no list, all of it, or down to a date, by what both budgets have left."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.pull_requests import rest_listing
from gh_backfill.policy.pull_requests.rest_listing import RestListing, Workload
from tests import examples

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LARGE = {"pull_requests": 80_000, "behind": 100, "comments": 1.0, "units": 6.0}


def work(**changes: object) -> Workload:
    given: dict[str, object] = {
        "pull_requests": 1_000,
        "behind": 0,
        "comments": 3.0,
        "units": 3.0,
        "position": datetime(2026, 1, 1, tzinfo=UTC),
        "apart": HOUR,
        "point_seconds": 1.5,
        "request_seconds": 0.8,
    }
    return Workload(**(given | changes))  # type: ignore[arg-type]


def standing(left: int, limit: int = 1_000, resets_in: timedelta | None = HOUR, wait: bool = False) -> BudgetState:
    return BudgetState(
        identity="me",
        limit=limit,
        left=left,
        busy=0.0,
        reset_at=None if resets_in is None else NOW + resets_in,
        not_before=NOW + HOUR if wait else None,
        moment=NOW,
    )


def planned(given: Workload, points: BudgetState, requests: BudgetState) -> RestListing | None:
    return rest_listing.plan(given, [points], [requests])


def test_nothing_is_listed_where_the_points_suffice_and_no_time_is_saved() -> None:
    assert planned(work(comments=30.0), standing(1_000), standing(1_000)) is None


def test_the_whole_list_is_taken_where_the_points_do_not_suffice_and_the_requests_do() -> None:
    assert planned(work(**LARGE), standing(1_000), standing(5_000, 5_000)) == RestListing(since=None, requests=819)


def test_the_list_reaches_as_far_as_the_requests_that_are_left() -> None:
    found = planned(work(**LARGE), standing(1_000), standing(500))
    assert found is not None
    assert found.requests <= 400
    assert found.since == datetime(2026, 1, 1, tzinfo=UTC) - 36_000 * HOUR


def test_it_is_taken_where_it_saves_much_time_though_the_points_suffice() -> None:
    slow = work(pull_requests=20_000, comments=1.0, units=6.0, point_seconds=5.0)
    assert planned(slow, standing(5_000, 5_000), standing(5_000, 5_000)) == RestListing(since=None, requests=205)


@pytest.mark.parametrize("core", [standing(100), standing(0), standing(1_000, wait=True)])
def test_a_budget_without_requests_above_the_reserve_has_no_list(core: BudgetState) -> None:
    assert planned(work(**LARGE), standing(1_000), core) is None


def test_what_is_captured_already_counts_for_it_is_listed_too() -> None:
    assert planned(work(**(LARGE | {"behind": 400_000})), standing(1_000), standing(1_000)) is None


def test_a_job_that_ends_before_the_list_pays_does_without() -> None:
    assert planned(work(**(LARGE | {"behind": 60_000}), until=600.0), standing(1_000), standing(1_000)) is None


def test_a_job_that_ends_in_time_captures_more_with_the_list_of_what_it_can_do() -> None:
    found = planned(work(**LARGE, until=3_000.0), standing(300), standing(1_000))
    assert found is not None
    assert found.since is not None
    assert found.requests < 300


def test_waiting_for_a_reset_counts() -> None:
    assert rest_listing.spending(100, 1.0, [standing(200)]) == (100, 100)
    assert rest_listing.spending(200, 1.0, [standing(200)]) == (3_605 + 100, 200)
    assert rest_listing.spending(1_100, 1.0, [standing(200)]) == (3_605 + 3_600 + 100, 1_100)
    assert rest_listing.spending(200, 1.0, [standing(200), standing(200)]) == (200, 200)
    assert rest_listing.spending(200, 1.0, [standing(200)], until=1_000) == (1_000, 100)


def test_units_are_those_of_the_cheaper_way_by_review_or_by_thread() -> None:
    reviews = tuple(examples.review(number, comments=2) for number in range(1, 6))
    by_review = examples.complete(reviews=reviews, pull_request=examples.pull_request(review_threads=9))
    by_thread = examples.complete(reviews=reviews, pull_request=examples.pull_request(review_threads=2))
    of_no_review = examples.complete(reviews=(), pull_request=examples.pull_request(review_threads=2))
    assert [rest_listing.units([each]) for each in (by_review, by_thread, of_no_review)] == [5, 3, 3]
    assert (rest_listing.units([by_review, by_thread]), rest_listing.units([])) == (4.0, 0.0)


@pytest.mark.parametrize(("points", "worth"), [(1_000, False), (110, True)])
def test_what_rest_has_left_is_asked_for_only_where_graphql_alone_takes_long(points: int, worth: bool) -> None:
    assert rest_listing.worth_a_request(work(), [standing(points)]) is worth


@given(
    left=st.integers(1, 200_000),
    behind=st.integers(0, 300_000),
    comments=st.floats(0, 20),
    units=st.floats(0, 20),
    points=st.integers(0, 5_000),
    requests=st.integers(0, 5_000),
    until=st.one_of(st.just(math.inf), st.floats(1, 20_000)),
)
def test_a_route_never_touches_the_reserve(
    left: int, behind: int, comments: float, units: float, points: int, requests: int, until: float
) -> None:
    given = work(pull_requests=left, behind=behind, comments=comments, units=units, until=until)
    core = standing(requests, 5_000)
    found = planned(given, standing(points, 5_000), core)
    if found is not None:
        assert found.requests <= core.spendable
        assert found.since is None or found.since < given.position
