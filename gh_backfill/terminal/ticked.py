"""Ticks as a person sees them: what was due, what changed, and where the jobs went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal.console import say

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.dispatch.tick import Ticked, TickOutlook


def show(done: Ticked) -> None:
    """Print what a tick did."""
    for line in done.lines:
        say(escape(line))


def show_outlook(foreseen: TickOutlook) -> None:
    """Print what a tick would take."""
    for each in foreseen.dues:
        say(escape(f"{each.full_name}: due since {each.due_since:%Y-%m-%d %H:%M} UTC"))
    if not foreseen.dues:
        say("nothing is due")
    for jobs in foreseen.jobs:
        say(escape(f"{counted(jobs.many, 'job')} of {jobs.job_type} would be routed"))
    say("dry run: nothing was written")


def markdown_of(done: Ticked) -> str:
    """Return what a tick did for the step summary."""
    return "## Tick\n\n" + "\n".join(f"- {markdown.plain(redacted(line))}" for line in done.lines)


def as_json(done: Ticked) -> dict[str, object]:
    """Return what a tick did as JSON-ready values."""
    asked, routed = done.asked, done.routed
    return {
        "due": asked.due,
        "due_since": asked.since,
        "unchanged": asked.unchanged,
        "changed": [each.full_name for each in asked.changed],
        "unknown": {each.full_name: reason for each, reason in asked.unknown},
        "not_asked": asked.not_asked,
        "limited": asked.limited,
        "points": asked.points,
        "jobs": [
            {
                "id": job.id,
                "type": job.job_type,
                "repository": job.full_name,
                "processor": route.processor,
                "rule": route.rule,
                "reason": route.reason,
                "fallback": route.fallback,
            }
            for job, route in routed.routes
        ],
        "closed": [{"id": each.job.id, "status": each.status, "reason": each.reason} for each in routed.closed],
        "waiting": routed.waiting,
        "down": dict(routed.down),
        "actions_percent": done.shares.actions_percent,
        "still_due": done.backlog.many,
        "still_due_since": done.backlog.since,
    }


def outlook_json(foreseen: TickOutlook) -> dict[str, object]:
    """Return what a tick would take as JSON-ready values."""
    return {
        "due": [{"repository": each.full_name, "due_since": each.due_since} for each in foreseen.dues],
        "jobs": [{"type": each.job_type, "many": each.many, "since": each.since} for each in foreseen.jobs],
    }
