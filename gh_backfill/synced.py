"""Syncs as a person sees them: what each read and what of that had changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.console import say
from gh_backfill.policy import markdown
from gh_backfill.policy.redaction import redacted

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.syncs import SyncedOne


def show(done: Sequence[SyncedOne]) -> None:
    """Print what became of each repository."""
    for each in done:
        say(escape(f"{each.name}: {each.text}"))
    if not done:
        say("nothing is due")


def show_outlook(lines: Sequence[str]) -> None:
    """Print what would be done."""
    for line in lines:
        say(escape(line))
    say("dry run: nothing was written")


def markdown_of(done: Sequence[SyncedOne]) -> str:
    """Return what became of each for the step summary; private repositories are named by their id only."""
    rows = [
        (
            markdown.plain((each.repository_id or "") if each.is_private else each.name),
            markdown.plain(redacted(each.text)),
        )
        for each in done
    ]
    return f"## Synced\n\n{markdown.table(('repository', 'result'), rows) if rows else 'Nothing is due.'}"


def row(each: SyncedOne) -> dict[str, object]:
    """Return what became of one repository as JSON-ready values."""
    synced = each.synced
    captured = None if synced is None else synced.captured
    return {
        "name": each.name,
        "repository_id": each.repository_id,
        "outcome": None if captured is None else captured.outcome,
        "refused": None if synced is None else synced.refused,
        "error": each.error,
        "items": None if captured is None else captured.items,
        "outside": None if captured is None else captured.outside,
        "rows_read": None if synced is None else synced.read,
        "rows_changed": None if synced is None else synced.changed,
        "rows_gone": None if synced is None else synced.gone,
        "points": None if captured is None else captured.spent.points,
        "alarm": None if synced is None else synced.alarm,
        "handed_to_backfill": synced is not None and synced.handed,
    }
