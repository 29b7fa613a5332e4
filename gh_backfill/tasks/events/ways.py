"""Ways of one's own to the database and to GitHub, for a thread that fetches events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from gh_backfill.settings import Settings
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.events.fetching import Ways


@contextmanager
def opened(settings: Settings, db: Database) -> Iterator[Ways]:
    """Open ways that share the budget with whoever else is at work."""
    with (
        connect.github(settings) as graphql,
        db.another() as own,
        connect.sharing(graphql, own),
        connect.lists(settings, graphql) as lists,
    ):
        yield Ways(db=own, graphql=graphql, lists=lists)
