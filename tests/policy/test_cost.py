"""The price list, by the figures GitHub publishes; and what is learned where GitHub charges otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy import cost
from gh_backfill.policy.cost import Prices


@pytest.mark.parametrize(
    ("units", "points"), [(0, 1), (1, 1), (100, 1), (149, 1), (150, 2), (249, 2), (5_101, 51), (3_031, 30)]
)
def test_a_query_costs_its_units_divided_by_a_hundred_and_at_least_one_point(units: int, points: int) -> None:
    assert cost.points(units) == points


def test_seventy_four_pull_requests_are_the_most_that_one_point_buys() -> None:
    assert Prices().cheapest_page() == 74
    assert Prices().points(74, 0) == 1
    assert Prices().points(75, 0) == 2


def test_the_cheapest_page_respects_a_ceiling() -> None:
    assert Prices().cheapest_page(10) == 10


@given(st.integers(0, 149))
def test_a_page_beside_wants_is_the_largest_that_adds_no_point(wants: int) -> None:
    page = Prices().page_beside(wants)
    assert page == 0 or Prices().points(page, wants) == 1
    assert Prices().points(page + 1, wants) > 1 or page == 0


def test_a_charge_as_predicted_teaches_nothing() -> None:
    assert Prices().learned(74, 0, 1) == Prices()
    assert Prices().learned(30, 88, 1) == Prices()


@given(st.integers(1, 100), st.integers(0, 149), st.integers(1, 150))
def test_after_learning_the_same_query_is_predicted_as_it_was_charged(page: int, wants: int, charged: int) -> None:
    learned = Prices().learned(page, wants, charged)
    if charged > Prices().points(page, wants):
        assert learned.points(page, wants) == charged


def test_where_counts_are_charged_the_page_follows_the_price() -> None:
    dear = Prices().learned(25, 0, 27)
    assert dear.points(25, 0) == 27
    cheapest = dear.cheapest_page()
    assert dear.points(cheapest, 0) / cheapest <= 1.05 * min(dear.points(n, 0) / n for n in range(1, 101))
    assert dear.page_beside(100) == 0


def test_wants_that_cost_double_come_half_as_many_to_a_point() -> None:
    assert Prices().learned(0, 149, 3).wants_of_one_point() == 74
