"""Every wait has bounds, counts from GitHub's own clock, and grows while refusals repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy import waits

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def headers(date: datetime | None = NOW, **more: str) -> dict[str, str]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return named if date is None else {"date": format_datetime(date, usegmt=True), **named}


def reset(moment: datetime) -> str:
    return str(int(moment.timestamp()))


def wait(secondary: bool = True, **more: str) -> timedelta:
    return waits.after_refusal(headers(NOW, **more), NOW, secondary=secondary).until - NOW


ODD = st.one_of(
    st.sampled_from(
        ["", " ", "0", "-1", "1e400", "NaN", "soon", "Sun, 99 Foo 2026 12:00:00 GMT", "0.5", "²", "9" * 400]
    ),
    st.integers(-(10**20), 10**20).map(str),
    st.datetimes().map(lambda each: format_datetime(each.replace(tzinfo=UTC), usegmt=True)),
    st.text(max_size=12),
)


@given(
    told=st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-reset", "x-ratelimit-remaining", "date"]), ODD),
    secondary=st.booleans(),
    refusals=st.integers(0, 10_000),
)
def test_no_answer_makes_a_wait_under_a_second_or_over_65_minutes(
    told: dict[str, str], secondary: bool, refusals: int
) -> None:
    asked = waits.after_refusal(told, NOW, secondary=secondary)
    assert SECOND <= asked.until - NOW <= waits.MOST
    assert asked.until - NOW <= waits.grown(asked.until - NOW, refusals, guessed=asked.guessed) <= waits.MOST


@pytest.mark.parametrize(
    ("retry_after", "expected"),
    [
        ("90", 90 * SECOND),
        (" 90 ", 90 * SECOND),
        ("1.5", 1.5 * SECOND),
        ("0", SECOND),
        ("-5", MINUTE),
        ("", MINUTE),
        ("a while", MINUTE),
        ("99999999999", waits.MOST),
        ("Sun, 01 Mar 2026 12:05:00 GMT", 5 * MINUTE),
        ("Sun, 01 Mar 2026 11:00:00 GMT", SECOND),
        ("Wed, 01 Jan 2100 00:00:00 GMT", waits.MOST),
    ],
)
def test_retry_after_is_taken_as_far_as_it_makes_sense(retry_after: str, expected: timedelta) -> None:
    assert wait(retry_after=retry_after) == expected


@pytest.mark.parametrize("ours_is_ahead", [-5 * HOUR, -7 * MINUTE, 7 * MINUTE, 5 * HOUR])
def test_a_reset_counts_from_the_clock_of_the_answer_and_not_from_ours(ours_is_ahead: timedelta) -> None:
    told = headers(NOW - ours_is_ahead, x_ratelimit_reset=reset(NOW - ours_is_ahead + 20 * MINUTE))
    asked = waits.after_refusal(told, NOW, secondary=False)
    assert (asked.until, asked.guessed) == (NOW + 20 * MINUTE + SECOND, False)
    assert waits.window_ends((NOW - ours_is_ahead + 20 * MINUTE).timestamp(), told, NOW) == NOW + 20 * MINUTE


def test_a_retry_after_that_is_a_date_is_one_of_that_clock_too() -> None:
    told = headers(NOW - HOUR, retry_after=format_datetime(NOW - HOUR + 40 * SECOND, usegmt=True))
    assert waits.after_refusal(told, NOW, secondary=True).until == NOW + 40 * SECOND


@pytest.mark.parametrize("year", [1970, 2100])
def test_a_reset_at_the_end_of_time_is_at_most_65_minutes_away(year: int) -> None:
    told = reset(datetime(year, 1, 1, tzinfo=UTC))
    assert wait(secondary=False, x_ratelimit_reset=told) == (MINUTE if year == 1970 else waits.MOST)
    assert abs(waits.window_ends(float(told), headers(), NOW) - NOW) <= waits.MOST


def test_waits_that_github_tells_grow_too_while_they_repeat_but_never_shrink() -> None:
    told = [waits.grown(SECOND, refusals, guessed=False) // SECOND for refusals in range(6)]
    assert told == [1, 2, 4, 8, 16, 32]
    assert waits.grown(90 * SECOND, 3, guessed=False) == 90 * SECOND
    assert [waits.grown(MINUTE, refusals, guessed=True) // MINUTE for refusals in range(7)] == [1, 2, 4, 8, 16, 32, 32]


@pytest.mark.parametrize(
    ("date", "ours", "resets", "expected"),
    [
        (NOW, NOW + SECOND, NOW + 20 * MINUTE, NOW),
        (NOW + 9 * MINUTE, NOW, NOW + 20 * MINUTE, NOW),  # a relay whose clock is fast
        (NOW, NOW + 9 * MINUTE, NOW + 20 * MINUTE, NOW),  # our clock is fast
        (NOW + 9 * MINUTE, NOW + 12 * MINUTE, NOW + MINUTE, NOW + MINUTE),  # both are: the window ends before
        (NOW, NOW - 30 * HOUR, NOW + 20 * MINUTE, NOW - 40 * MINUTE),  # ours is a day behind: the window has begun
        (NOW, NOW - HOUR, datetime(2100, 1, 1, tzinfo=UTC), NOW - HOUR),  # that can't be a reset
        (None, NOW, NOW + 20 * MINUTE, NOW),
        (NOW, NOW, None, NOW),
    ],
)
def test_the_time_from_which_changes_are_read_again_is_never_late(
    date: datetime | None, ours: datetime, resets: datetime | None, expected: datetime
) -> None:
    assert waits.server_time(headers(date), ours, resets) == expected


def test_the_end_of_a_wait_on_another_clock_is_told_on_ours() -> None:
    assert waits.on_our_clock(NOW + 2 * HOUR, 60.0, NOW) == NOW + MINUTE
    assert waits.on_our_clock(NOW + 61 * SECOND, 60.0, NOW) == NOW + 61 * SECOND
