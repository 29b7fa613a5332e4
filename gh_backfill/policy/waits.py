"""Bounds of every wait that an answer of GitHub asks for, and of the time that it tells.

A wait is never under a second and never over 65 minutes: GitHub's windows last an hour.  A reset is a time of GitHub's
clock, so it counts from the answer's own `Date`, whatever our clock shows.  Refusals that repeat make the waits grow.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#handle-rate-limit-errors-appropriately
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LEAST = timedelta(seconds=1)
MOST = timedelta(minutes=65)
WINDOW = timedelta(hours=1)
# The first wait after a refusal that tells no usable time.
GUESS = timedelta(seconds=60)
# A reset that is further away belongs to the hour's points and tells nothing of a secondary limit.
NEAR = timedelta(minutes=5)
# Two clocks that differ by less than this count as one clock: `Date` has whole seconds, and an answer takes its time.
SAME_CLOCK = timedelta(seconds=5)
# How often a wait doubles while refusals repeat: a guessed one grows to 32 minutes, a told one to at least 34.
MOST_DOUBLINGS_GUESSED = 5
MOST_DOUBLINGS_TOLD = 11
_SECONDS = re.compile(r"\d+(?:\.\d+)?")

Headers = Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """Nobody of the identity may ask before `until`; `guessed` says that GitHub gave no time that can be used."""

    until: datetime
    guessed: bool


def after_refusal(headers: Headers, now: datetime, *, secondary: bool) -> Asked:
    """Decide how long to wait after a refusal: by `Retry-After`, else by the reset, else a minute.

    Names of headers are lower case, or the mapping does not care.  `secondary` tells a limit that is not of the hour's
    points: a reset far away is then no word about it.
    """
    told = _retry_after(headers, now)
    if told is None:
        told = _until_reset(headers, now)
        if told is not None and secondary:
            near = told <= NEAR or headers.get("x-ratelimit-remaining", "").strip() == "0"
            told = max(told, GUESS) if near else None
    return Asked(until=now + bounded(GUESS if told is None else told), guessed=told is None)


def bounded(wait: timedelta) -> timedelta:
    """Return a wait within its bounds."""
    return min(MOST, max(LEAST, wait))


def grown(wait: timedelta, refusals: int, *, guessed: bool) -> timedelta:
    """Return a wait after so many refusals before it, with no answer between."""
    if guessed:
        return bounded(wait * 2 ** min(refusals, MOST_DOUBLINGS_GUESSED))
    return bounded(max(wait, LEAST * 2 ** min(refusals, MOST_DOUBLINGS_TOLD)))


def window_ends(epoch: float, headers: Headers, now: datetime) -> datetime:
    """Return on our clock when a window ends, which GitHub tells in seconds since 1970 on its own."""
    date = _date(headers) or now
    away = min(MOST.total_seconds(), max(-MOST.total_seconds(), epoch - date.timestamp()))
    return (now if abs(date - now) > SAME_CLOCK else date) + timedelta(seconds=away)


def on_our_clock(until: datetime, seconds: float, now: datetime) -> datetime:
    """Return the end of a wait that another clock tells, and that is so many seconds away."""
    ours = now + timedelta(seconds=seconds)
    return until if abs(ours - until) <= SAME_CLOCK else ours


def server_time(headers: Headers, now: datetime, reset_at: datetime | None) -> datetime:
    """Return a time that is not after the moment at which GitHub read what it answers.

    Whoever reads again what changed since then misses nothing.  It is the earlier of `Date`, which a relay may have
    written whose clock is fast, and ours.  `reset_at` is GitHub's own word in the body, which no relay writes: the
    window ends after this moment and has begun an hour before at the earliest, so a clock of ours that is hours behind
    makes nobody read hours of changes again.
    """
    date = _date(headers)
    earlier = now if date is None else min(date, now)
    if date is None or reset_at is None or abs(reset_at - date) > MOST:
        return earlier
    return min(max(earlier, reset_at - WINDOW), date, reset_at)


def _until_reset(headers: Headers, now: datetime) -> timedelta | None:
    """Return how far away the reset is; None where it is not told or over."""
    value = headers.get("x-ratelimit-reset", "").strip()
    if not _SECONDS.fullmatch(value):
        return None
    away = float(value) - (_date(headers) or now).timestamp()
    return None if away < 0 else timedelta(seconds=min(away, MOST.total_seconds())) + LEAST


def _retry_after(headers: Headers, now: datetime) -> timedelta | None:
    """Read `Retry-After`: seconds, or a date of GitHub's clock; None where it is neither."""
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        return timedelta(seconds=min(float(value), MOST.total_seconds()))
    date = _parsed(value)
    return None if date is None else date - (_date(headers) or now)


def _date(headers: Headers) -> datetime | None:
    return _parsed(headers.get("date", ""))


def _parsed(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
