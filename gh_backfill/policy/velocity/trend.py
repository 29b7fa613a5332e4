"""The trend from one period to the next, which has five outcomes: only what is known is compared.

A percentage needs every day of both periods.  It is cut off after a tenth, so that what did not double never reads
+100 %, and what did not vanish never -100 %; what is not equal is a tenth at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from gh_backfill.policy.velocity.daily import DAY, AskedSource, DailyCounts

NOBODY_ASKED = "nobody asked for it yet"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, kw_only=True, slots=True)
class PercentChange:
    """It changed by so many tenths of a percent; zero only where both periods have as many."""

    tenths: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NewlyBegun:
    """There was none in the previous period, of which every day is known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoneInEither:
    """Every day of both periods is known, and has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InsufficientData:
    """Too few days are known; on `enough_on` they are enough, if each day from now on is covered."""

    covered: int
    needed: int
    enough_on: date


@dataclass(frozen=True, kw_only=True, slots=True)
class UnavailableData:
    """Nothing is known of any day, and why."""

    reason: str


Trend = PercentChange | NewlyBegun | NoneInEither | InsufficientData | UnavailableData


def trend(previous: DailyCounts, current: DailyCounts, asked: Sequence[AskedSource]) -> Trend:
    """Compare a period with the one before it, which is as long and ends where it begins."""
    covered, needed = previous.covered + current.covered, previous.needed + current.needed
    if covered < needed:
        if not covered and (reason := why_unavailable(asked)):
            return UnavailableData(reason=reason)
        return InsufficientData(covered=covered, needed=needed, enough_on=_enough_on(previous, current))
    return of_totals(sum(previous.known), sum(current.known))


def of_totals(before: int, now: int) -> Trend:
    """Compare how many there were in two periods of which every day is known."""
    if before:
        return PercentChange(tenths=tenths(before, now))
    return NewlyBegun() if now else NoneInEither()


def why_unavailable(asked: Sequence[AskedSource]) -> str | None:
    """Say why nothing is to be had of a series; None where a source of it answers."""
    if any(each.available for each in asked):
        return None
    reasons = dict.fromkeys(each.reason or "it does not answer" for each in asked)
    return "; ".join(reasons) or NOBODY_ASKED


def tenths(before: int, now: int) -> int:
    """Return a change in tenths of a percent of what was before, which is not zero."""
    whole = abs(now - before) * 1_000 // before
    return 0 if now == before else max(1, whole) * (1 if now > before else -1)


def outcome(found: Trend) -> str:
    """Return the word for an outcome that programs read."""
    match found:
        case PercentChange():
            return "percent"
        case NewlyBegun():
            return "new"
        case NoneInEither():
            return "both_zero"
        case InsufficientData():
            return "insufficient_data"
        case UnavailableData():
            return "unavailable"


def percent(found: Trend) -> float | None:
    """Return the change in percent, as it is shown; None where there is none to tell."""
    match found:
        case PercentChange():
            return found.tenths / 10
        case NoneInEither():
            return 0.0
        case _:
            return None


def short(found: Trend) -> str:
    """Say it in a few characters, for a cell of a table."""
    match found:
        case PercentChange():
            return percent_words(found.tenths)
        case NewlyBegun():
            return "new"
        case NoneInEither():
            return "0 %"
        case InsufficientData():
            return f"{found.covered}/{found.needed} d"
        case UnavailableData():
            return "–"


def words(found: Trend, today: date) -> str:
    """Say it in words; a day of another year than today's has its year."""
    match found:
        case PercentChange(tenths=0):
            return "0 % (as many as before)"
        case NoneInEither():
            return "0 % (none in either period)"
        case NewlyBegun():
            return "new (none in the previous period)"
        case InsufficientData():
            enough = day_words(found.enough_on, today)
            return f"insufficient data ({found.covered} of {found.needed} days, enough on {enough})"
        case UnavailableData():
            return f"unavailable ({found.reason})"
        case PercentChange():
            return short(found)


def percent_words(tenths_of_percent: int) -> str:
    """Write a change in percent with its sign, without a tenth that is zero or beside a thousand."""
    whole, tenth = divmod(abs(tenths_of_percent), 10)
    sign = "+" if tenths_of_percent > 0 else "-" if tenths_of_percent < 0 else ""
    return f"{sign}{whole:,}{f'.{tenth}' if tenth and whole < 1_000 else ''} %"


def rate_words(per_day: Fraction | None) -> str:
    """Write how many a day: with fewer digits the more there are, and never as zero where there are some."""
    if per_day is None:
        return "–"
    digits = 2 if per_day < 10 else 1 if per_day < 1_000 else 0
    return f"{rounded(per_day, digits):,.{digits}f}"


def rounded(value: Fraction, digits: int) -> float:
    """Return a value to so many digits; what is more than zero never becomes zero."""
    found = float(round(value, digits))
    return found if found or not value else 10.0**-digits


def day_words(day: date, today: date) -> str:
    """Write a day for people, with its year where that is not today's."""
    return f"{day.day} {_MONTHS[day.month - 1]}{'' if day.year == today.year else f' {day.year}'}"


def _enough_on(previous: DailyCounts, current: DailyCounts) -> date:
    """Return when the last day that is unknown will lie before both periods."""
    last = (*previous.gaps, *current.gaps)[-1].last
    return last + DAY * (previous.needed + current.needed + 1)
