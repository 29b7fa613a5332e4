"""Bring the database up to date: obstacles are told before anything is written, locks of others are waited for."""

from __future__ import annotations

from collections.abc import Callable

from gh_backfill.store import migrations, vectors
from gh_backfill.store.db import Database
from gh_backfill.store.migrations import Migration
from gh_backfill.store.persist import persistently


def migrate(db: Database, sleep: Callable[[float], None]) -> list[Migration]:
    """Apply what is pending and return what this run has applied.

    A table that others hold is asked for again for about two minutes, and each time the log names who holds it.  Raises
    ConfigurationError, with nothing written, where something is in the way.  Where pgvector came since, there is room
    for vectors afterwards.
    """
    applied = migrations.apply(db, sleep)
    persistently(lambda: vectors.prepare(db), sleep)
    return applied
