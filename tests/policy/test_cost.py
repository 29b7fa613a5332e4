"""The price list, by the figures GitHub publishes."""

import pytest

from gh_backfill.policy import cost


@pytest.mark.parametrize(
    ("units", "points"), [(0, 1), (1, 1), (100, 1), (149, 1), (150, 2), (249, 2), (5_101, 51), (3_031, 30)]
)
def test_a_query_costs_its_units_divided_by_a_hundred_and_at_least_one_point(units: int, points: int) -> None:
    assert cost.points(units) == points


def test_seventy_four_pull_requests_are_the_most_that_one_point_buys() -> None:
    assert cost.cheapest_page() == 74
    assert cost.points(cost.page_units(74)) == 1
    assert cost.points(cost.page_units(75)) == 2


def test_the_cheapest_page_respects_a_ceiling() -> None:
    assert cost.cheapest_page(10) == 10
