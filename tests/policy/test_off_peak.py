"""The hours of a day: a window that opens, hours that are learned, and nothing that waits for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.off_peak import HOUR, LARGE, Hours, Learned, checked, comes_again, learn, parse
from gh_backfill.policy.selection import PlanReason, Thresholds, choose
from tests.policy.test_selection import BLANK

DAY = timedelta(days=1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "at", "opens"),
    [
        ("22:00-06:00", "21:59", "22:00"),
        ("22:00-06:00", "22:00", None),
        ("22:00-06:00", "00:00", None),
        ("22:00-06:00", "05:59", None),
        ("22:00-06:00", "06:00", "22:00"),
        ("01:30-02:30", "00:00", "01:30"),
        ("01:30-02:30", "02:00", None),
        ("01:30-02:30", "02:30", "01:30"),
        ("00:00-12:00", "11:59", None),
        ("00:00-12:00", "12:00", "00:00"),
    ],
)
def test_a_window_is_open_from_its_first_moment_to_before_its_last(window: str, at: str, opens: str | None) -> None:
    now = datetime.fromisoformat(f"2026-03-01T{at}:00+00:00")
    found = parse(window, given_as="it").next_opening(now)
    assert (None if found is None else f"{found:%H:%M}") == opens
    assert found is None or now < found <= now + DAY


@given(st.integers(0, 1439), st.integers(60, 1439), st.datetimes(timezones=st.just(UTC)))
def test_every_day_every_window_has_its_turn_and_lasts_as_long_as_it_says(
    begin: int, minutes: int, at: datetime
) -> None:
    end = (begin + minutes) % 1440
    window = parse(f"{begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}", given_as="it")
    assert window.lasts == timedelta(minutes=minutes)
    if not datetime(2000, 1, 1, tzinfo=UTC) < at < datetime(2100, 1, 1, tzinfo=UTC):
        return
    opens = window.next_opening(at) or at
    assert opens - at < DAY
    assert window.next_opening(opens) is None


@pytest.mark.parametrize(
    "text", ["", "22:00", "25:00-03:00", "22:00-22:00", "22:00-22:59", "always", "22-6", "22:00-06:60"]
)
def test_what_is_no_window_is_told_with_one_that_is(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--off-peak must be .*22:00-06:00"):
        checked(text, given_as="--off-peak")


def test_a_wish_is_stored_as_it_is_read_back() -> None:
    assert [checked(text, given_as="it") for text in ("22:00 - 06:00", "Learned", "NONE")] == [
        "22:00-06:00",
        "learned",
        "none",
    ]


def test_what_is_set_for_all_is_about_large_batches_and_a_wish_of_its_own_about_all() -> None:
    hours = Hours(usual="22:00-06:00")
    assert hours.waits_until(None, LARGE - 1, NOON) is None
    assert hours.waits_until(None, LARGE, NOON) == NOON + 10 * HOUR
    assert hours.waits_until("none", LARGE, NOON) is None
    assert Hours().waits_until("13:00-14:00", 10, NOON) == NOON + HOUR


def test_nothing_waits_for_what_nobody_can_read() -> None:
    assert Hours().waits_until("at night", 10, NOON) is None


def test_the_quiet_hours_are_those_in_which_others_use_least() -> None:
    learned = learn({hour: [0.9 if 8 <= hour < 20 else 0.01 * hour] * 3 for hour in range(24)})
    assert learned.hours == {0, 1, 2, 3, 4, 5, 6, 7}
    assert learned.next_opening(NOON) == NOON + 12 * HOUR
    assert learned.next_opening(NOON - 5 * HOUR) is None


@pytest.mark.parametrize(("days", "known"), [(0, 0), (2, 2)])
def test_with_too_few_days_nothing_is_learned_and_nothing_waits(days: int, known: int) -> None:
    learned = learn({hour: [0.5] * (days if hour == 7 else 5) for hour in range(24)})
    assert (learned.hours, learned.days) == (frozenset(), known)
    assert learned.next_opening(NOON) is None
    assert learned.words == f"not learned yet: {known} of 3 days are known"


def test_where_others_use_next_to_nothing_every_hour_is_quiet() -> None:
    assert learn({hour: [0.04] * 3 for hour in range(24)}).next_opening(NOON) is None


@given(st.dictionaries(st.integers(0, 23), st.lists(st.floats(0, 1), max_size=6)), st.integers(0, 23))
def test_what_was_learned_makes_nothing_wait_a_day(shares: dict[int, list[float]], hour: int) -> None:
    now = NOON.replace(hour=hour, minute=17)
    opens = learn(shares).next_opening(now)
    assert opens is None or (now < opens < now + DAY and learn(shares).next_opening(opens) is None)


@pytest.mark.parametrize(
    ("every", "days", "again"), [(None, 100, False), (30, 29.99, False), (30, 30, True), (1, 400, True)]
)
def test_a_history_comes_again_so_many_days_after_it_was_complete(every: int | None, days: float, again: bool) -> None:
    assert comes_again(every, NOON - timedelta(days=days), NOON) is again
    assert comes_again(every, None, NOON) is False


def test_what_waits_for_its_hours_says_until_when_and_lets_others_by() -> None:
    waiting = replace(BLANK, id="1", name="night", off_peak="22:00-06:00")
    other = replace(BLANK, id="2", name="day")
    verdicts = choose([waiting, other], NOON, thresholds=Thresholds(), limit=1)
    assert [(each.repository.name, each.chosen, each.words) for each in verdicts] == [
        ("day", True, PlanReason.NEW),
        ("night", False, "waits for its hours until 2026-03-01 22:00 UTC"),
    ]
    assert [each.chosen for each in choose([waiting], NOON + 10 * HOUR, thresholds=Thresholds(), limit=1)] == [True]


@pytest.mark.parametrize("initial", ["pending", "processing"])
def test_an_initial_backfill_and_what_is_asked_for_wait_for_no_hour(initial: str) -> None:
    night = replace(BLANK, off_peak="22:00-06:00")
    assert [
        each.chosen for each in choose([replace(night, initial=initial)], NOON, thresholds=Thresholds(), limit=1)
    ] == [True]
    asked = choose([night], NOON, thresholds=Thresholds(), limit=1, asked=frozenset({night.id}))
    assert [each.chosen for each in asked] == [True]


def test_a_complete_history_whose_turn_has_come_is_planned_again() -> None:
    done = replace(BLANK, status="completed", captured=1_000, has_stream=True, every_days=30)
    recent, old = replace(done, completed_at=NOON - 29 * DAY), replace(done, completed_at=NOON - 30 * DAY)
    assert [choose([each], NOON, thresholds=Thresholds(), limit=1)[0].why for each in (recent, old)] == [
        PlanReason.COMPLETE,
        PlanReason.AGAIN,
    ]


def test_learned_words_name_the_hours() -> None:
    assert Learned(hours=frozenset({3, 2}), days=4).words == "others use least of the budget in the hours 02, 03 UTC"


def test_a_large_history_that_is_read_again_waits_for_the_hours_that_are_set_for_all_to_its_end() -> None:
    hours = Hours(usual="22:00-06:00")
    done = replace(BLANK, captured=1_000, has_stream=True, every_days=30, completed_at=NOON - 40 * DAY)
    for status in ("completed", "active"):
        (verdict,) = choose([replace(done, status=status)], NOON, thresholds=Thresholds(), limit=1, hours=hours)
        assert verdict.words == "waits for its hours until 2026-03-01 22:00 UTC"
