"""The customer's table for the first page, and how pages grow and shrink after it."""

from datetime import UTC, datetime

import pytest

from gh_backfill.models.github import Budget
from gh_backfill.policy import chunking
from gh_backfill.policy.chunking import PageSize

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("total", "size"),
    [(0, 25), (1_000, 25), (1_001, 20), (5_000, 20), (5_001, 15), (10_000, 15), (10_001, 10), (500_000, 10)],
)
def test_the_first_page_follows_the_size_of_the_repository(total: int, size: int) -> None:
    assert chunking.first_page(total) == size


@pytest.mark.parametrize(("total", "size"), [(500, 12), (20_000, 5)])
def test_a_low_budget_halves_the_first_page_but_not_below_five(total: int, size: int) -> None:
    assert chunking.first_page(total, low_budget=True) == size


def test_the_budget_is_low_under_a_fifth_of_the_actual_limit() -> None:
    assert not chunking.is_low(Budget(limit=1_000, remaining=200, reset_at=NOW))
    assert chunking.is_low(Budget(limit=1_000, remaining=199, reset_at=NOW))


@pytest.mark.parametrize(("complexity", "size"), [(100.0, 25), (100.1, 17)])
def test_large_pull_requests_make_the_first_page_smaller(complexity: float, size: int) -> None:
    assert chunking.first_page(500, complexity=complexity) == size


def grown(
    size: PageSize, *, seconds: float = 0.1, read: int | None = None, largest: int = 74, left: int = 5_000
) -> PageSize:
    read = size.size if read is None else read
    return size.after_clean(size.size, read=read, seconds=seconds, largest=largest, left=left)


def walked(total: int, limit: int, *, first: int = 25) -> list[int]:
    """Walk a repository of which pages over `limit` fail; returns the sizes asked for."""
    size, asked, left = PageSize(size=first), [], total
    while left > 0:
        asked.append(size.size)
        if size.size > limit:
            size = size.after_too_big(size.size)
        else:
            left -= size.size
            size = grown(size, left=left)
    return asked


def test_a_quick_page_grows_to_the_largest_of_one_point() -> None:
    assert walked(1_000, 74)[:4] == [25, 74, 74, 74]


def test_a_page_grows_only_as_far_as_its_time_allows() -> None:
    assert grown(PageSize(size=25), seconds=2.9).size == 51
    assert PageSize(size=25).after_clean(25, read=25, seconds=5.0, largest=74, left=9).size == 25


def test_a_slow_page_stays_as_it_is() -> None:
    assert grown(PageSize(size=25), seconds=3.5).size == 25


def test_a_page_that_was_not_full_proves_nothing_and_does_not_grow() -> None:
    assert grown(PageSize(size=25), read=7).size == 25


def test_a_page_that_had_less_room_than_its_size_leaves_the_size_alone() -> None:
    size = PageSize(size=40, worked=40).after_clean(12, read=12, seconds=0.1, largest=74, left=900)
    assert (size.size, size.worked) == (40, 40)


def test_the_largest_page_is_a_ceiling() -> None:
    assert grown(PageSize(size=10), largest=40).size == 30
    assert grown(PageSize(size=30), largest=40).size == 40
    assert grown(PageSize(size=60), largest=40).size == 40


def test_a_page_that_is_too_big_halves_down_to_one_where_nothing_worked_yet() -> None:
    size = PageSize(size=74)
    asked = []
    for _ in range(8):
        asked.append(size.size)
        size = size.after_too_big(size.size)
    assert asked == [74, 37, 18, 9, 4, 2, 1, 1]


def test_a_page_that_is_too_big_goes_back_to_what_worked() -> None:
    size = PageSize(size=74, worked=25).after_too_big(74)
    assert (size.size, size.too_big) == (25, 74)
    assert size.after_too_big(25).size == 12


@pytest.mark.parametrize("limit", [12, 20, 30, 50])
@pytest.mark.parametrize(("total", "first"), [(3_000, 20), (5_000, 20), (50_000, 10)])
def test_it_closes_in_on_what_works_for_few_points_more_than_the_best_fixed_size(
    total: int, first: int, limit: int
) -> None:
    asked = walked(total, limit, first=first)
    best = -(-total // limit)
    assert len(asked) <= 1.05 * best + 2
    assert asked[-2] >= 0.9 * limit


def test_it_stops_looking_where_too_little_is_left_to_gain_from_it() -> None:
    size = PageSize(size=28, worked=28, too_big=32)
    assert grown(size, left=5_000).size == 29
    assert grown(size, left=500).size == 28


def test_after_many_clean_pages_the_size_that_failed_is_tried_once_more() -> None:
    size = PageSize(size=30, worked=30, too_big=31, clean=chunking.PAGES_UNTIL_PROBE)
    assert grown(size).size == 31
    assert grown(size).after_too_big(31) == PageSize(size=30, worked=30, too_big=31)


def test_a_limit_that_is_gone_is_found_out() -> None:
    size = PageSize(size=28, worked=28, too_big=32, clean=chunking.PAGES_UNTIL_PROBE)
    assert grown(size).size == 32
    assert grown(grown(size)).size == 74
