"""Samples of how budgets stood at each run, kept for a week."""

from __future__ import annotations

from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("budget_samples")


def take(tx: Transaction, run_key: str) -> None:
    """Write how each budget stands that was used in the last day, and forget what is older than a week."""
    tx.later(_SQL["sample_budgets"], run_key=run_key)
