"""The end of a backfill: what is here against what GitHub counts, one more look where that differs, and the gap."""

from __future__ import annotations

from gh_backfill.policy.progress import MARGIN, Complete, LookAgain, at_the_end, missing
from gh_backfill.resources import sql
from gh_backfill.store import kinds
from gh_backfill.store.db import Transaction

_SQL = sql("endings")


def complete_or_look_again(tx: Transaction, repository_id: str, kind: str) -> None:
    """Complete a backfill of which nothing is open any more, or let it look at its end once more."""
    row = tx.row(_SQL["ended"], repository_id=repository_id, kind=kind)
    if row is None:
        return
    here = kinds.stored(tx, repository_id, kind, since=row["watermark"])
    lacking = missing(
        row["total"],
        row["goal"],
        listed=row["listed"],
        stored=here.rows + here.quarantined,
        later=here.later,
        stuck=row["stuck"],
    )
    match at_the_end(lacking, row["gaps_seen"]):
        case LookAgain():
            _look_again(tx, repository_id, kind, lacking)
        case Complete(gaps=gaps):
            tx.run(_SQL["complete_backfill"], repository_id=repository_id, kind=kind, gaps=gaps)


def look_for_gaps(tx: Transaction, repository_id: str, kind: str) -> None:
    """Let a backfill that is open again also ask for what GitHub counted and did not list the last time."""
    row = tx.row(_SQL["gaps"], repository_id=repository_id, kind=kind)
    if row is not None:
        _look_again(tx, repository_id, kind, row["gaps"])


def _look_again(tx: Transaction, repository_id: str, kind: str, lacking: int) -> None:
    tx.run(_SQL["walk_on"], repository_id=repository_id, kind=kind)
    tx.run(_SQL["catch_up_again"], repository_id=repository_id, kind=kind, margin=MARGIN)
    tx.run(_SQL["seen"], repository_id=repository_id, kind=kind, missing=lacking)
