"""Numbers, times and durations as the pages write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from gh_backfill.web import written

NOW = datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
GAP = written.TIGHT


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0"), (8412, "8,412"), (131902.0, "131,902"), (1.44, "1.4"), (412.6, "413")]
)
def test_numbers_keep_their_thousands_apart(value: float | None, text: str) -> None:
    assert written.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0%"), (0.02, "0.1%"), (62.4, "62%"), (99.2, "99.2%"), (99.99, "99.9%"), (100, "100%")],
)
def test_what_is_not_whole_never_looks_whole(value: float | None, text: str) -> None:
    assert written.percent(value).replace(GAP, "") == text


def test_a_percentage_may_have_a_digit() -> None:
    assert written.percent(98.32, 1).replace(GAP, "") == "98.3%"
    assert written.percent(100, 1).replace(GAP, "") == "100%"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (3120, "52 min"),
        (11 * 3600, "11 h"),
        (86400 * 3, "3 days"),
        (86400 * 70, "2 months"),
        (86400 * 1832, "5 years"),
    ],
)
def test_a_duration_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert written.duration(seconds).replace(GAP, " ") == text
    assert written.duration(timedelta(seconds=seconds)) == written.duration(seconds)


def test_a_moment_is_told_relative_to_now() -> None:
    assert written.relative(NOW - timedelta(minutes=2), NOW) == f"2{GAP}min ago"
    assert written.relative(NOW + timedelta(minutes=52), NOW) == f"in 52{GAP}min"
    assert written.relative(NOW, NOW) == "now"


def test_a_moment_of_another_time_zone_is_written_in_utc() -> None:
    tokyo = timezone(timedelta(hours=9))
    assert written.clock(datetime(2026, 11, 27, 23, 22, tzinfo=tokyo), NOW) == "14:22 UTC"
    assert written.clock(NOW + timedelta(days=3), NOW) == "Mon 13:30 UTC"
    assert written.clock(NOW - timedelta(days=300), NOW) == "2026-01-31 13:30 UTC"
    assert written.iso(datetime(2026, 11, 27, 23, 22, tzinfo=tokyo)) == "2026-11-27T14:22:00Z"
