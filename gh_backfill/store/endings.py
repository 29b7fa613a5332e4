"""The end of a backfill: what is here against what GitHub counts, one more look where that differs, and the gap."""

from __future__ import annotations

from gh_backfill.policy.progress import MARGIN, Complete, LookAgain, at_the_end
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("endings")


def complete_or_look_again(tx: Transaction, repository_id: str) -> None:
    """Complete a backfill of which nothing is open any more, or let it look at its end once more."""
    row = tx.row(_SQL["missing"], repository_id=repository_id)
    if row is None:
        return
    match at_the_end(row["missing"], row["gaps_seen"]):
        case LookAgain():
            _look_again(tx, repository_id, row["missing"])
        case Complete(gaps=gaps):
            tx.run(_SQL["complete_state"], repository_id=repository_id, gaps=gaps)


def look_for_gaps(tx: Transaction, repository_id: str) -> None:
    """Let a backfill that is open again also ask for what GitHub counted and did not list the last time."""
    row = tx.row(_SQL["gaps"], repository_id=repository_id)
    if row is not None:
        _look_again(tx, repository_id, row["gaps"])


def _look_again(tx: Transaction, repository_id: str, missing: int) -> None:
    tx.run(_SQL["walk_on"], repository_id=repository_id)
    tx.run(_SQL["catch_up_again"], repository_id=repository_id, margin=MARGIN)
    tx.run(_SQL["seen"], repository_id=repository_id, missing=missing)
