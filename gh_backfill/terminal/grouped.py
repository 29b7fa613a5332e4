"""Workspaces as a person sees them in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from gh_backfill.policy import markdown
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.redaction import redacted
from gh_backfill.terminal import tables
from gh_backfill.terminal.console import command, hinted, say, show_table

if TYPE_CHECKING:  # it shows what tasks return, and starts without them
    from gh_backfill.store.workspaces import Workspace
    from gh_backfill.tasks.aggregate import Aggregated, AggregatedWorkspace
    from gh_backfill.tasks.track import Tracked
    from gh_backfill.tasks.workspaces import MembersChanged, WorkspaceShown

LIST = (
    tables.Column(title="workspace"),
    tables.Column(title="name"),
    tables.Column(title="repositories", is_figure=True),
    tables.Column(title="events"),
    tables.Column(title="next (UTC)"),
)
_MARKS = {"done": "✓", "busy": "‖", "failed": "✕", "would be": "·"}
MEMBERS = (
    tables.Column(title="repository"),
    tables.Column(title="stars", is_figure=True),
    tables.Column(title="forks", is_figure=True),
)


def show_created(made: Workspace) -> None:
    """Print that a workspace is there, and what comes next."""
    say(escape(f"{made.slug} ({made.name}) is there"))
    say(escape(f"next: {command()} workspace add {made.slug} owner/name"))


def show_added(changed: MembersChanged, shown: WorkspaceShown, failed: Sequence[Tracked]) -> None:
    """Print which repositories came to a workspace, which it had, and which could not come."""
    names = {each.id: each.full_name for each in shown.members}
    for each in changed.changed:
        say(escape(f"✓ {names[each]}: added"))
    for each in changed.unchanged:
        say(escape(f"✓ {names[each]}: was in it"))
    for failure in failed:
        say(escape(f"✕ {failure.given}: {failure.text}"))
    say(escape(f"{changed.workspace.slug}: {_size(changed.workspace)}"))
    if changed.changed:
        say(escape(f"next: {command()} events --workspace {changed.workspace.slug}"))


def show_removed(changed: MembersChanged) -> None:
    """Print how many repositories went, and how many are left."""
    say(escape(f"{changed.workspace.slug}: {len(changed.changed):,} removed, {_size(changed.workspace)} left"))


def show_list(found: Sequence[Workspace]) -> None:
    """Print the workspaces."""
    if not found:
        say(escape(f"no workspaces yet: {command()} workspace create SLUG"))
        return
    rows = [tables.Row(cells=(each.slug, each.name, _of(each), _events(each), _next(each))) for each in found]
    show_table(LIST, rows)


def show_workspace(found: WorkspaceShown) -> None:
    """Print a workspace and its repositories."""
    each = found.workspace
    private = ", private" if each.is_private else ""
    say(escape(f"{each.name} ({each.slug}{private}): {_size(each)}"))
    if each.description:
        say(escape(each.description))
    say(escape(f"owner {each.owner_id}; {_schedule(each)}"))
    if not found.members:
        say(escape(f"no repositories yet: {command()} workspace add {each.slug} owner/name"))
        return
    rows = [
        tables.Row(cells=(member.full_name, _figure(member.stars), _figure(member.forks))) for member in found.members
    ]
    show_table(MEMBERS, rows)


def show_schedule(each: Workspace) -> None:
    """Print when the events of a workspace are fetched."""
    say(escape(f"{each.slug}: {_schedule(each)}"))


def show_aggregated(found: Aggregated, *, in_public: bool) -> None:
    """Print what became of each workspace, and how many have new figures."""
    for each in found.workspaces:
        size = counted(each.workspace.repositories, "repository")
        say(escape(f"{_MARKS[each.end]} {each.named(in_public=in_public)}: {size}, {_figures(each)}"))
    if not found.workspaces:
        say(escape(hinted(f"nothing to aggregate: {found.nothing}")))
    elif all(each.end == "would be" for each in found.workspaces):
        say("dry run: nothing was written")


def aggregated_markdown(found: Aggregated) -> str:
    """Return it for the step summary; private workspaces are named by their id only."""
    rows = [
        (markdown.plain(each.named(in_public=True)), f"{each.workspace.repositories:,}", markdown.plain(_figures(each)))
        for each in found.workspaces
    ]
    return f"## Figures of workspaces\n\n{markdown.table(('workspace', 'repositories', 'figures'), rows)}"


def _figures(each: AggregatedWorkspace) -> str:
    if each.end == "failed":
        return redacted(f"failed: {each.error}")
    as_of = "none yet" if each.computed_at is None else f"as of {each.computed_at:%Y-%m-%d %H:%M} UTC"
    return {"done": f"figures {as_of}", "busy": "another one is at it"}.get(each.end, f"figures {as_of}")


def show_deleted(gone: Workspace) -> None:
    """Print that a workspace is gone, and what stays."""
    say(escape(f"{gone.slug} is deleted; its {_size(gone)} stay here"))


def _schedule(each: Workspace) -> str:
    if each.every is None or each.next_due_at is None:
        return "its events are fetched when somebody asks"
    return f"events of {counted(each.days or 0, 'day')} {each.every}, next {_next(each)} UTC"


def _size(each: Workspace) -> str:
    return counted(each.repositories, "repository")


def _of(each: Workspace) -> str:
    return f"{each.repositories:,}" if each.most is None else f"{each.repositories:,}/{each.most:,}"


def _events(each: Workspace) -> str:
    return "when asked" if each.every is None else f"{each.every}, {counted(each.days or 0, 'day')}"


def _next(each: Workspace) -> str:
    return "–" if each.next_due_at is None else f"{each.next_due_at:%Y-%m-%d %H:%M}"


def _figure(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
