"""The customer's table for the first page, and how pages grow and shrink after it."""

from datetime import UTC, datetime

import pytest

from gh_backfill.models import Budget
from gh_backfill.policy import chunking

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("total", "size"),
    [(0, 25), (1_000, 25), (1_001, 20), (5_000, 20), (5_001, 15), (10_000, 15), (10_001, 10), (500_000, 10)],
)
def test_the_first_page_follows_the_size_of_the_repository(total: int, size: int) -> None:
    assert chunking.first_page(total) == size


@pytest.mark.parametrize(("total", "size"), [(500, 12), (20_000, 5)])
def test_a_low_budget_halves_the_first_page_but_not_below_five(total: int, size: int) -> None:
    assert chunking.first_page(total, budget=Budget(limit=5_000, remaining=999, reset_at=NOW)) == size


def test_the_budget_is_low_under_a_fifth_of_the_actual_limit() -> None:
    assert chunking.first_page(500, budget=Budget(limit=1_000, remaining=200, reset_at=NOW)) == 25
    assert chunking.first_page(500, budget=Budget(limit=1_000, remaining=199, reset_at=NOW)) == 12


@pytest.mark.parametrize(("complexity", "size"), [(100.0, 25), (100.1, 17)])
def test_large_pull_requests_make_the_first_page_smaller(complexity: float, size: int) -> None:
    assert chunking.first_page(500, complexity=complexity) == size


def test_a_quick_page_grows_to_the_largest_of_one_point() -> None:
    assert chunking.next_page(25, seconds=0.5, read=25) == 74


def test_a_page_grows_only_as_far_as_its_time_allows() -> None:
    assert chunking.next_page(25, seconds=2.5, read=25) == 60


def test_a_slow_page_stays_as_it_is() -> None:
    assert chunking.next_page(25, seconds=3.5, read=25) == 25


def test_a_page_that_was_not_full_proves_nothing_and_does_not_grow() -> None:
    assert chunking.next_page(25, seconds=0.1, read=7) == 25


def test_an_explicit_chunk_size_is_a_ceiling() -> None:
    assert chunking.next_page(10, seconds=0.1, read=10, ceiling=40) == 30
    assert chunking.next_page(30, seconds=0.1, read=30, ceiling=40) == 40


def test_a_page_that_is_too_big_halves_down_to_one() -> None:
    sizes = [74]
    while sizes[-1] > 1:
        sizes.append(chunking.after_too_big(sizes[-1]))
    assert sizes == [74, 37, 18, 9, 4, 2, 1]


def test_after_a_failure_the_page_closes_in_on_the_size_that_failed_and_then_stays() -> None:
    sizes = [15]
    for _ in range(6):
        sizes.append(chunking.next_page(sizes[-1], seconds=0.1, read=sizes[-1], too_big=31))
    assert sizes == [15, 23, 27, 29, 29, 29, 29]


def test_a_size_that_failed_far_above_does_not_hold_a_page_back() -> None:
    assert chunking.next_page(10, seconds=0.1, read=10, too_big=60) == 30
