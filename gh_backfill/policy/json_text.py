"""JSON for others to read: times are ISO 8601 in UTC, whoever writes them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime


def json_text(value: object) -> str:
    """Return a value as JSON; raises TypeError for what has no place in it."""
    return json.dumps(value, default=_plain)


def _plain(value: object) -> str:
    match value:
        case datetime():
            return (value if value.tzinfo is None else value.astimezone(UTC)).isoformat()
        case date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into JSON")
