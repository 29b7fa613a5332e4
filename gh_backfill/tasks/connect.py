"""Open what a command needs: the database (configured or embedded, migrated) and GitHub."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gh_backfill.clients import rest
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings, require
from gh_backfill.store import embedded, migrations
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """Yield the address of the configured database, or of the embedded one, which runs as long as this block."""
    require(settings, database=True)
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    with embedded.embedded(embedded_folder(settings)) as url:
        yield url


@contextmanager
def database(settings: Settings, *, writing: bool = True) -> Iterator[Database]:
    """Yield the database; raises ConfigurationError where settings or migrations are missing.

    An embedded database is brought up to date here, unless nothing is to be written; any other one is its owner's.
    """
    with database_url(settings) as url, Database(url) as db:
        prepare(db, settings, writing=writing)
        yield db


def prepare(db: Database, settings: Settings, *, writing: bool = True) -> None:
    """Bring an embedded database up to date; of any other one, and where nothing is written, only look."""
    if settings.database_url is None and writing:
        migrations.apply(db)
        return
    with db.transaction(read_only=True) as tx:
        missing = migrations.pending(tx)
    if missing:
        names = ", ".join(f"{each.version}_{each.name}" for each in missing[:3])
        raise ConfigurationError(
            f"the database lacks {len(missing)} migrations ({names}…): run gh-backfill migrate first"
        )


def embedded_folder(settings: Settings) -> Path:
    """Return where the embedded database lies; invented rows have a folder of their own."""
    return settings.data_folder / ("simulated" if settings.simulated else "postgres")


def github(settings: Settings) -> GraphQL:
    """Return the way to GitHub; raises ConfigurationError without a token."""
    require(settings, token=True)
    assert settings.github_token is not None
    return GraphQL(settings.graphql_url, settings.github_token.get_secret_value())


def name_of(settings: Settings) -> Callable[[int], str | None]:
    """Return the look-up of a repository's name by GitHub's numeric id."""
    require(settings, token=True)
    token = settings.github_token
    assert token is not None
    return lambda github_id: rest.full_name(settings.github_api_url, token.get_secret_value(), github_id)


def this_run(settings: Settings) -> Run:
    """Return the run that this process belongs to; one by hand is a run of its own."""
    if settings.run_id is not None:
        key = f"{settings.run_id}/{settings.run_attempt}"
        return Run(
            key=settings.run_key or key,
            run_id=settings.run_id,
            attempt=settings.run_attempt,
            processor=settings.processor,
        )
    return Run(
        key=settings.run_key or f"local-{uuid.uuid4().hex[:12]}", run_id=None, attempt=1, processor=settings.processor
    )


def worker_name() -> str:
    """Return a name that no other worker has; a chunk's claim shows it."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
