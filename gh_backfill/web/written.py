"""Numbers, times and durations as the pages write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOTHING = "–"
# What a number and its unit are kept together with.
TIGHT = "\N{NARROW NO-BREAK SPACE}"
# Seconds of a unit, its name, and how many of it take the next one; page.js counts on up to hours.
_UNITS = (
    (1, "s", 60),
    (60, "min", 60),
    (3600, "h", 48),
    (86_400, "days", 60),
    (2_628_000, "months", 24),
    (31_536_000, "years", float("inf")),
)
_TONES = {"▸": "moving", "✓": "good", "‖": "waiting", "✕": "bad", "◇": "held", "○": "never"}


def number(value: float | None) -> str:
    """Write a number with its thousands apart, a fraction with one digit."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 100 else f"{value:,.1f}"


def percent(value: float | None, digits: int = 0) -> str:
    """Write a percentage; what is not yet whole never looks whole, and what has begun never looks like nothing."""
    if value is None:
        return NOTHING
    if 99 < value < 100 or 0 < value < 1:
        return f"{min(max(value, 0.1), 99.9):.1f}{TIGHT}%"
    return f"{value:.{0 if value == 100 else digits}f}{TIGHT}%"


def dollars(value: float | None) -> str:
    """Write an amount of money."""
    return NOTHING if value is None else f"${value:,.2f}"


def duration(seconds: float | timedelta | None) -> str:
    """Write how long something takes, in the one unit that fits."""
    if seconds is None:
        return NOTHING
    whole = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
    unit, name = next((unit, name) for unit, name, most in _UNITS if whole / unit < most - 0.5)
    return f"{max(0.0, whole) / unit:.0f}{TIGHT}{name}"


def relative(moment: datetime, now: datetime) -> str:
    """Write how long ago something was, or how soon it will be."""
    away = (moment - now).total_seconds()
    if abs(away) < 1:
        return "now"
    return f"in {duration(away)}" if away > 0 else f"{duration(-away)} ago"


def clock(moment: datetime, now: datetime) -> str:
    """Write a moment in UTC: the time of day, with the weekday within six days, and with the date beyond."""
    at, today = moment.astimezone(UTC), now.astimezone(UTC)
    if at.date() == today.date():
        return f"{at:%H:%M} UTC"
    if abs(at - today) < timedelta(days=6):
        return f"{at:%a %H:%M} UTC"
    return f"{at:%Y-%m-%d %H:%M} UTC"


def stamp(moment: datetime) -> str:
    """Write a moment in full."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def iso(moment: datetime) -> str:
    """Write a moment for machines, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def tone(mark: str) -> str:
    """Return the class of one of the six marks of state."""
    return _TONES[str(mark)]
