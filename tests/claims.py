"""Claims of chunks as a worker makes them, without a worker."""

from __future__ import annotations

from gh_backfill.models.work import PULL_REQUESTS, Claim
from gh_backfill.store import chunks
from gh_backfill.store.db import Transaction


def claim(
    tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS, *, worker: str = "w", processor: str = "local"
) -> Claim | None:
    """Claim the next chunk; None where there is none for this worker."""
    claimed = chunks.claimed(tx.rows_of_last(*chunks.claiming(repository_id, kind, worker=worker, processor=processor)))
    return claimed if isinstance(claimed, Claim) else None


def must_claim(
    tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS, *, worker: str = "w", processor: str = "local"
) -> Claim:
    """Claim the next chunk, which is free."""
    claimed = claim(tx, repository_id, kind, worker=worker, processor=processor)
    assert claimed is not None
    return claimed


def hold(tx: Transaction, claim: Claim, *, goes_on: str | None = None) -> bool:
    """Hold the chunk of a claim as its commit does; raises StaleClaim where it is lost."""
    text, params = chunks.holding(claim, goes_on=goes_on)
    return chunks.held(claim, tx.rows(text, **params))
