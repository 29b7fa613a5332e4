"""Bring the database up to date: obstacles are told before anything is written, locks of others are waited for."""

from __future__ import annotations

from collections.abc import Callable

from gh_backfill.store import migrations
from gh_backfill.store.db import Database
from gh_backfill.store.migrations import Migration


def migrate(db: Database, sleep: Callable[[float], None]) -> list[Migration]:
    """Apply what is pending and return what this run has applied.

    A table that others hold is asked for again for about two minutes, and each time the log names who holds it.  Raises
    ConfigurationError, with nothing written, where something is in the way.
    """
    return migrations.apply(db, sleep)
