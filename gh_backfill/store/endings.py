"""The end of a backfill: what is here against what GitHub counts, one more look where that differs, and the gap."""

from __future__ import annotations

from gh_backfill.policy.progress import MARGIN, Complete, LookAgain, at_the_end
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("endings")


def complete_or_look_again(tx: Transaction, *repository_ids: str) -> None:
    """Complete the backfills of which nothing is open any more, or let them look at their end once more."""
    for row in tx.rows(_SQL["missing"], ids=repository_ids):
        match at_the_end(row["missing"], row["gaps_seen"]):
            case LookAgain():
                look_again(tx, row["repository_id"], row["missing"])
            case Complete(gaps=gaps):
                tx.later(_SQL["complete_state"], repository_id=row["repository_id"], gaps=gaps)


def look_again(tx: Transaction, repository_id: str, missing: int) -> None:
    """Let a backfill that is open, or was complete, look at its end once more, for so many are missing."""
    tx.later(_SQL["walk_on"], repository_id=repository_id)
    tx.later(_SQL["catch_up_again"], repository_id=repository_id, margin=MARGIN)
    tx.later(_SQL["seen"], repository_id=repository_id, missing=missing)
