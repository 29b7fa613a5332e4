"""Estimate what backfills still cost, from what the database knows of them and of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, estimate
from gh_backfill.policy.governor import BudgetState
from gh_backfill.store import budgets
from gh_backfill.store import estimates as store
from gh_backfill.store.db import Database


def estimates(db: Database, repository_ids: Sequence[str], *, now: datetime | None = None) -> dict[str, Estimate]:
    """Return what is left of each of these repositories, by our id, as if it were the only one at work.

    Those that are complete are left out, and those of which GitHub's count is not known.  Nothing is written.
    """
    with db.reading() as tx:
        works = store.works(tx, repository_ids)
    standing = budget(db, now=now)
    return {repository_id: estimate(work, standing) for repository_id, work in works.items()}


def budget(db: Database, *, now: datetime | None = None) -> BudgetState:
    """Return how the budget stands that is spent next: of several, the one with most left."""
    known = governor.richest_first(budgets.standings(db, now=now))
    return known[0] if known else governor.unknown("", now or datetime.now(UTC))
