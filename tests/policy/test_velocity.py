"""A trend has five outcomes, and no rounding makes one look like another; drawings and scores say what is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.policy.velocity.activity import WEIGHTS, activity
from gh_backfill.policy.velocity.advice import advice
from gh_backfill.policy.velocity.daily import DAY, AskedSource, DailyCounts, DaySpan, periods
from gh_backfill.policy.velocity.drawn import BARS, UNKNOWN, days_each, sparkline, strip
from gh_backfill.policy.velocity.observed import CountSeen, observed
from gh_backfill.policy.velocity.trend import (
    InsufficientData,
    NewlyBegun,
    NoneInEither,
    PercentChange,
    Trend,
    UnavailableData,
    outcome,
    percent,
    rate_words,
    short,
    tenths,
    trend,
    words,
)

TODAY = date(2026, 11, 14)
Count = int | None


def series(*counts: Count, ends: date = TODAY, source: str = "history") -> DailyCounts:
    sources = tuple(None if count is None else source for count in counts)
    return DailyCounts(first=ends - len(counts) * DAY, counts=counts, sources=sources)


def compared(before: Sequence[Count], now: Sequence[Count], *asked: AskedSource) -> Trend:
    return trend(series(*before, ends=TODAY - len(now) * DAY), series(*now), asked)


def asked_of(source: str, reason: str | None = None) -> AskedSource:
    return AskedSource(
        source=source, available=reason is None, reason=reason, asked_at=datetime(2026, 11, 14, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("before", "now", "cell", "told"),
    [
        ([100], [115], "+15 %", "+15 %"),
        ([1000], [1004], "+0.4 %", "+0.4 %"),
        ([10_000], [10_001], "+0.1 %", "+0.1 %"),
        ([10_000], [9_999], "-0.1 %", "-0.1 %"),
        ([2_500], [4_999], "+99.9 %", "+99.9 %"),
        ([2_500], [5_000], "+100 %", "+100 %"),
        ([2_500], [1], "-99.9 %", "-99.9 %"),
        ([2_500], [0], "-100 %", "-100 %"),
        ([3], [4], "+33.3 %", "+33.3 %"),
        ([3], [2], "-33.3 %", "-33.3 %"),
        ([1], [99], "+9,800 %", "+9,800 %"),
        ([130], [1634], "+1,156 %", "+1,156 %"),
        ([7], [7], "0 %", "0 % (as many as before)"),
        ([0], [0], "0 %", "0 % (none in either period)"),
        ([0], [1], "new", "new (none in the previous period)"),
        ([None], [1], "1/2 d", "insufficient data (1 of 2 days, enough on 15 Nov)"),
        ([0], [None], "1/2 d", "insufficient data (1 of 2 days, enough on 16 Nov)"),
        ([None], [None], "–", "unavailable (nobody asked for it yet)"),
    ],
)
def test_what_is_compared_is_told(before: list[Count], now: list[Count], cell: str, told: str) -> None:
    found = compared(before, now)
    assert (short(found), words(found, TODAY)) == (cell, told)


def test_so_many_days_are_known_and_on_which_day_they_are_enough() -> None:
    found = compared([None] * 19 + [1] * 11, [1] * 30)
    assert found == InsufficientData(covered=41, needed=60, enough_on=date(2026, 12, 3))
    assert words(found, TODAY) == "insufficient data (41 of 60 days, enough on 3 Dec)"
    found = compared([1] * 30, [1] * 29 + [None])
    assert words(found, TODAY) == "insufficient data (59 of 60 days, enough on 13 Jan 2027)"


def test_what_nobody_knows_is_unavailable_only_while_no_source_answers() -> None:
    closed = [asked_of("stargazers", "FORBIDDEN"), asked_of("history", "404"), asked_of("events", "404")]
    assert compared([None], [None], *closed) == UnavailableData(reason="FORBIDDEN; 404")
    assert isinstance(compared([None], [None], *closed, asked_of("webhook")), InsufficientData)
    assert isinstance(compared([None], [3], *closed), InsufficientData)


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_no_rounding_reaches_what_is_not_so(before: int, now: int) -> None:
    found = tenths(before, now)
    assert (found == 0, found > 0) == (now == before, now > before)
    assert (found == -1_000) == (now == 0)
    assert (found < 1_000) == (now < 2 * before)
    exact = Fraction(1_000 * (now - before), before)
    assert abs(found - exact) < 1
    assert found == 1 or found == -1 or abs(found) <= abs(exact)


@given(
    st.lists(st.one_of(st.none(), st.integers(0, 50)), min_size=2, max_size=40).filter(lambda each: len(each) % 2 == 0)
)
def test_every_outcome_says_how_it_came_about(counts: list[Count]) -> None:
    half = len(counts) // 2
    found = compared(counts[:half], counts[half:])
    known = [each for each in counts if each is not None]
    if len(known) < len(counts):
        assert outcome(found) == ("insufficient_data" if known else "unavailable")
        assert percent(found) is None
    else:
        before, now = sum(known[:half]), sum(known[half:])
        assert outcome(found) == ("percent" if before else "new" if now else "both_zero")
    if isinstance(found, InsufficientData):
        assert (found.covered, found.needed) == (len(known), len(counts))
        # On that day both periods lie behind the last day that is unknown, and a day earlier they do not.
        last = max(place for place, each in enumerate(counts) if each is None)
        previous, _ = periods(found.enough_on, half)
        assert previous.since == TODAY + (last + 1 - len(counts)) * DAY


def test_the_outcomes_differ_for_programs_also_where_people_read_the_same() -> None:
    each: list[Trend] = [PercentChange(tenths=0), NewlyBegun(), NoneInEither(), UnavailableData(reason="x")]
    each.append(InsufficientData(covered=1, needed=2, enough_on=TODAY))
    assert len({outcome(one) for one in each}) == 5
    assert [percent(one) for one in each] == [0.0, None, 0.0, None, None]


@pytest.mark.parametrize(
    ("count", "days", "told"),
    [(0, 30, "0.00"), (1, 183, "0.01"), (1, 30, "0.03"), (37, 30, "1.23"), (1_000, 30, "33.3"), (90_000, 30, "3,000")],
)
def test_a_rate_is_never_written_as_nothing_where_there_is_some(count: int, days: int, told: str) -> None:
    assert rate_words(Fraction(count, days)) == told


def test_a_mean_is_of_the_days_that_are_known() -> None:
    some = series(3, None, None, 5)
    assert (some.total, some.covered, some.needed, some.per_day) == (8, 2, 4, Fraction(4))
    assert some.gaps == (DaySpan(since=some.first + DAY, until=some.first + 3 * DAY),)
    assert (series(None).total, series(None).per_day) == (None, None)


def test_today_is_in_neither_period() -> None:
    previous, current = periods(date(2027, 1, 1), 30)
    assert (previous.since, previous.until, current.since, current.last) == (
        date(2026, 11, 2),
        date(2026, 12, 2),
        date(2026, 12, 2),
        date(2026, 12, 31),
    )


def test_a_score_adds_what_happened_a_day_and_says_what_it_is_without() -> None:
    counts = {name: series(2, 4) for name in WEIGHTS} | {"reviews": series(None, None), "issues": series(None, 1)}
    found = activity(counts)
    assert found.score == 1 * 3 + 2 * 3 + 4 * 3 + 1 * 3 + 2 * 1 + 1 * 3
    assert (found.unknown, found.partly) == (("reviews",), ("issues",))
    assert activity({name: series(None) for name in WEIGHTS}).score is None
    rare = {name: series(*[0] * 100) for name in WEIGHTS} | {"stars": series(1, *[0] * 99)}
    assert activity(rare).score == 0.1


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=120), st.integers(1, 60))
def test_bars_tell_none_from_some_and_both_from_unknown(counts: list[Count], cells: int) -> None:
    drawn, size = sparkline(series(*counts), cells), days_each(len(counts), cells)
    assert len(drawn) == len(strip(series(*counts), cells)) <= cells
    for place, bar in enumerate(reversed(drawn)):
        group = counts[max(0, len(counts) - (place + 1) * size) : len(counts) - place * size]
        known = [each for each in group if each is not None]
        assert (bar == UNKNOWN) == (not known)
        assert (bar == BARS[0]) == (bool(known) and not any(known))
        assert (strip(series(*counts), cells)[-place - 1] == UNKNOWN) == (None in group)


def test_what_was_counted_when_we_looked_needs_two_looks() -> None:
    def look(back: int, stars: int, fell: int = 0) -> CountSeen:
        when = datetime(2026, 11, 14, 12, tzinfo=UTC) - timedelta(days=back)
        return CountSeen(at=when, day=when.date(), stars=stars, forks=0, fell=fell)

    span = DaySpan(since=TODAY - 5 * DAY, until=TODAY)
    assert observed([look(2, 5)], span) is None
    assert observed([look(9, 5), look(8, 9)], span) is None
    found = observed([look(9, 5, 70), look(8, 9, 3), look(2, 8, 1), look(1, 12)], span)
    assert found is not None
    assert (found.stars, found.taken_back) == (3, 1)


UNTIL = {"pull_requests": datetime(2026, 11, 1, tzinfo=UTC)}


@pytest.mark.parametrize(
    ("name", "counts", "told"),
    [
        ("stars", [1, 1], None),
        ("stars", [1, None, 1], "1 day unknown: gh-backfill events o/n --since 2026-11-12"),
        ("stars", [None, None], "no day is known (FORBIDDEN): gh-backfill events o/n --since 2026-11-12"),
        ("forks", [None, None], "no day is known: gh-backfill events o/n --since 2026-11-12"),
        (
            "issues",
            [None, None],
            "no day is known: its history is not complete here: gh-backfill capture o/n --kinds issues",
        ),
        ("reviews", [1, None], "1 day unknown: gh-backfill sync o/n"),
        ("reviews", [None, 1], "1 day unknown: only its newest are captured: gh-backfill track o/n --max-prs all"),
    ],
)
def test_each_gap_has_what_brings_its_days(name: str, counts: list[Count], told: str | None) -> None:
    asked = [asked_of("history", "FORBIDDEN")] if name == "stars" else []
    found = advice("o/n", name, series(*counts), asked, UNTIL)
    assert found == told
