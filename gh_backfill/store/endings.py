"""The end of a backfill: what is here against what GitHub counts, one more look where that differs, and the gap."""

from __future__ import annotations

from collections.abc import Sequence

from gh_backfill.policy.progress import MARGIN, Complete, LookAgain, at_the_end, missing
from gh_backfill.resources import sql
from gh_backfill.store import goals, kinds
from gh_backfill.store.db import Transaction

_SQL = sql("endings")


def complete_or_look_again(tx: Transaction, repository_ids: Sequence[str], kind: str | None = None) -> int:
    """Complete backfills of which nothing is open any more, or let them look at their end again (None: every kind).

    Returns how many are complete with that.
    """
    rows = tx.rows(_SQL["ended"], ids=tuple(repository_ids), kind=kind)
    aims = [goals.from_row(row) for row in rows]
    asked = [(row["repository_id"], row["kind"], row["watermark"], aim) for row, aim in zip(rows, aims, strict=True)]
    completed = 0
    for row, aim, stored in zip(rows, aims, kinds.stored(tx, asked), strict=True):
        of = {"repository_id": row["repository_id"], "kind": row["kind"]}
        lacking = missing(
            row["goal_wanted"] if aim.filtered else row["total"],
            aim.max_items,
            listed=row["listed"],
            stored=stored.rows + stored.quarantined,
            later=stored.later,
            stuck=row["stuck"],
        )
        match at_the_end(lacking, row["gaps_seen"]):
            case LookAgain():
                look_again(tx, row["repository_id"], row["kind"], lacking)
            case Complete(gaps=gaps):
                tx.later(_SQL["complete_backfill"], **of, gaps=gaps)
                if aim.filtered:
                    tx.later(_SQL["goal_captured"], **of, captured=stored.rows)
                completed += 1
    return completed


def look_again(tx: Transaction, repository_id: str, kind: str, lacking: int) -> None:
    """Let a backfill that is open, or was complete, look at its end once more, for so many are missing."""
    tx.later(_SQL["walk_on"], repository_id=repository_id, kind=kind)
    tx.later(_SQL["catch_up_again"], repository_id=repository_id, kind=kind, margin=MARGIN)
    tx.later(_SQL["seen"], repository_id=repository_id, kind=kind, missing=lacking)
