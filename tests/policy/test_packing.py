"""A query takes the oldest questions first, stays within one point, and carries the next page in the room left."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.models.github import NodeId
from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.packing import next_query
from gh_backfill.policy.pull_requests.follow_ups import CommentsOfReview, MoreComments, Threads
from gh_backfill.policy.query_prices import PULL_REQUESTS, UNITS_OF_ONE_POINT, Prices
from gh_backfill.policy.surcharges import Counted


def threads(*firsts: int) -> list[FollowUp]:
    return [Threads(node_id=NodeId(f"{n}:{first}"), after=None, first=first) for n, first in enumerate(firsts)]


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(1, 100), max_size=60), max_size=4), st.integers(0, 74))
def test_packing_loses_nothing_and_never_costs_a_second_point(pages: list[list[int]], page: int) -> None:
    left = [threads(*sizes) for sizes in pages]
    for _ in range(sum(map(len, left))):
        query = next_query(left, Prices(), page=page, units=UNITS_OF_ONE_POINT)
        if not query.follow_ups:
            break
        assert Prices().points(query.counted) == 1
        assert query.page <= page
        left = [[follow_up for follow_up in each if follow_up not in query.follow_ups] for each in left]
    assert not any(left)


def test_the_oldest_page_comes_first_and_a_younger_one_fills_what_it_leaves() -> None:
    old, young = threads(99, 9), threads(100, 38, 20)
    query = next_query([old, young], Prices(), units=UNITS_OF_ONE_POINT)
    assert query.follow_ups == (old[0], old[1], young[1])
    assert query.units == 149


def test_the_next_page_rides_in_the_room_that_is_left() -> None:
    assert next_query([threads(87)], Prices(), page=74, units=UNITS_OF_ONE_POINT).page == 30
    assert next_query([threads(87)], Prices(), page=12, units=UNITS_OF_ONE_POINT).page == 12
    assert next_query([], Prices(), page=74, units=UNITS_OF_ONE_POINT).page == 74


def test_a_full_query_carries_no_page() -> None:
    follow_ups: list[FollowUp] = [MoreComments(node_id=NodeId(str(n)), after=None) for n in range(149)]
    query = next_query([follow_ups], Prices(), page=74, units=UNITS_OF_ONE_POINT)
    assert (query.units, query.page) == (149, 0)


def test_where_a_pull_request_is_dear_follow_ups_wait_for_the_room_that_is_left_beside_one() -> None:
    dear = Prices().learned(PULL_REQUESTS.of(25), 27)
    follow_ups: list[FollowUp] = [MoreComments(node_id=NodeId(str(n)), after=None) for n in range(60)]
    query = next_query([follow_ups], dear, page=8, units=UNITS_OF_ONE_POINT)
    assert (query.units, query.page, dear.points(query.counted)) == (39, 1, 1)
    full = next_query([follow_ups * 3], dear, page=8, units=UNITS_OF_ONE_POINT)
    assert (full.units, full.page) == (149, 0)


def test_ids_beyond_a_hundred_come_by_aliases_and_are_counted_as_such() -> None:
    follow_ups: list[FollowUp] = [CommentsOfReview(node_id=NodeId(str(n)), review_id=n, after=None) for n in range(120)]
    counted = next_query([follow_ups], Prices()).counted
    assert (counted.units, counted.ids, counted.listed, counted.aliases) == (120, 1, 100, 20)


def test_where_an_alias_has_a_price_ids_wait_for_the_next_list_if_a_page_can_use_the_room() -> None:
    dear = Prices().learned(Counted(units=149, aliases=49), 2).learned(Counted(units=147, aliases=47), 2)
    assert dear.believed.alias == 1
    follow_ups: list[FollowUp] = [CommentsOfReview(node_id=NodeId(str(n)), review_id=n, after=None) for n in range(140)]
    beside = next_query([follow_ups], dear, page=74)
    assert (len(beside.follow_ups) <= 102, beside.page > 10) == (True, True)
    alone = next_query([follow_ups], dear)
    assert len(alone.follow_ups) > 110
    assert dear.points(alone.counted) == dear.points(beside.counted) == 1


def test_a_follow_up_above_the_limit_gets_a_query_of_its_own() -> None:
    large, small = threads(80, 3)
    assert next_query([[large, small]], Prices(), units=20).follow_ups == (large,)


def test_nothing_to_ask_is_no_query() -> None:
    assert not next_query([[]], Prices(), units=UNITS_OF_ONE_POINT)
