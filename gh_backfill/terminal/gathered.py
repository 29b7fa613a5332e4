"""Events that were fetched, as a person sees them: a line for each repository, and how many go on another time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal.console import say

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.tasks.events.many import EventsOutlook
    from gh_backfill.tasks.events.told import HandedOver
    from gh_backfill.tasks.events.wish import EventsFound


def show_one(done: EventsFound) -> None:
    """Print what became of one repository."""
    mark = "✕" if done.failed else "‖" if done.resume_at or done.not_begun else "✓"
    say(escape(f"{mark} {done.name}: {done.text or 'nothing new'}"))


def show(done: Sequence[EventsFound]) -> None:
    """Print how many came to which end; the lines of each are there already but for those that are not known here."""
    for each in done:
        if each.repository is None:
            show_one(each)
    ended = [each for each in done if not each.failed and each.resume_at is None and not each.not_begun]
    points = sum(each.spent.points for each in done)
    requests = sum(each.spent.requests for each in done)
    of = f"{len(ended):,} of {markdown.counted(len(done), 'repository')}"
    said = [of, markdown.counted(points, "point"), markdown.counted(requests, "request")]
    waiting = [each for each in done if each.resume_at is not None or (each.not_begun and not each.failed)]
    say(", ".join(said))
    if waiting:
        say(f"{len(waiting):,} go on when you run it again: what was read is kept")


def show_outlook(outlook: Sequence[EventsOutlook]) -> None:
    """Print what would be asked."""
    for each in outlook:
        say(escape(each.text))
    say("dry run: nothing was asked or written")


def markdown_of(done: Sequence[EventsFound]) -> str:
    """Return it for the step summary; private repositories are named by their id only."""
    rows = [
        (
            markdown.plain(
                each.repository.id if each.repository is not None and each.repository.is_private else each.name
            ),
            "failed" if each.failed else "waiting" if each.resume_at or each.not_begun else "completed",
            markdown.plain(redacted(each.text)),
        )
        for each in done
    ]
    return f"## Events\n\n{markdown.table(('repository', 'status', 'events'), rows)}"


def show_handing(outlook: Sequence[EventsOutlook]) -> None:
    """Print what would be handed over."""
    for each in outlook:
        say(escape(each.text))
    say("dry run: nothing was sent or written")


def show_handed(done: HandedOver) -> None:
    """Print what another service makes of one repository."""
    say(escape(f"{'✕' if done.failed else '‖' if done.job is None else '✓'} {done.name}: {done.text}"))


def handed_markdown(done: Sequence[HandedOver]) -> str:
    """Return it for the step summary; private repositories are named by their id only."""
    rows = [
        (
            markdown.plain(
                each.repository.id if each.repository is not None and each.repository.is_private else each.name
            ),
            each.state,
            markdown.plain(redacted(each.text)),
        )
        for each in done
    ]
    return f"## Events by gh-datpipe\n\n{markdown.table(('repository', 'status', 'events'), rows)}"
