"""Open what a command needs: the database (configured or embedded, migrated) and GitHub.

The way to GitHub is imported when it is opened: requests loads longer than all that a command needs for the database.
"""

from __future__ import annotations

import getpass
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from gh_backfill import database_address
from gh_backfill.clients import credentials
from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.errors import EmptyDatabase
from gh_backfill.required import require
from gh_backfill.settings import Settings
from gh_backfill.store import embedded
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.migrations import Migration
from gh_backfill.tasks import up_to_date

if TYPE_CHECKING:
    from gh_backfill.clients.graphql import GraphQL
    from gh_backfill.clients.rest_pages import RestPages
    from gh_backfill.engine.gate import HeadStarts
    from gh_backfill.models.github import Named

QUICK = (5.0, 15.0)


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Yield the address of the configured database, or of the embedded one, which runs as long as this block."""
    require(settings, database=True)
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with embedded.embedded(embedded_folder(settings)) as url:
        yield database_address.understood(url).within(settings.database_schema).url


@contextmanager
def database(
    settings: Settings, *, writing: bool = True, migrated: Callable[[Sequence[Migration]], None] | None = None
) -> Iterator[Database]:
    """Yield the database; raises ConfigurationError where settings or migrations are missing.

    An embedded database is brought up to date here, and made where there is none, unless nothing is to be written.  Any
    other one is its owner's: it is brought up to date where `migrated` is given, which hears of what was applied.
    Where nothing was ever made, it is an EmptyDatabase.
    """
    if not writing:
        refuse_where_nothing_is(settings)
    with database_url(settings) as url, Database(url) as db:
        up_to_date.prepare(db, settings, writing=writing, migrated=migrated)
        yield db


def refuse_where_nothing_is(settings: Settings) -> None:
    """Raise EmptyDatabase where an embedded database would have to be made first: who only looks makes none."""
    if settings.database_url is None and not settings.in_actions and not embedded_exists(settings):
        raise EmptyDatabase(f"the database is empty: {up_to_date.FIRST}")


def embedded_exists(settings: Settings) -> bool:
    """Say whether the embedded database was ever made."""
    return (embedded_folder(settings) / "data").exists()


def embedded_folder(settings: Settings) -> Path:
    """Return where the embedded database lies; invented rows have a folder of their own."""
    return settings.data_folder / ("simulated" if settings.simulated else "postgres")


def github(settings: Settings) -> GraphQL:
    """Return the way to GitHub, for this process alone; raises ConfigurationError without a credential."""
    from gh_backfill.clients.graphql import GraphQL  # noqa: PLC0415  (loads requests)

    return GraphQL(settings.graphql_url, _credentials(settings))


def quick_github(settings: Settings, known: Sequence[Credential]) -> GraphQL:
    """Return a way to GitHub that does not wait long for an answer, and tries what fails once more only."""
    from gh_backfill.clients.graphql import GraphQL  # noqa: PLC0415  (loads requests)

    return GraphQL(settings.graphql_url, Credentials(known), timeout=QUICK, tries=2)


@contextmanager
def sharing(
    graphql: GraphQL, db: Database, *, writing: bool = True, apart: bool = True, ahead: bool = False
) -> Iterator[None]:
    """Let the requests within the block come out of the budget that all jobs of the identity share.

    It is kept in the same database, over a connection of its own; one that asks GitHub only while no transaction is
    open needs none (not `apart`): somebody waits for the little that it asks, and it goes before captures.  One that
    asks again and again until it is done may reserve `ahead`.  Where nothing is to be written, nothing is shared.
    """
    from gh_backfill.engine.gate import SharedGate  # noqa: PLC0415  (who shares has opened the way to GitHub)
    from gh_backfill.engine.gate_ahead import GateAhead  # noqa: PLC0415

    if not writing:
        yield
        return
    alone = graphql.gate
    with db.another() if apart else nullcontext(db) as own:
        shared = SharedGate(own, lazy=not apart, head_starts=None if apart else _head_starts())
        try:
            if not ahead:
                graphql.gate = shared
                yield
                return
            with GateAhead(shared) as graphql.gate:
                yield
        finally:
            shared.rest()
            graphql.gate = alone


@cache
def _head_starts() -> HeadStarts:
    """Return those of this process, which all who wait share."""
    from gh_backfill.engine.gate import HeadStarts  # noqa: PLC0415  (who shares has opened the way to GitHub)

    return HeadStarts()


def lists(settings: Settings, graphql: GraphQL) -> RestPages:
    """Return the way to REST's lists with the same credentials and through the same gate."""
    from gh_backfill.clients.rest_pages import RestPages  # noqa: PLC0415  (loads requests)

    return RestPages(settings.github_api_url, graphql.credentials, lambda: graphql.gate)


def correct_budgets(settings: Settings, db: Database) -> list[str]:
    """Ask GitHub how the budgets stand, for free, and correct what is stored; without a credential nothing is done."""
    from gh_backfill.tasks import budgets  # noqa: PLC0415  (loads requests)

    if not settings.has_credential:
        return []
    return budgets.correct(db, _credentials(settings), settings.github_api_url)


def each_github(settings: Settings) -> list[tuple[str, GraphQL]]:
    """Return a way to GitHub by each credential alone, after the name of its setting.

    Whoever looks wants an answer now: nothing is tried twice, and a connection may take a few seconds.
    """
    from gh_backfill.clients.graphql import GraphQL  # noqa: PLC0415  (loads requests)

    return [
        (each.name, GraphQL(settings.graphql_url, Credentials([each]), timeout=QUICK, tries=1))
        for each in _credentials(settings)
    ]


def name_of(settings: Settings, *, seconds: int | None = None) -> Callable[[int], Named[str]]:
    """Return the look-up of a repository's name by GitHub's numeric id, which may take so many seconds."""
    from gh_backfill.clients import rest  # noqa: PLC0415  (PyGithub takes a third of a second to load)

    (first, *_) = _credentials(settings)
    most = rest.SECONDS if seconds is None else seconds
    return lambda github_id: rest.full_name(settings.github_api_url, first.token(), github_id, seconds=most)


def _credentials(settings: Settings) -> Credentials:
    return Credentials(credentials_of(settings))


def credentials_of(settings: Settings) -> list[Credential]:
    """Return all credentials of the settings, each of which asks GitHub once who it is.

    Raises ConfigurationError where there is none.
    """
    require(settings, token=True)
    workflow = settings.repository if settings.in_actions else None
    url = settings.github_api_url
    found = [
        credentials.of_token(name, token, api_url=url, workflow_of=workflow) for name, token in settings.tokens.items()
    ]
    if settings.app_id is not None:
        numbers: list[int | None] = [*settings.installations] or [None]
        found += [credentials.of_app(url, settings.app_id, settings.private_key, number) for number in numbers]
    return found


def this_run(settings: Settings) -> Run:
    """Return the run that this process belongs to; one by hand is a run of its own.

    All attempts of a workflow run are one run: what the first one planned, a later one may capture or report.
    """
    if settings.run_id is not None:
        return Run(
            key=settings.run_key or str(settings.run_id),
            run_id=settings.run_id,
            attempt=settings.run_attempt,
            processor=settings.processor,
        )
    return Run(
        key=settings.run_key or f"local-{uuid.uuid4().hex[:12]}", run_id=None, attempt=1, processor=settings.processor
    )


def actor(settings: Settings) -> Actor:
    """Return who acts, for the record: whoever started the workflow, its schedule, or this machine's user."""
    run_key = this_run(settings).key if settings.run_id is not None or settings.run_key else None
    if settings.event == "schedule":
        return Actor(who="the schedule", run_key=run_key)
    try:
        who = settings.actor or getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user without a name, as in some containers
        who = "somebody"
    return Actor(who=who, run_key=run_key)
