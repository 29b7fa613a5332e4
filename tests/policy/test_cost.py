"""The price list, by the figures GitHub publishes; and what is learned where GitHub charges otherwise."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gh_backfill.policy import query_prices
from gh_backfill.policy.query_prices import PULL_REQUESTS, Prices
from gh_backfill.policy.surcharges import NONE, Counted, Surcharges

PAGE = PULL_REQUESTS.of(74)
FOLLOW_UPS = Counted(units=149, ids=1, aliases=49, listed=100)
FEW_ALIASES = Counted(units=149, ids=1, aliases=4, listed=90)

surcharges = st.builds(
    Surcharges,
    query=st.integers(0, 3),
    ids=st.integers(0, 2),
    alias=st.integers(0, 2),
    pull_request=st.integers(0, 2),
    count=st.integers(0, 1),
    share=st.sampled_from([0.0, 0.05, 0.1, 0.5]),
)
queries = st.builds(
    lambda follow_ups, listed, aliases, pulls: (
        PULL_REQUESTS.of(pulls)
        + Counted(units=follow_ups + listed + aliases, ids=min(1, listed), aliases=aliases, listed=listed)
    ),
    st.integers(0, 60),
    st.integers(0, 60),
    st.integers(0, 30),
    st.integers(0, 74),
)


def charged(prices: Prices, truth: Surcharges, counted: Counted) -> Prices:
    return prices.learned(counted, query_prices.points(truth.units(counted)))


@pytest.mark.parametrize(
    ("units", "points"), [(0, 1), (1, 1), (100, 1), (149, 1), (150, 2), (249, 2), (5_101, 51), (3_031, 30)]
)
def test_a_query_costs_its_units_divided_by_a_hundred_and_at_least_one_point(units: int, points: int) -> None:
    assert query_prices.points(units) == points


def test_seventy_four_pull_requests_are_the_most_that_one_point_buys() -> None:
    assert Prices().cheapest_page() == 74
    assert Prices().points(PULL_REQUESTS.of(74)) == 1
    assert Prices().points(PULL_REQUESTS.of(75)) == 2


def test_the_cheapest_page_respects_a_ceiling() -> None:
    assert Prices().cheapest_page(10) == 10


@given(st.integers(0, 149))
def test_a_page_beside_follow_ups_is_the_largest_that_adds_no_point(follow_ups: int) -> None:
    counted = Counted(units=follow_ups)
    size = Prices().page_beside(counted, 74)
    assert size == 0 or Prices().points(counted + PULL_REQUESTS.of(size)) == 1
    assert Prices().points(counted + PULL_REQUESTS.of(size + 1)) > 1 or size in (0, 74)


@settings(deadline=None)
@given(st.lists(queries, max_size=12))
def test_while_charges_are_as_predicted_queries_are_filled_to_the_edge(asked: list[Counted]) -> None:
    prices = Prices()
    for counted in asked:
        prices = charged(prices, NONE, counted)
    assert (prices.believed, prices.cheapest_page()) == (NONE, 74)
    assert prices.fits(FOLLOW_UPS)


@settings(deadline=None)
@given(surcharges, st.lists(queries, min_size=1, max_size=12))
def test_after_learning_a_query_is_predicted_as_it_was_charged(truth: Surcharges, asked: list[Counted]) -> None:
    prices = Prices()
    for counted in asked:
        prices = charged(prices, truth, counted)
        assert prices.points(counted) == query_prices.points(truth.units(counted))


@pytest.mark.parametrize(
    "truth", [Surcharges(query=1), Surcharges(ids=1), Surcharges(alias=1), Surcharges(count=1), Surcharges(share=0.1)]
)
def test_each_surcharge_that_may_be_is_found_after_two_surprises(truth: Surcharges) -> None:
    prices = Prices()
    for follow_ups in (FOLLOW_UPS, FEW_ALIASES, Counted(units=20, ids=1, aliases=2, listed=12)) * 4:
        counted = follow_ups if prices.fits(follow_ups) else Counted(units=100, ids=1, aliases=4, listed=80)
        prices = charged(prices, truth, counted + PULL_REQUESTS.of(prices.page_beside(counted, 74)))
        prices = charged(prices, truth, PULL_REQUESTS.of(prices.cheapest_page()))
    assert prices.surprises <= 2
    assert all(
        query_prices.points(truth.units(PULL_REQUESTS.of(size))) / size
        <= 1.1 * query_prices.points(truth.units(PULL_REQUESTS.of(other))) / other
        for size in [prices.cheapest_page()]
        for other in range(1, 101)
    )


def test_the_least_that_explains_a_surprise_is_believed_and_the_edge_is_left_alone_from_then_on() -> None:
    prices = Prices().learned(FEW_ALIASES, 2)
    assert prices.believed == Surcharges(query=1)
    assert not prices.fits(Counted(units=146, aliases=4)), "each alias may be what is charged"
    assert prices.fits(Counted(units=145, aliases=4))


def test_a_page_at_the_edge_charged_as_listed_shows_that_it_was_not_the_query_but_its_ids() -> None:
    prices = Prices().learned(PAGE, 1).learned(Counted(units=149, ids=1, listed=100), 2)
    assert prices.believed == Surcharges(ids=1)
    assert prices.cheapest_page() == 74


def test_a_small_factor_is_no_likelier_than_one_unit_for_something() -> None:
    prices = Prices().learned(PAGE, 1).learned(Counted(units=149, ids=1, listed=100, aliases=1), 2)
    prices = prices.learned(Counted(units=147, ids=1, listed=90, aliases=20), 1)
    assert prices.believed == Surcharges(ids=1)


def test_a_later_answer_lowers_a_price_again() -> None:
    prices = Prices().learned(PULL_REQUESTS.of(25), 27)
    assert prices.believed == Surcharges(count=1)
    prices = prices.learned(PULL_REQUESTS.of(25), 1)
    assert prices.believed == NONE
    assert prices.cheapest_page() == 74


def test_what_a_surcharge_costs_for_long_is_tried_anew_and_falls_when_it_is_gone() -> None:
    prices, asked = Prices(), 0
    for _ in range(3):
        prices = charged(prices, Surcharges(share=0.1), PAGE)
        prices = charged(prices, Surcharges(share=0.1), PULL_REQUESTS.of(prices.cheapest_page()))
    assert prices.cheapest_page() <= 67
    while prices.cheapest_page() < 73 and asked < 200:
        prices, asked = charged(prices, NONE, PULL_REQUESTS.of(prices.cheapest_page())), asked + 1
    assert asked < 200


def test_a_real_charge_counts_for_more_than_a_dry_run() -> None:
    prices = Prices().informed(PAGE, 1).informed(FOLLOW_UPS, 1)
    assert prices.learned(PAGE, 2).believed == Surcharges(query=1)
    assert prices.learned(PAGE, 2).informed(PAGE, 1).believed == Surcharges(query=1)


def test_what_a_dry_run_says_is_planned_with_before_anything_is_charged() -> None:
    prices = Prices().informed(FEW_ALIASES, 2).informed(PAGE, 1)
    assert prices.believed == Surcharges(ids=1)
    assert prices.surprises == 0


def test_prices_that_change_into_what_nothing_explains_follow_the_newest_charges() -> None:
    prices = (
        Prices().learned(PULL_REQUESTS.of(25), 27).learned(PULL_REQUESTS.of(50), 9).learned(PULL_REQUESTS.of(50), 9)
    )
    assert prices.points(PULL_REQUESTS.of(50)) == 9


def test_a_price_for_each_query_makes_queries_larger() -> None:
    prices = Prices().learned(Counted(units=10), 4).learned(Counted(units=140), 5)
    assert prices.fits(Counted(units=150))


@pytest.mark.parametrize("charged", [0, -100, 501, 10**10])
def test_a_charge_that_makes_no_sense_teaches_nothing(charged: int) -> None:
    assert Prices().learned(PAGE, charged) == Prices() == Prices().informed(PAGE, charged)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(queries, st.integers(1, 500)), max_size=40))
@example([(Counted(units=114, ids=1, aliases=30, pull_requests=12, counts=1248, listed=59), 400)])
def test_charges_that_nothing_explains_end_with_the_newest_being_believed(told: list[tuple[Counted, int]]) -> None:
    prices = Prices()
    for counted, points in told:
        prices = prices.learned(counted, points)
        assert prices.points(counted) == max(points, query_prices.points(counted.units))
        assert 1 <= prices.cheapest_page() <= 100


def test_a_charge_below_the_list_teaches_no_surcharge() -> None:
    assert Prices().learned(PULL_REQUESTS.of(100), 1).cheapest_page() == 74


def test_only_so_many_charges_are_remembered() -> None:
    prices = Prices()
    for units in range(200, 400):
        prices = prices.learned(Counted(units=units), query_prices.points(units))
    assert len(prices.charged) <= query_prices.MOST_CHARGES
