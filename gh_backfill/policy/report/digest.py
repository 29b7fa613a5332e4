"""Notifications, their words and when one is due: a digest of all runs since the last one, not one message for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gh_backfill.policy.markdown import chat, counted, shortened

LINES = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """A message for people."""

    title: str
    text: str
    failure: bool


def due(
    last: datetime | None,
    now: datetime,
    every: timedelta,
    *,
    alerts: Sequence[Mapping[str, Any]] = (),
    told: Sequence[Mapping[str, Any]] = (),
) -> bool:
    """Say whether a notification may be sent: after the silence, or at once where something critical is new.

    `alerts` are those to tell, `told` those of the last notification: what was told there can wait.
    """
    before = {_key(alert) for alert in told}
    new = any(alert["serious"] and _key(alert) not in before for alert in alerts)
    return last is None or new or now - last >= every


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
    runs = counted(len(reports), "run")
    jobs = counted(totals["jobs"], "job")
    what = f"{totals['failed']} of {jobs} failed" if totals["failed"] else f"{jobs} done"
    headline = (
        f"{counted(totals['pull_requests'], _item(reports))} for {counted(totals['points'], 'point')} in {runs}; "
        f"{counted(totals['succeeded'], 'job')} succeeded, {totals['failed']} failed, {totals['paused']} paused, "
        f"{counted(totals['warnings'], 'warning')}."
    )
    limited = [report["limited_by"] for report in reports if report.get("limited_by")][-1:]
    lines = [headline, *limited, *_alerts(alerts), *([address] if address else [])]
    return Digest(title=f"Backfill: {what}", text="\n".join(lines), failure=serious or totals["failed"] > 0)


def _item(reports: Sequence[Mapping[str, Any]]) -> str:
    """Return the word for one of the items of all runs: they may be of one kind, or of several."""
    words = {report.get("item", "pull request") for report in reports if report["pull_requests"]}
    return words.pop() if len(words) == 1 else "item" if words else "pull request"


def _alerts(alerts: Sequence[Mapping[str, Any]]) -> list[str]:
    often = Counter(_key(alert) for alert in alerts)
    latest = {_key(alert): alert for alert in alerts}
    shown = [
        f"- {chat(shortened(alert['text'], 300))}" + (f" ({often[key]} times)" if often[key] > 1 else "")
        for key, alert in sorted(latest.items(), key=lambda item: not item[1]["serious"])
    ]
    rest = len(shown) - LINES
    return shown[:LINES] + ([f"- and {rest} more alerts"] if rest > 0 else [])


def _key(alert: Mapping[str, Any]) -> tuple[object, object]:
    return alert["kind"], alert["repository_id"]
