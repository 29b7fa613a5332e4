"""The command that adds repositories: track."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from gh_backfill import actions
from gh_backfill.commands import options
from gh_backfill.commands.history import confirmed
from gh_backfill.commands.options import DryRun, Json, Kinds, number
from gh_backfill.commands.waiting import bring, raise_failed
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.json_text import json_text
from gh_backfill.policy.markdown import counted
from gh_backfill.terminal import console, listings

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.clients.graphql import GraphQL
    from gh_backfill.policy.initial import Wish
    from gh_backfill.tasks.accounts import Filters
    from gh_backfill.tasks.initial.local import Worked
    from gh_backfill.tasks.track import Tracked


@dataclass(frozen=True, kw_only=True, slots=True)
class _Given:
    """What was said on the command line: names of repositories and of accounts, and what is wanted of them."""

    names: Sequence[str]
    logins: Sequence[str]
    filters: Filters
    wish: Wish
    larger: bool
    backfill: bool | None
    kinds: Sequence[str] | None
    yes: bool


def track(
    names: options.SomeNames = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="PATH", help="Names from a file; - is standard input."),
    ] = None,
    pasted: Annotated[
        str | None,
        typer.Option("--names", envvar="GH_BACKFILL_REPOSITORIES", metavar="LIST", help="Names as people paste them."),
    ] = None,
    backfill: Annotated[
        bool | None,
        typer.Option(help="Also bring the newest pull requests of those that are new. Default: yes, but for owner/*."),
    ] = None,
    local: Annotated[bool, typer.Option("--local", help="Do that now, on this machine, five at a time.")] = False,
    via: Annotated[
        str, typer.Option("--via", metavar="inngest", help="Let Inngest do that: an event for each that is new.")
    ] = "",
    max_prs: options.MaxPullRequests = None,
    since: options.Since = None,
    until: options.Until = None,
    state: options.State = None,
    smart: options.Smart = False,
    only_newest: options.OnlyNewest = False,
    one_per_owner: options.OnePerOwner = False,
    min_prs: Annotated[
        str | None, typer.Option("--min-prs", metavar="N", help="Of an account: with at least N pull requests.")
    ] = None,
    include_forks: Annotated[bool, typer.Option("--include-forks", help="Of an account: forks, too.")] = False,
    include_archived: Annotated[bool, typer.Option("--include-archived", help="Of an account: archives, too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask about the repositories of an account.")] = False,
    kinds: Kinds = None,
    priority: options.PriorityWord = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Add repositories, and bring the newest 200 pull requests of each; one that is wrong does not stop the others.

    The rest of their history follows by itself, unless only the newest are wanted. All repositories of an account are
    shown with their count and an estimate first, and asked about.
    Example: [bold]gh-backfill track octocat/hello-world --local[/bold]
    """
    from gh_backfill import settings
    from gh_backfill.engine import registry
    from gh_backfill.tasks import accounts
    from gh_backfill.tasks import track as tracking

    wish, larger = options.wish(
        max_prs, since, until, state, smart=smart, only_newest=only_newest, one_per_owner=one_per_owner
    )
    wish = replace(wish, priority=options.priority(priority))
    if local and backfill is False:
        raise ConfigurationError("--local captures now what --no-backfill leaves out: choose one of them")
    every = [*(names or []), *options.listed(file, pasted)]
    filters = _filters(every, min_prs, forks=include_forks, archived=include_archived)
    environment = settings.load()
    if via:
        _refuse_unless_sendable(environment, via, alone=not local and backfill is not False)
    given = _Given(
        names=[name for name in every if accounts.login_of(name) is None],
        logins=[login for login in map(accounts.login_of, every) if login is not None],
        filters=filters,
        wish=wish,
        larger=larger,
        backfill=True if local or via else backfill,
        kinds=registry.chosen(kinds),
        yes=yes,
    )
    options.kinds(None, environment)  # a name that is none is told before anything is written
    if dry_run:
        _preview(environment, given, as_json=as_json)
        return
    tracked, opened, worked = _track(environment, given, local=local)
    actions.write_summary(environment, listings.tracked_markdown(tracked))
    if as_json:
        print(json_text([listings.tracked_row(each) for each in tracked]))
    else:
        listings.show_tracked(tracked, dry_run=False)
        if worked is not None:
            from gh_backfill.terminal import results

            results.show_worked(worked)
        elif not via and any(each.result in tracking.NEWS for each in opened):
            print(f"their newest pull requests come with the next run, or now: {console.command()} work")
    if via:
        _send(environment, tracked, as_json=as_json)
    raise_failed(worked)
    tracking.raise_failures(tracked)


def _filters(names: Sequence[str], least: str | None, *, forks: bool, archived: bool) -> Filters:
    """Read what is chosen of accounts; raises ConfigurationError where there is none, or nothing is named at all."""
    from gh_backfill.tasks import accounts
    from gh_backfill.tasks.accounts import Filters

    if not names:
        raise ConfigurationError("which repositories? gh-backfill track owner/name, or --file PATH")
    filters = Filters(least=number("--min-prs", least, 0) or 0, forks=forks, archived=archived)
    if filters != Filters() and not any(map(accounts.login_of, names)):
        raise ConfigurationError("--min-prs, --include-forks and --include-archived choose among an account's: owner/*")
    return filters


def _track(
    environment: settings.Settings, given: _Given, *, local: bool
) -> tuple[Sequence[Tracked], Sequence[Tracked], Worked | None]:
    """Register what was named, keep it as a batch, and capture it where that is to be done now.

    Returns what became of all of it, of that whose newest pull requests are to come first, and of the captures.
    """
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import track as tracking
    from gh_backfill.tasks.initial import batches

    now, actor = datetime.now(UTC), connect.actor(environment)
    opening = batches.opening_of(given.wish, now, larger=given.larger)
    first = opening if given.backfill is not False else None
    opens = opening if given.backfill else None
    with connect.github(environment) as graphql, connect.database(environment) as db:
        with connect.sharing(graphql, db, apart=False):
            named, listed = _ask(environment, graphql, given, yes=given.yes)
            register = partial(tracking.register, db, actor=actor, kinds=given.kinds, priority=given.wish.priority)
            kept = batches.KeptBatch(wish=given.wish, backfill=first is not None, actor=actor, now=now)
            of_names = register(named, opening=first, keep=kept)
            kept = batches.KeptBatch(wish=given.wish, backfill=opens is not None, actor=actor, now=now)
            of_accounts = register(listed, opening=opens, keep=kept)
        tracked = [*of_names, *of_accounts]
        opened = (of_names if first is not None else []) + (of_accounts if opens is not None else [])
        ids = [each.repository_id for each in tracked if each.repository_id]
        return tracked, opened, bring(environment, db, ids) if local else None


def _preview(environment: settings.Settings, given: _Given, *, as_json: bool) -> None:
    """Say what would be tracked, and what the backfills would take; raises as `track` does."""
    from gh_backfill.tasks import connect
    from gh_backfill.tasks import track as tracking
    from gh_backfill.tasks.initial import proposals

    now = datetime.now(UTC)
    with connect.github(environment) as graphql:
        named, listed = _ask(environment, graphql, given, yes=True)
        opened = (named if given.backfill is not False else []) + (listed if given.backfill else [])
        found = {each.repository.github_id: each.repository for each in opened if each.repository}
        foreseen = proposals.estimate_of(graphql, list(found.values()), given.wish, now)
    tracked = named + listed
    if as_json:
        print(json_text([listings.tracked_row(each) for each in tracked]))
    else:
        listings.show_tracked(tracked, dry_run=True)
        if foreseen is not None:
            print(f"their initial backfills: {foreseen.text}")
    tracking.raise_failures(tracked)


def _refuse_unless_sendable(environment: settings.Settings, via: str, *, alone: bool) -> None:
    from gh_backfill.tasks.initial import sending

    if via != "inngest" or not alone:
        raise ConfigurationError("--via takes inngest alone, and neither --local nor --no-backfill beside it")
    sending.require_keys(environment)


def _send(environment: settings.Settings, tracked: Sequence[Tracked], *, as_json: bool) -> None:
    """Let Inngest capture what was added."""
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.initial import sending
    from gh_backfill.tasks.inngest_client import sends

    sent = sending.send(sends(environment), tracked, connect.actor(environment))
    if sent and not as_json:
        print(f"their newest pull requests come through Inngest: it took {counted(sent, 'event')}")


def _ask(
    environment: settings.Settings, graphql: GraphQL, given: _Given, *, yes: bool
) -> tuple[list[Tracked], list[Tracked]]:
    """Ask GitHub about names, and accounts, after a yes to their count and estimate; returns what became of each."""
    from gh_backfill.tasks import accounts, connect
    from gh_backfill.tasks import track as tracking

    named = tracking.ask(graphql, given.names, name_of=connect.name_of(environment))
    found = accounts.ask(graphql, given.logins, given.filters)
    least = environment.minimum_pull_requests
    for line in accounts.summary(found, graphql, backfill=bool(given.backfill), more_than=least):
        print(line, file=sys.stderr)
    if not yes and any(each.chosen for each in found):
        confirmed("track these repositories?")
    return named, accounts.tracked(found, named)
