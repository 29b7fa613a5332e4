"""Syncs as a person sees them: what each read and what of that had changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal.console import say

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.syncs import SyncedOne


def show(done: Sequence[SyncedOne], *, unchanged: int = 0) -> None:
    """Print what became of each repository, and how many of those that were due have not changed."""
    for each in done:
        if each.repository_id is not None:  # the error that ends the command names the others
            say(escape(f"{each.name}: {each.text}"))
    if unchanged:
        say(_unchanged(unchanged))
    if not done and not unchanged:
        say("nothing is due")


def show_outlook(lines: Sequence[str]) -> None:
    """Print what would be done."""
    for line in lines:
        say(escape(line))
    say("dry run: nothing was written")


def markdown_of(done: Sequence[SyncedOne], *, unchanged: int = 0) -> str:
    """Return what became of each for the step summary; private repositories are named by their id only."""
    told = f"\n\n{_unchanged(unchanged)}." if unchanged else ""
    rows = [
        (
            markdown.plain((each.repository_id or "") if each.is_private else each.name),
            markdown.plain(redacted(each.text)),
        )
        for each in done
    ]
    table = markdown.table(("repository", "result"), rows) if rows else ""
    return f"## Synced\n\n{table}{told}" if table or told else "## Synced\n\nNothing is due."


def _unchanged(many: int) -> str:
    return f"{counted(many, 'repository')} {'has' if many == 1 else 'have'} not changed since"


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
