"""The time that requests and waits of the last day took, which tells what limits the rate."""

from __future__ import annotations

from collections.abc import Sequence

from gh_backfill.policy.bottleneck import Times
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("reports")


def times(tx: Transaction, repository_ids: Sequence[str] | None = None) -> dict[str, Times]:
    """Return where the time of the last day's jobs went, by our id of their repository: of these, or of all."""
    found: dict[str, Times] = {}
    for row in tx.rows(_SQL["times"], ids=None if repository_ids is None else tuple(repository_ids)):
        found[row["repository_id"]] = found.get(row["repository_id"], Times()) + Times.of(row["times"])
    return found
