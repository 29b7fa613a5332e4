"""Duties of a worker that goes on for ever: what comes next, and that nothing waits for ever."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.duties import AWAY, DUTIES, Duty, DutyLane, again, soonest

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def duty(name: str, minutes: int) -> Duty:
    return Duty(words=(name,), every=timedelta(minutes=minutes), lane=DutyLane.FRESH)


def test_what_was_never_begun_is_due_in_the_order_of_the_list() -> None:
    first, second = duty("first", 60), duty("second", 1)
    assert soonest([first, second], {}, NOON) == (first, NOON)
    assert soonest([first, second], {first: NOON + first.every}, NOON) == (second, NOON)


def test_the_next_one_comes_when_its_time_has_come_and_not_before() -> None:
    hourly, quarterly = duty("hourly", 60), duty("quarterly", 15)
    due = {each: NOON + each.every for each in (hourly, quarterly)}
    assert soonest([hourly, quarterly], due, NOON) == (quarterly, NOON + timedelta(minutes=15))
    late = NOON + timedelta(hours=2)
    assert soonest([hourly, quarterly], due, late) == (quarterly, late), "what waits for the longest goes first"


@given(st.lists(st.integers(min_value=1, max_value=100), min_size=1, max_size=400))
def test_however_long_each_takes_none_of_a_lane_is_left_out(takes: list[int]) -> None:
    lane = [each for each in DUTIES if each.lane is DutyLane.FRESH]
    due: dict[Duty, datetime] = {}
    now, many = NOON, Counter[str]()
    for minutes in takes:
        chosen, now = soonest(lane, due, now)
        assert chosen not in due or now >= due[chosen]
        due[chosen] = now + chosen.every
        many[chosen.name] += 1
        now += timedelta(minutes=minutes)
    waited = {each.name: now - due.get(each, NOON + each.every) for each in lane}
    most = timedelta(minutes=max(takes) * (len(lane) + 1))
    assert all(each <= most for each in waited.values()), (waited, many)


def test_what_met_nobody_is_begun_again_soon_after_its_end_and_all_else_in_its_time() -> None:
    daily, ended = duty("daily", 24 * 60), NOON + timedelta(hours=2)
    assert again(daily, 0, began=NOON, ended=ended) == NOON + timedelta(days=1)
    assert again(daily, 3, began=NOON, ended=ended) == NOON + timedelta(days=1)
    assert again(daily, 4, began=NOON, ended=ended) == ended + AWAY
    assert again(duty("often", 1), 4, began=NOON, ended=NOON) == NOON + timedelta(minutes=1)


def test_every_lane_has_a_duty_and_each_duty_once() -> None:
    assert {each.lane for each in DUTIES} == set(DutyLane)
    assert len({each.words for each in DUTIES}) == len(DUTIES)
