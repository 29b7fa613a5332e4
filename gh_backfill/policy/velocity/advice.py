"""Advice on days that nobody covered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.velocity.daily import AskedSource, DailyCounts
from gh_backfill.policy.velocity.trend import NOBODY_ASKED, why_unavailable

# Which kind of items tells of a series that is captured; the others are asked for.
KINDS: Mapping[str, str] = {
    "pull_requests": "pull_requests",
    "reviews": "pull_requests",
    "pull_request_comments": "pull_requests",
    "issues": "issues",
    "issue_comments": "issues",
}


def advice(
    name: str,
    series: str,
    counts: DailyCounts,
    asked: Sequence[AskedSource],
    captured_until: Mapping[str, datetime],
) -> str | None:
    """Say how many days are unknown, why, and what brings them; None where every day is covered."""
    if counts.whole:
        return None
    since = counts.gaps[0].since
    if series in KINDS:
        return f"{_unknown(counts)}: {_capture(name, KINDS[series], since, counts.first, captured_until)}"
    why = None if counts.covered else why_unavailable(asked)
    told = f"{_unknown(counts)}{'' if why in (None, NOBODY_ASKED) else f' ({why})'}"
    return f"{told}: {ask(name, since)}"


def ask(name: str, since: date) -> str:
    """Return the command that asks for stars and forks from a day on."""
    return f"gh-backfill events {name} --since {since.isoformat()}"


def _unknown(counts: DailyCounts) -> str:
    missing = counts.needed - counts.covered
    if not counts.covered:
        return "no day is known" if missing > 1 else "the day is not known"
    return f"{counted(missing, 'day')} unknown"


def _capture(name: str, kind: str, since: date, first: date, captured_until: Mapping[str, datetime]) -> str:
    if kind not in captured_until:
        option = "" if kind == "pull_requests" else f" --kinds {kind}"
        return f"its history is not complete here: gh-backfill capture {name}{option}"
    if since > first:
        return f"gh-backfill sync {name}"
    return f"only its newest are captured: gh-backfill track {name} --max-prs all"
