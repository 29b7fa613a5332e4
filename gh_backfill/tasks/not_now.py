"""Obstacles in the database to one of several things, and not to the next: each is told of that one."""

from __future__ import annotations

from gh_backfill.errors import StoreConflict, StoreError, StoreSlow

NOT_NOW = (StoreConflict, StoreSlow)


def why_not_now(error: StoreError) -> str:
    """Say in a few words why it was not done, and that it may be tried again."""
    return "the database took too long for this: it is busy, try again" if isinstance(error, StoreSlow) else str(error)
