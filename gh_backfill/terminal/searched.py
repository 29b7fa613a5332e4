"""Items that a search found, as a person sees them in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import say, show_table

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.search.found import Found, FoundItem

TYPES = {ItemType.ISSUE: "issue", ItemType.PULL_REQUEST: "PR", ItemType.DISCUSSION: "discussion"}
# Of a name that long its beginning and its end are shown: the title needs the room.
LONGEST_NAME = 20
HOUR = 3600


def show_found(found: Found) -> None:
    """Print what was found, each item on a line, and below it what is to be known of the search."""
    notes = " · ".join(found.notes)
    if not found.items:
        say(escape(f"nothing was found{f': {notes}' if notes else ''}"))
        return
    columns = (
        tables.Column(title="title"),
        tables.Column(title="number", is_figure=True),
        tables.Column(title="type"),
        tables.Column(title="repository"),
        tables.Column(title="state"),
        tables.Column(title="age", is_figure=True),
    )
    now = datetime.now(UTC)
    show_table(columns, [_row(each, now) for each in found.items])
    for note in found.notes:
        say(escape(note))


def _row(each: FoundItem, now: datetime) -> tables.Row:
    item = each.item
    title = " ".join(item.title.split())
    name = tables.shortened(item.full_name, LONGEST_NAME)
    age = _age(now, item.created_at)
    return tables.Row(cells=[title, f"#{item.number}", TYPES[item.key.item_type], name, item.state or "–", age])


def _age(now: datetime, created: datetime) -> str:
    """Return how old something is, in the largest unit that counts it."""
    hours = max(0, int((now - created).total_seconds()) // HOUR)
    days = hours // 24
    if days >= 730:
        return f"{days // 365} y"
    return f"{days} d" if days else f"{hours} h"
