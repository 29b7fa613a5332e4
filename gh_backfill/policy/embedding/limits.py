"""Limits of a provider as the headers of its answers tell them, and how long they make us wait.

https://platform.openai.com/docs/guides/rate-limits: `x-ratelimit-remaining-requests` and `-tokens`, and when both are
full again: `x-ratelimit-reset-requests`, as `1s`, `6m0s` or `120ms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from gh_backfill.policy import waits

_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_WHOLE = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")


def before_next(headers: Mapping[str, str], tokens: int) -> float:
    """Return for how many seconds the next request, of so many tokens, should wait after this answer."""
    return max(
        _reset(headers, "requests") if _is_short(headers, "requests", 1) else 0.0,
        _reset(headers, "tokens") if _is_short(headers, "tokens", tokens) else 0.0,
    )


def after_refusal(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return for how many seconds a refusal asks to wait; None where it does not say."""
    asked = waits.after_refusal({name.lower(): value for name, value in headers.items()}, now, secondary=True)
    if not asked.guessed:
        return (asked.until - now).total_seconds()
    told = max(_reset(headers, "requests"), _reset(headers, "tokens"))
    return told or None


def seconds(text: str) -> float:
    """Return the seconds that a text such as 6m0s means; 0 for what means none."""
    text = text.strip()
    if not _WHOLE.fullmatch(text):
        return 0.0
    return sum(float(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))


def _is_short(headers: Mapping[str, str], what: str, least: int) -> bool:
    """Say whether less than so much is left; not where nothing is told."""
    text = headers.get(f"x-ratelimit-remaining-{what}", "").strip()
    return text.isdecimal() and int(text[:18]) < least


def _reset(headers: Mapping[str, str], what: str) -> float:
    return seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
