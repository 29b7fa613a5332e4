"""Times as PostgreSQL writes them, also those that Python has no value for: before Christ, far away, and infinite.

Such a date is wrong, and no reason to read nothing else: it becomes the earliest or the latest time that there is for
us, so that whoever compares it with GitHub's finds a difference.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from psycopg2 import extensions

# Room is left on both sides for whoever adds some days.
EARLIEST = datetime(2, 1, 1, tzinfo=UTC)
LATEST = datetime(9990, 1, 1, tzinfo=UTC)


def moment(text: str) -> datetime:
    """Return a time from ISO text, as it comes in JSON."""
    try:
        return bounded(datetime.fromisoformat(text))
    except ValueError:
        return _far(text)


def bounded(found: datetime) -> datetime:
    """Return a time within our bounds."""
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return found if EARLIEST <= aware <= LATEST else (EARLIEST if aware < EARLIEST else LATEST)
    except OverflowError:  # at the very ends another zone's time is beyond them
        return EARLIEST if found.year < EARLIEST.year + 1 else LATEST


def register(connection: extensions.connection) -> None:
    """Let a connection return such times of `timestamptz` and `date`."""
    extensions.register_type(_TIMESTAMPTZ, connection)
    extensions.register_type(_DATE, connection)


def _timestamptz(text: Any, cursor: extensions.cursor) -> datetime | None:
    if text is None:
        return None
    try:
        found: datetime = extensions.PYDATETIMETZ(text, cursor)
        return bounded(found)
    except (ValueError, OverflowError):
        return _far(text)


def _date(text: Any, cursor: extensions.cursor) -> date | None:
    if text is None:
        return None
    try:
        found: date = extensions.PYDATE(text, cursor)
    except (ValueError, OverflowError):
        return _far(text).date()
    return min(max(found, EARLIEST.date()), LATEST.date())


def _far(text: str) -> datetime:
    return EARLIEST if text.endswith("BC") or text.startswith("-") else LATEST


_TIMESTAMPTZ = extensions.new_type((1184,), "timestamptz", _timestamptz)
_DATE = extensions.new_type((1082,), "date", _date)
