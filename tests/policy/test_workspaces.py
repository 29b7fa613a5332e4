"""Slugs, names, and when a workspace's turn comes again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.workspaces import Every, following, name_of, slug_of


@pytest.mark.parametrize(
    "text",
    ["", "ab", "a" * 51, "web frameworks", "wéb", "a/b", "web_frameworks", "web.js", "w\N{CYRILLIC SMALL LETTER IE}b"],
)
def test_what_is_no_slug_is_told_in_a_line(text: str) -> None:
    with pytest.raises(ConfigurationError, match="a slug has 3 to 50"):
        slug_of(text)


def test_a_slug_is_small_letters_and_names_itself() -> None:
    assert slug_of(" Web-Frameworks ") == "web-frameworks"
    assert name_of(None, "web-frameworks") == "Web frameworks"
    assert name_of("  The \n web ", "web-frameworks") == "The web"
    assert name_of(None, "---") == "---"


@pytest.mark.parametrize("text", ["ab", "a" * 101])
def test_a_name_that_no_table_takes_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="3 to 100 characters"):
        name_of(text, "web")


def test_a_month_later_is_the_same_day_or_the_last_one() -> None:
    due = datetime(2028, 1, 31, 4, 17, tzinfo=UTC)
    assert following(Every.MONTHLY, due, due) == datetime(2028, 2, 29, 4, 17, tzinfo=UTC)
    # What was missed for months comes once, and its day is not lost by February.
    assert following(Every.MONTHLY, due, datetime(2029, 2, 28, 4, 16, tzinfo=UTC)) == datetime(
        2029, 2, 28, 4, 17, tzinfo=UTC
    )
    assert following(Every.MONTHLY, due, datetime(2029, 3, 1, tzinfo=UTC)) == datetime(2029, 3, 31, 4, 17, tzinfo=UTC)


@given(st.sampled_from(Every), st.integers(0, 40 * 365 * 86400), st.integers(0, 900 * 86400))
def test_the_next_turn_is_after_now_at_its_own_hour_and_never_skips_one(every: Every, at: int, late: int) -> None:
    due = datetime(2000, 1, 1, tzinfo=UTC) + timedelta(seconds=at)
    now = due + timedelta(seconds=late)
    then = following(every, due, now)
    assert now < then
    assert then.timetz() == due.timetz()
    longest = {Every.DAILY: 1, Every.WEEKLY: 7, Every.MONTHLY: 31}[every]
    assert then - now <= timedelta(days=longest)
