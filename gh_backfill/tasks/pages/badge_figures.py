"""The figures of a repository's badges: how much of its history is here, how fresh it is, and what is proven."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.progress import percent
from gh_backfill.store import pages, pages_proof, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.pages import Wanted
from gh_backfill.store.pages_proof import ShownProof
from gh_backfill.tasks.pages import rows
from gh_backfill.tasks.pages.rows import BackfillRow


@dataclass(frozen=True, kw_only=True, slots=True)
class BadgeFigures:
    """The figures: percent of the whole history (None: GitHub tells no count), when it was last fresh, its proof."""

    percent: float | None
    fresh_at: datetime | None
    is_private: bool
    proof: ShownProof | None = None


def figures(db: Database, name: str, now: datetime) -> BadgeFigures | None:
    """Return the figures of a repository by any of its names; None for one that was never captured nor tracked.

    Raises StoreError where a statement takes over two seconds.
    """
    with pages.reading(db) as tx:
        found = repositories.find(tx, [name])[name]
        if found is None:
            return None
        answer, proven = tx.together(
            pages.standings_question(Wanted(ids=(found.id,), most_failing=0), now),
            pages_proof.proof_question(found.id),
        )
        proof = pages_proof.proof(proven)
        listed = rows.backfills(tx, pages.standings(answer).listed, now)
        return next((of_row(each, proof) for each in listed), None)


def of_row(row: BackfillRow, proof: ShownProof | None) -> BadgeFigures:
    """Return the figures of a row of the list; a goal that was reached is not yet the whole history."""
    return BadgeFigures(
        percent=None if row.total is None else percent(row.captured, row.total),
        fresh_at=row.fresh_at,
        is_private=row.is_private,
        proof=proof,
    )
