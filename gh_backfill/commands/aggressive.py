"""The command that brings everything of a repository: its data, embeddings, and the figures of its workspaces."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gh_backfill import actions, output
from gh_backfill.commands import options
from gh_backfill.commands.options import ChunkSize, DryRun, Json, Kinds, MaxChunks, number
from gh_backfill.errors import ConfigurationError, EmptyDatabase
from gh_backfill.terminal.console import say

if TYPE_CHECKING:
    from gh_backfill import settings
    from gh_backfill.engine.outcome import Limits
    from gh_backfill.store.db import Database
    from gh_backfill.tasks.aggressive.asking import AggressiveWish
    from gh_backfill.tasks.aggressive.done import AggressiveDone

WAIT = 15
Given = Annotated[
    list[str] | None,
    typer.Argument(metavar="OWNER/NAME | OWNER NAME", help="The repository: its name, an id, or its address."),
]
TimeRange = Annotated[
    str | None,
    typer.Option(
        "--time-range",
        envvar="GH_BACKFILL_TIME_RANGE",
        metavar="DAYS",
        help="What was created in the last so many days. Default: the whole history.",
    ),
]
Wait = Annotated[
    str | None,
    typer.Option(
        "--wait",
        envvar="GH_BACKFILL_WAIT",
        metavar="MINUTES",
        help="How long the end of the data sync is waited for; 0: only ask for it. Default: 15.",
    ),
]


def aggressive(
    repository: Given = None,
    repository_id: options.NameOption = None,
    time_range: TimeRange = None,
    skip_embeddings: Annotated[
        bool, typer.Option("--skip-embeddings", envvar="GH_BACKFILL_SKIP_EMBEDDINGS", help="Make no embeddings.")
    ] = False,
    embeddings_only: Annotated[
        bool,
        typer.Option("--embeddings-only", envvar="GH_BACKFILL_EMBEDDINGS_ONLY", help="Fetch nothing; make embeddings."),
    ] = False,
    skip_workspace: Annotated[
        bool, typer.Option("--skip-workspace", envvar="GH_BACKFILL_SKIP_WORKSPACE", help="Aggregate no workspace.")
    ] = False,
    wait: Wait = None,
    due: Annotated[
        bool,
        typer.Option("--due", envvar="GH_BACKFILL_ALL_DUE", help="Go on with all that waits, the longest first."),
    ] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Say how the last one stands, of all without a name.")
    ] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel the one that is not over; rows stay.")] = False,
    kinds: Kinds = None,
    time_limit: Annotated[
        str | None,
        typer.Option("--time-limit", envvar="GH_BACKFILL_TIME_LIMIT", metavar="MINUTES", help="Stop in time."),
    ] = None,
    chunk_size: ChunkSize = None,
    max_chunks: MaxChunks = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Bring everything of one repository: all its data, then embeddings, then the figures of its workspaces.

    Nobody has to track it before. Each step keeps its state: what was interrupted, or failed, goes on where it was. At
    the end a checklist is held against the database and GitHub.
    Example: [bold]gh-backfill aggressive octocat/hello-world --time-range 30 --dry-run[/bold]
    """
    from gh_backfill import settings

    name = _named(repository, repository_id)
    limits = options.limits(chunk_size, max_chunks, time_limit)
    minutes = number("--wait", wait, 0)
    wish = _wish(
        time_range,
        kinds,
        skip_embeddings=skip_embeddings,
        embeddings_only=embeddings_only,
        skip_workspace=skip_workspace,
    )
    environment = settings.load()
    if status or cancel:
        _look(environment, name, cancel=cancel, as_json=as_json)
        return
    if not name and not due:
        raise ConfigurationError("which repository? gh-backfill aggressive owner/name, or --due for all that waits")
    if name and due:
        raise ConfigurationError("--due takes all that waits: leave out the name, or --due")
    if dry_run:
        _outlook(environment, name, wish, as_json=as_json)
        return
    _run(environment, name, wish, minutes=WAIT if minutes is None else minutes, limits=limits, as_json=as_json)


def _run(
    environment: settings.Settings,
    name: str,
    wish: AggressiveWish,
    *,
    minutes: int,
    limits: Limits,
    as_json: bool,
) -> None:
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.aggressive import asking, opened
    from gh_backfill.tasks.aggressive.done import raise_failures
    from gh_backfill.terminal import bars, stepped

    with (
        connect.github(environment) as graphql,
        connect.database(environment) as db,
        connect.sharing(graphql, db, ahead=True),
        connect.lists(environment, graphql) as lists,
        bars.capture_progress() as listen,
    ):
        ways = opened.AggressiveWays(
            settings=environment,
            db=db,
            graphql=graphql,
            lists=lists,
            limits=limits,
            wait=timedelta(minutes=minutes),
            listen=listen,
            tell=(lambda *_: None) if as_json else stepped.show_begun,
        )
        if name:
            asked = asking.ask(
                db,
                graphql,
                name,
                wish,
                name_of=connect.name_of(environment),
                actor=connect.actor(environment),
                now=datetime.now(UTC),
            )
            if asked.told and not as_json:
                say(escape(asked.told))
            done = opened.of_one(ways, asked) if minutes else [opened.only_asked(asked)]
        else:
            done = opened.of_all_that_waits(ways)
    found = [each.backfill for each in done]
    actions.write_summary(environment, stepped.markdown_of(found))
    if as_json:
        print(json_text([each.as_json() for each in found]))
    else:
        _show(done)
    raise_failures(done)


def _show(done: Sequence[AggressiveDone]) -> None:
    from gh_backfill.tasks.aggressive.done import told
    from gh_backfill.terminal import stepped

    for each in done:
        stepped.show_checklist(each.backfill.checklist)
        if each.backfill.over:
            say(escape(f"{each.backfill.full_name}: {told(each)}"))
        else:
            stepped.show_goes_on(each.backfill)
    if not done:
        say("nothing waits")


def _look(environment: settings.Settings, name: str, *, cancel: bool, as_json: bool) -> None:
    """Say how aggressive backfills stand, or cancel the one of a repository."""
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.store import aggressive as store
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.capture import find
    from gh_backfill.terminal import stepped

    if cancel and not name:
        raise ConfigurationError("which repository? gh-backfill aggressive owner/name --cancel")
    with connect.database(environment, writing=cancel) as db:
        ids = [find(db, name).id] if name else None
        with db.transaction(read_only=not cancel) as tx:
            many = store.cancel(tx, ids or [], who=connect.actor(environment).who) if cancel else 0
            found = store.standing(tx, ids)
    if as_json:
        print(json_text([each.as_json() for each in found]))
        return
    if cancel:
        say("cancelled: what is here stays" if many else "nothing to cancel: none is open")
    stepped.show_standing(found)


def _outlook(environment: settings.Settings, name: str, wish: AggressiveWish, *, as_json: bool) -> None:
    """Say what would be done; nothing is written, and on a new machine no database is made for it."""
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.tasks import connect
    from gh_backfill.tasks.aggressive import other_steps
    from gh_backfill.tasks.aggressive.outlook import outlook
    from gh_backfill.tasks.report import costs
    from gh_backfill.terminal import stepped

    if not name:
        _what_waits(environment, as_json=as_json)
        return
    with connect.github(environment) as graphql, _database_if_any(environment) as db:
        found = outlook(
            db,
            graphql,
            name,
            wish,
            name_of=connect.name_of(environment),
            embeddings=partial(other_steps.embeddings_outlook, environment, db),
            now=datetime.now(UTC),
            rates=costs.prices(environment),
            in_public=output.in_actions(os.environ),
        )
    if as_json:
        print(json_text(found.as_json()))
    else:
        stepped.show_outlook(found)


def _what_waits(environment: settings.Settings, *, as_json: bool) -> None:
    """Say what a run would go on with."""
    from gh_backfill.policy.json_text import json_text
    from gh_backfill.store import aggressive as store
    from gh_backfill.tasks import connect
    from gh_backfill.terminal import stepped

    with connect.database(environment, writing=False) as db, db.reading() as tx:
        ids = set(store.due(tx))
        found = [each for each in store.standing(tx) if each.id in ids]
    if as_json:
        print(json_text([each.as_json() for each in found]))
    elif found:
        stepped.show_standing(found)
    else:
        say("nothing waits")


@contextmanager
def _database_if_any(environment: settings.Settings) -> Iterator[Database | None]:
    from gh_backfill.tasks import connect

    with ExitStack() as stack:
        try:
            db = stack.enter_context(connect.database(environment, writing=False))
        except EmptyDatabase:
            db = None
        yield db


def _named(given: list[str] | None, repository_id: str | None) -> str:
    """Read the repository: `owner/name`, or owner and name apart, as the guide has it."""
    words = [word for each in given or [] for word in each.split() if word]
    if len(words) == 2 and not any("/" in word for word in words):
        words = ["/".join(words)]
    if len(words) > 1:
        raise ConfigurationError(f"one repository at a time, not {len(words)}: gh-backfill aggressive owner/name")
    return options.clean(words[0]) if words else (repository_id or "").strip()


def _wish(
    time_range: str | None,
    kinds: str | None,
    *,
    skip_embeddings: bool,
    embeddings_only: bool,
    skip_workspace: bool,
) -> AggressiveWish:
    from gh_backfill.engine import registry
    from gh_backfill.policy.aggressive.steps import wanted
    from gh_backfill.tasks.aggressive.asking import MOST_DAYS, AggressiveWish

    steps = wanted(skip_embeddings=skip_embeddings, embeddings_only=embeddings_only, skip_workspace=skip_workspace)
    days = number("--time-range", time_range, 1, MOST_DAYS)
    return AggressiveWish(steps=steps, kinds=registry.chosen(kinds) or (), days=days)
