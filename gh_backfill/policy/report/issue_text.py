"""The text of an alert's issue: what it says, what it remembers, and what happens to it next.

A hidden marker tells which alert an issue is about, another one when it was last commented; its failure history is a
table between two more.  Everything that others wrote is shown as it is and never obeyed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.policy.markdown import plain, shortened, table
from gh_backfill.policy.progress import of_wanted
from gh_backfill.policy.report.alerts import Alert, AlertKind
from gh_backfill.policy.report.figures import JobFigures

COMMENT_EVERY = timedelta(days=1)
# GitHub takes bodies of at most 65,536 characters; a row of the history has at most about 700.
HISTORY = 25
_MARKER = re.compile(r"<!-- gh-backfill alert: ([a-z_]+) ([0-9a-f-]{36}|all) -->")
_COMMENTED = re.compile(r"<!-- gh-backfill commented: (\S+) -->")
_HISTORY = re.compile(r"<!-- gh-backfill history -->\n(.*?)\n<!-- gh-backfill end -->", re.DOTALL)
_TITLES = {
    AlertKind.CRITICAL: "Backfill of {name} stands still",
    AlertKind.REPEATED: "Backfill of {name} fails again and again",
    AlertKind.SYSTEM: "The backfill itself fails",
    AlertKind.CREDENTIAL: "GitHub refuses the backfill's credential",
    AlertKind.POOL: "The backfill's database has no connections left",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """One time that an alert was raised: when, in which run, and where its page is."""

    at: datetime
    run_key: str
    address: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What an open issue becomes: its new text (None: it knows of this run already), and a comment if one is due."""

    body: str | None
    comment: str | None


def identity(kind: AlertKind, repository_id: str | None) -> str:
    """Return the marker by which the one open issue of a repository and kind is found."""
    return f"<!-- gh-backfill alert: {kind} {repository_id or 'all'} -->"


def identified(body: str) -> tuple[AlertKind, str | None] | None:
    """Return the kind and the repository of an issue; None if it is not one of ours."""
    found = _MARKER.search(body)
    if found is None or found[1] not in set(AlertKind):
        return None
    return AlertKind(found[1]), None if found[2] == "all" else found[2]


def title(alert: Alert) -> str:
    """Return the title of an alert's issue."""
    return _TITLES.get(alert.kind, "Backfill alert: {name}").format(name=alert.repository or "all repositories")


def first(alert: Alert, job: JobFigures | None, occurrence: Occurrence) -> str:
    """Return the text of a new issue."""
    return _body(alert, job, [_row(alert, occurrence)], commented=occurrence.at)


def again(body: str, alert: Alert, job: JobFigures | None, occurrence: Occurrence) -> Next:
    """Return what an open issue becomes when its alert is raised again."""
    rows = _rows(body)
    if any(f" {plain(occurrence.run_key)} |" in row or f"[{plain(occurrence.run_key)}](" in row for row in rows):
        return Next(body=None, comment=None)
    commented = _commented(body)
    due = commented is None or occurrence.at - commented >= COMMENT_EVERY
    rows = [*rows, _row(alert, occurrence)][-HISTORY:]
    text = _body(alert, job, rows, commented=occurrence.at if due else commented or occurrence.at)
    comment = f"Happened again, {_link(occurrence)}: {plain(shortened(alert.text))}." if due else None
    return Next(body=text, comment=comment)


def over(occurrence: Occurrence, *, elsewhere: bool = False) -> str:
    """Return the comment under which an issue is closed; `elsewhere`: not this run went well, but one before it."""
    well = (
        f"{_link(occurrence)} saw that it went well elsewhere, or that nobody waits for it any more"
        if elsewhere
        else f"{_link(occurrence)} went well"
    )
    return f"Recovered: {well}. Closed by itself; it is opened anew should it come back."


def _body(alert: Alert, job: JobFigures | None, rows: Sequence[str], *, commented: datetime) -> str:
    parts = [
        f"**What happened**: {plain(shortened(alert.text, 2000))}",
        f"**What to do**: {plain(alert.advice)}",
        _about(job),
        "### Failure history",
        f"<!-- gh-backfill history -->\n{table(('time (UTC)', 'run', 'what happened'), [])}\n"
        + "\n".join(rows)
        + "\n<!-- gh-backfill end -->",
        "This issue is kept up to date, and closed when the next run goes well.",
        f"{identity(alert.kind, alert.repository_id)}\n<!-- gh-backfill commented: {commented.isoformat()} -->",
    ]
    return "\n\n".join(part for part in parts if part)


def _about(job: JobFigures | None) -> str:
    if job is None:
        return ""
    percent = "" if job.percent is None else f" ({job.percent} %)"
    captured = "?" if job.captured is None else job.captured
    rows = [
        ("repository", plain(job.title)),
        ("captured", f"{of_wanted(captured, job.total, job.goal, open_ended=job.open_ended)}{percent}"),
        ("backfill", plain(job.backfill or "none")),
        ("last progress", f"{job.last_progress_at:%Y-%m-%d %H:%M} UTC" if job.last_progress_at else "never"),
        ("kind of error", plain(job.error_type or "unexpected")),
        ("failures in a row", str(job.failures_in_a_row)),
    ]
    return "### The repository\n\n" + table(("", ""), rows)


def _row(alert: Alert, occurrence: Occurrence) -> str:
    what = plain(shortened(alert.text, 300))
    return f"| {occurrence.at:%Y-%m-%d %H:%M} | {_link(occurrence)} | {what} |"


def _link(occurrence: Occurrence) -> str:
    name = plain(occurrence.run_key)
    return name if occurrence.address is None else f"[{name}]({occurrence.address})"


def _rows(body: str) -> list[str]:
    found = _HISTORY.search(body)
    return [line for line in (found[1].splitlines() if found else []) if line.startswith("| 2")]


def _commented(body: str) -> datetime | None:
    found = _COMMENTED.search(body)
    try:
        return datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
