"""The ground of estimates: what is left of each backfill, and what its last pages and jobs took."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gh_backfill.policy.estimate import RemainingWork
from gh_backfill.policy.governor import BudgetState
from gh_backfill.resources import sql
from gh_backfill.store import budgets
from gh_backfill.store.db import Row, Statement, Transaction

_SQL = sql("estimates")


def works(tx: Transaction, repository_ids: Sequence[str]) -> dict[str, RemainingWork]:
    """Return what is left of these repositories by our id; what is complete, or of unknown size, is left out."""
    statement, params = question(repository_ids)
    return from_rows(tx.rows(statement, **params))


def question(repository_ids: Sequence[str]) -> Statement:
    """Return the statement whose rows `from_rows` reads, for who does more at the same time."""
    return _SQL["works"], {"ids": tuple(repository_ids)}


def works_and_budgets(
    tx: Transaction, repository_ids: Sequence[str], *, now: datetime | None = None
) -> tuple[dict[str, RemainingWork], list[BudgetState]]:
    """Return what `works` returns, and how all budgets stand, in one round trip."""
    left, standings = tx.together(question(repository_ids), budgets.question(now=now))
    return from_rows(left), list(map(budgets.from_json, standings))


def from_rows(rows: Sequence[Row]) -> dict[str, RemainingWork]:
    """Return what `works` returns."""
    return {row.pop("repository_id"): RemainingWork(**row) for row in rows}
