"""Decisions about announcements."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.freshness import MOST_ATTEMPTS, SetAside, TryAgain, after_failure, shares

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_pauses_grow_and_the_last_failure_sets_aside() -> None:
    verdicts = [after_failure(attempts, NOW) for attempts in range(1, MOST_ATTEMPTS + 1)]
    pauses = [each.at - NOW for each in verdicts if isinstance(each, TryAgain)]
    assert pauses == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8)]
    assert verdicts[-1] == SetAside()


@given(st.integers(0, 10_000), st.lists(st.integers(1, 75), max_size=20))
def test_shares_are_as_many_as_the_weights_and_their_sum_is_the_whole(whole: int, weights: list[int]) -> None:
    parts = shares(whole, weights)
    assert len(parts) == len(weights)
    assert sum(parts) == (whole if weights else 0)
    assert min(parts, default=0) >= 0
