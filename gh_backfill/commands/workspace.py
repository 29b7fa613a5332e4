"""The commands about workspaces: repositories that somebody looks at together."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import output
from gh_backfill.commands import options
from gh_backfill.commands.history import confirmed
from gh_backfill.commands.options import Json, number
from gh_backfill.errors import ConfigurationError, PartlyFailed
from gh_backfill.policy.json_text import json_text
from gh_backfill.terminal import grouped

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.store.db import Database
    from gh_backfill.store.workspaces import Workspace
    from gh_backfill.tasks.accounts import Filters
    from gh_backfill.tasks.track import Tracked
    from gh_backfill.tasks.workspaces import MembersChanged

app = typer.Typer(
    name="workspace",
    help="Put repositories together, whose stars, forks and work are looked at as one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
Slug = Annotated[str, typer.Argument(metavar="SLUG", help="Its short name, as web-frameworks.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command()
def create(
    slug: Slug,
    others: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="TEXT", help="Its name. Default: from the slug.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")] = None,
    owner: Annotated[
        str | None,
        typer.Option(
            "--owner", metavar="UUID", help="Whose it is, where an application with users is in the database."
        ),
    ] = None,
    private: Annotated[bool, typer.Option("--private", help="No guest of an application sees it.")] = False,
    as_json: Json = False,
) -> None:
    """Create a workspace, without repositories yet.

    Example: [bold]gh-backfill workspace create web-frameworks --name "Web frameworks"[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect, workspaces

    if others:
        words, own = shlex.join(others), shlex.quote(slug)
        raise ConfigurationError(
            f"a workspace is created without repositories: gh-backfill workspace create {own}, then: "
            f"gh-backfill workspace add {own} {words} (a name of several words goes into --name, in quotes)"
        )
    with connect.database(settings.load()) as db:
        made = _seen(workspaces.create(db, slug, name=name, description=description, owner=owner, private=private))
    if as_json:
        print(json_text(workspaces.row_of(made)))
    else:
        grouped.show_created(made)


@app.command()
def add(
    slug: Slug,
    names: options.SomeNames = None,
    file: Annotated[
        str | None, typer.Option("--file", "-f", metavar="PATH", help="Names from a file; - is standard input.")
    ] = None,
    include_forks: Annotated[bool, typer.Option("--include-forks", help="Of an account: forks, too.")] = False,
    include_archived: Annotated[bool, typer.Option("--include-archived", help="Of an account: archives, too.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Add repositories, or all of an account as owner/*; GitHub is asked about those that are not here yet.

    None is added where they do not all fit. Nothing is captured by that: gh-backfill events brings the figures.
    Example: [bold]gh-backfill workspace add web-frameworks octocat/hello-world[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import accounts, connect, workspaces

    every = list(dict.fromkeys([*(names or []), *options.listed(file, None)]))
    if not every:
        raise ConfigurationError(f"which repositories? gh-backfill workspace add {slug} owner/name, or --file PATH")
    environment = settings.load()
    filters = accounts.Filters(forks=include_forks, archived=include_archived)
    with connect.database(environment) as db:
        workspaces.shown(db, slug)  # a workspace that is none is told before GitHub is asked
        here = workspaces.known(db, [name for name in every if accounts.login_of(name) is None])
        ids = [each for each in here.values() if each is not None]
        strange = [name for name in every if here.get(name) is None]
        asked = _ask(environment, db, strange, filters, yes=yes) if strange else []
        ids += workspaces.stored(db, [each.repository for each in asked if each.repository is not None])
        changed = _as_seen(workspaces.add(db, slug, ids))
        shown = workspaces.shown(db, slug)
    failed = [each for each in asked if each.failed]
    if as_json:
        print(json_text({**workspaces.row_of(changed.workspace), "added": changed.changed, "known": changed.unchanged}))
    else:
        grouped.show_added(changed, shown, failed)
    workspaces.raise_strangers(changed.workspace, asked, len(ids))


@app.command()
def remove(slug: Slug, names: options.Names, as_json: Json = False) -> None:
    """Remove repositories from a workspace; what is here of them stays.

    Example: [bold]gh-backfill workspace remove web-frameworks octocat/hello-world[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect, workspaces

    with connect.database(settings.load()) as db:
        here = workspaces.known(db, names)
        changed = _as_seen(workspaces.remove(db, slug, [each for each in here.values() if each is not None]))
    strangers = [name for name, each in here.items() if each is None or each in changed.unchanged]
    if as_json:
        print(json_text({**workspaces.row_of(changed.workspace), "removed": changed.changed}))
    else:
        grouped.show_removed(changed)
    if strangers:
        failure = PartlyFailed if changed.changed else ConfigurationError
        raise failure(f"not in {changed.workspace.slug}: {', '.join(strangers)}")


@app.command(name="list")
def list_all(as_json: Json = False) -> None:
    """List the workspaces.

    Example: [bold]gh-backfill workspace list[/bold]
    """
    from gh_backfill.tasks import connect, workspaces

    with connect.database(options.stored(), writing=False) as db:
        found = [_seen(each) for each in workspaces.listed(db)]
    print(json_text([workspaces.row_of(each) for each in found])) if as_json else grouped.show_list(found)


@app.command()
def show(slug: Slug, as_json: Json = False) -> None:
    """Show a workspace: its repositories, whose it is, and when its events are fetched.

    Example: [bold]gh-backfill workspace show web-frameworks[/bold]
    """
    from gh_backfill.tasks import connect, workspaces

    with connect.database(options.stored(), writing=False) as db:
        found = workspaces.shown(db, slug)
    found = replace(found, workspace=_seen(found.workspace))
    print(json_text(found.as_json())) if as_json else grouped.show_workspace(found)


@app.command()
def schedule(
    slug: Slug,
    every: Annotated[str, typer.Argument(metavar="daily|weekly|monthly|never", help="How often.")],
    days: Annotated[
        str | None, typer.Option("--days", metavar="N", help="Events of so many days, 1 to 3,660. Default: 90.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Fetch the events of a workspace again and again, from the next run of backfill-events.yml or events --due on.

    Example: [bold]gh-backfill workspace schedule web-frameworks weekly[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.policy.workspaces import Every
    from gh_backfill.tasks import connect, workspaces
    from gh_backfill.tasks.events.wish import DAYS, MOST_DAYS

    word = every.strip().lower()
    if word not in (*Every, "never"):
        raise ConfigurationError(f"a workspace is fetched daily, weekly, monthly or never, not {every[:40]!r}")
    many = number("--days", days, 1, MOST_DAYS) or DAYS
    chosen = None if word == "never" else Every(word)
    with connect.database(settings.load()) as db:
        found = _seen(workspaces.schedule(db, slug, chosen, days=many, now=datetime.now(UTC)))
    print(json_text(workspaces.row_of(found))) if as_json else grouped.show_schedule(found)


@app.command()
def delete(slug: Slug, yes: Yes = False, as_json: Json = False) -> None:
    """Delete a workspace; its repositories, and what is here of them, stay.

    Example: [bold]gh-backfill workspace delete web-frameworks[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.tasks import connect, workspaces

    with connect.database(settings.load()) as db:
        found = _seen(workspaces.shown(db, slug).workspace)
        if not yes:
            confirmed(f"delete the workspace {found.slug} ({workspaces.told(found)})?")
        gone = _seen(workspaces.delete(db, slug))
    print(json_text(workspaces.row_of(gone))) if as_json else grouped.show_deleted(gone)


def _seen(each: Workspace) -> Workspace:
    """Return a workspace as it is told: in a log that others read, a private one by its id alone."""
    if not each.is_private or not output.in_actions(os.environ):
        return each
    return replace(each, slug=each.id, name="a private workspace", description=None)


def _as_seen(changed: MembersChanged) -> MembersChanged:
    return replace(changed, workspace=_seen(changed.workspace))


def _ask(
    environment: settings.Settings, db: Database, names: Sequence[str], filters: Filters, *, yes: bool
) -> list[Tracked]:
    """Ask GitHub about names that are not here, and about accounts after a yes to what they have."""
    from gh_backfill.tasks import accounts, connect
    from gh_backfill.tasks import track as tracking

    single = [name for name in names if accounts.login_of(name) is None]
    logins = [login for login in map(accounts.login_of, names) if login is not None]
    with connect.github(environment) as graphql, connect.sharing(graphql, db, apart=False):
        named = tracking.ask(graphql, single, name_of=connect.name_of(environment))
        found = accounts.ask(graphql, logins, filters)
    chosen = sum(len(each.chosen) for each in found)
    for each in found:
        if each.trouble is None:
            print(f"{each.login}: {len(each.chosen):,} repositories", file=sys.stderr)
    if chosen and not yes:
        confirmed("add these repositories?")
    return named + accounts.tracked(found, named)
