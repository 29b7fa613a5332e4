"""The privacy of repositories, as the database has it: which names must not be told, and who is hidden now."""

from __future__ import annotations

from gh_backfill import hidden
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("repositories")


def hide_later(tx: Transaction, repository_id: str) -> None:
    """Treat a repository as private that GitHub does not show any more, where its name is hidden already."""
    tx.later(_SQL["hide"], id=repository_id)


def hide(tx: Transaction, repository_id: str) -> bool:
    """Treat a repository as private that GitHub does not show any more: deleted or hidden, it is not public."""
    names = tx.rows(_SQL["hide"], id=repository_id)
    for row in names:
        hidden.repository(row["full_name"], repository_id, is_private=True)
    return bool(names)


def note_names(tx: Transaction) -> None:
    """Note which names this process must not tell: of private repositories, and of those whose privacy is unknown.

    Of the names that were given it learns here which ones it may tell.
    """
    for row in tx.rows(_SQL["names"], given=hidden.given()):
        if row["is_private"] is None:
            hidden.unknown(row["full_name"], row["id"])
        else:
            hidden.repository(row["full_name"], row["id"], is_private=row["is_private"])
