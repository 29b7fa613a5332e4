"""What estimates are made of: what is left of each backfill, and what its last pages and jobs took."""

from __future__ import annotations

from collections.abc import Sequence

from gh_backfill.policy.estimate import RemainingWork
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("estimates")


def works(tx: Transaction, repository_ids: Sequence[str]) -> dict[str, RemainingWork]:
    """Return what is left of these repositories by our id; what is complete, or of unknown size, is left out."""
    return {row.pop("repository_id"): RemainingWork(**row) for row in tx.rows(_SQL["works"], ids=tuple(repository_ids))}
