"""What a service tells of its limits makes the next request wait, and what means nothing makes none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.policy.embedding import limits

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("120ms", 0.12), ("1h2m3s", 3723), ("", 0), ("soon", 0), ("-1s", 0), ("1d", 86400)],
)
def test_times_of_limits_are_read_as_they_are_told(text: str, seconds: float) -> None:
    assert limits.seconds(text) == pytest.approx(seconds)


def test_the_next_request_waits_only_where_less_is_left_than_it_takes() -> None:
    told = {"x-ratelimit-remaining-tokens": "500", "x-ratelimit-reset-tokens": "9s"}
    assert limits.before_next(told, 500) == 0
    assert limits.before_next(told, 501) == 9
    assert limits.before_next({"x-ratelimit-remaining-requests": "many"}, 1) == 0
    assert limits.before_next({}, 10**6) == 0


def test_a_refusal_waits_as_long_as_it_says_else_until_the_limits_are_back_else_nobody_knows() -> None:
    assert limits.after_refusal({"Retry-After": "7", "x-ratelimit-reset-requests": "9s"}, NOW) == 7
    assert limits.after_refusal({"x-ratelimit-reset-requests": "9s", "x-ratelimit-reset-tokens": "20s"}, NOW) == 20
    assert limits.after_refusal({}, NOW) is None
