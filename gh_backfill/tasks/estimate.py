"""Estimate what backfills still cost, from what the database knows of them and of the budget."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, estimate
from gh_backfill.policy.governor import BudgetState
from gh_backfill.store import budgets
from gh_backfill.store import estimates as store
from gh_backfill.store.db import Database, Transaction


def estimates(db: Database, repository_ids: Sequence[str], *, now: datetime | None = None) -> dict[str, Estimate]:
    """Return what is left of each of these repositories, by our id, as if it were the only one at work.

    Those that are complete are left out, and those of which GitHub's count is not known.  Nothing is written.
    """
    with db.reading() as tx:
        return estimated(tx, repository_ids, now=now)


def estimated(tx: Transaction, repository_ids: Sequence[str], *, now: datetime | None = None) -> dict[str, Estimate]:
    """Return what `estimates` returns, for who reads more in the same transaction."""
    works, standings = store.works_and_budgets(tx, repository_ids, now=now)
    standing = _next(standings, now)
    return {repository_id: estimate(work, standing) for repository_id, work in works.items()}


def budget(db: Database, *, now: datetime | None = None) -> BudgetState:
    """Return how the budget stands that is spent next: of several, the one with most left."""
    return _next(budgets.standings(db, now=now), now)


def _next(standings: Sequence[BudgetState], now: datetime | None) -> BudgetState:
    known = governor.richest_first(standings)
    return known[0] if known else governor.unknown("", now or datetime.now(UTC))
