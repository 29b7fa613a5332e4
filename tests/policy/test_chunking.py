"""The customer's table for the first page, and how pages grow and shrink after it."""

from datetime import UTC, datetime

import pytest

from gh_backfill.models import Budget
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
    assert chunking.first_page(total, budget=Budget(limit=5_000, remaining=999, reset_at=NOW)) == size


def test_the_budget_is_low_under_a_fifth_of_the_actual_limit() -> None:
    assert chunking.first_page(500, budget=Budget(limit=1_000, remaining=200, reset_at=NOW)) == 25
    assert chunking.first_page(500, budget=Budget(limit=1_000, remaining=199, reset_at=NOW)) == 12


@pytest.mark.parametrize(("complexity", "size"), [(100.0, 25), (100.1, 17)])
def test_large_pull_requests_make_the_first_page_smaller(complexity: float, size: int) -> None:
    assert chunking.first_page(500, complexity=complexity) == size


def grown(size: PageSize, *, seconds: float = 0.1, read: int | None = None, largest: int = 74) -> PageSize:
    return size.after_clean(size.size, read=size.size if read is None else read, seconds=seconds, largest=largest)


def sizes(limit: int, pages: int, *, first: int = 25) -> tuple[list[int], int]:
    """Walk many pages of which those over `limit` fail; returns the sizes asked for, and how many failed."""
    size, asked, failed = PageSize(size=first), [], 0
    for _ in range(pages):
        asked.append(size.size)
        if size.size > limit:
            size, failed = size.after_too_big(size.size), failed + 1
        else:
            size = grown(size)
    return asked, failed


def test_a_quick_page_grows_to_the_largest_of_one_point() -> None:
    assert grown(PageSize(size=25)).size == 74


def test_a_page_grows_only_as_far_as_its_time_allows() -> None:
    assert grown(PageSize(size=25), seconds=2.5).size == 60


def test_a_slow_page_stays_as_it_is() -> None:
    assert grown(PageSize(size=25), seconds=3.5).size == 25


def test_a_page_that_was_not_full_proves_nothing_and_does_not_grow() -> None:
    assert grown(PageSize(size=25), read=7).size == 25


def test_a_page_that_had_less_room_than_its_size_leaves_the_size_alone() -> None:
    size = PageSize(size=40, worked=40).after_clean(12, read=12, seconds=0.1, largest=74)
    assert (size.size, size.worked) == (40, 40)


def test_the_largest_page_is_a_ceiling() -> None:
    assert grown(PageSize(size=10), largest=40).size == 30
    assert grown(PageSize(size=30), largest=40).size == 40
    assert grown(PageSize(size=60), largest=40).size == 40


def test_a_page_that_is_too_big_halves_down_to_one_where_nothing_worked_yet() -> None:
    assert sizes(0, 8, first=74)[0] == [74, 37, 18, 9, 4, 2, 1, 1]


def test_a_page_that_is_too_big_goes_back_to_what_worked() -> None:
    size = PageSize(size=74, worked=25).after_too_big(74)
    assert (size.size, size.too_big) == (25, 74)
    assert size.after_too_big(25).size == 12


@pytest.mark.parametrize(
    ("limit", "first", "failures"), [(30, 25, 3), (50, 25, 3), (12, 25, 3), (3, 25, 4), (20, 10, 3)]
)
def test_it_closes_in_on_what_works_with_few_failures_and_stays_there(limit: int, first: int, failures: int) -> None:
    asked, failed = sizes(limit, 100, first=first)
    assert failed <= failures
    assert 0.87 * limit <= asked[-1] <= limit
    assert len(set(asked[20:])) == 1


def test_after_many_clean_pages_the_size_that_failed_is_tried_once_more() -> None:
    asked, failed = sizes(30, 130)
    assert max(asked[20:]) > 30
    assert failed == 4
    assert asked[-1] == 28


def test_a_limit_that_is_gone_is_found_out() -> None:
    size = PageSize(size=28, worked=28, too_big=32, clean=chunking.PAGES_UNTIL_PROBE)
    assert grown(size).size == 32
    assert grown(grown(size)).size == 74
