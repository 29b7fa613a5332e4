"""What a notification says, and when one is due: a digest of all runs since the last one, not one message for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gh_backfill.policy.markdown import chat, shortened

LINES = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """A message for people."""

    title: str
    text: str
    failure: bool


def due(last: datetime | None, now: datetime, every: timedelta) -> bool:
    """Say whether a notification may be sent."""
    return last is None or now - last >= every


def digest(
    reports: Sequence[Mapping[str, Any]], alerts: Sequence[Mapping[str, Any]], address: str | None
) -> Digest | None:
    """Put several reports, oldest first, and their alerts into one message; None where nothing happened.

    Sums are over the runs; an alert that was raised in several runs is told once, with how often; what limits the rate
    is the last run's word.
    """
    totals: Counter[str] = Counter()
    for report in reports:
        totals.update({name: report[name] for name in ("jobs", "succeeded", "failed", "paused", "pull_requests")})
        totals.update({name: report[name] for name in ("points", "warnings")})
    if not totals["jobs"] and not alerts:
        return None
    serious = any(alert["serious"] for alert in alerts)
    runs = "1 run" if len(reports) == 1 else f"{len(reports)} runs"
    what = f"{totals['failed']} of {totals['jobs']} jobs failed" if totals["failed"] else f"{totals['jobs']} jobs done"
    headline = (
        f"{totals['pull_requests']} pull requests for {totals['points']} points in {runs}; "
        f"{totals['succeeded']} jobs succeeded, {totals['failed']} failed, {totals['paused']} paused, "
        f"{totals['warnings']} warnings."
    )
    limited = [report["limited_by"] for report in reports if report.get("limited_by")][-1:]
    lines = [headline, *limited, *_alerts(alerts), *([address] if address else [])]
    return Digest(title=f"Backfill: {what}", text="\n".join(lines), failure=serious or totals["failed"] > 0)


def _alerts(alerts: Sequence[Mapping[str, Any]]) -> list[str]:
    often = Counter((alert["kind"], alert["repository_id"]) for alert in alerts)
    latest = {(alert["kind"], alert["repository_id"]): alert for alert in alerts}
    shown = [
        f"- {chat(shortened(alert['text'], 300))}" + (f" ({often[key]} times)" if often[key] > 1 else "")
        for key, alert in sorted(latest.items(), key=lambda item: not item[1]["serious"])
    ]
    rest = len(shown) - LINES
    return shown[:LINES] + ([f"- and {rest} more alerts"] if rest > 0 else [])
