"""Deliveries of GitHub's webhooks, each taken once, and what they announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

from gh_backfill.policy.ledger import OpenJob
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.resources import sql
from gh_backfill.store.db import Transaction

_SQL = sql("webhooks")


def begin(tx: Transaction, delivery_id: str, *, event: str, action: str | None) -> bool:
    """Take a delivery; False if it was taken before and did not fail."""
    return tx.row(_SQL["begin"], delivery_id=delivery_id, event=event, action=action) is not None


def end(tx: Transaction, delivery_id: str, *, status: str, error: str | None = None) -> None:
    """Note how a delivery ended: `done`, `ignored` or `failed`."""
    tx.run(_SQL["end"], delivery_id=delivery_id, status=status, error=error)


def forget(tx: Transaction) -> int:
    """Delete what is too old to be delivered again; returns how many."""
    return tx.run(_SQL["forget"])


def open_of_run(tx: Transaction, run_id: int, attempt: int) -> list[OpenJob]:
    """Return the open jobs of one attempt of a workflow run."""
    rows = tx.rows(_SQL["open_of_run"], run_id=run_id, attempt=attempt)
    return [OpenJob(**{**row, "status": JobStatus(row["status"])}) for row in rows]


def announce(
    tx: Transaction,
    repository_github_id: int,
    *,
    kind: str,
    identity: str,
    event: str,
    payload: Mapping[str, object],
) -> bool:
    """Remember what moved, once however often it does; False if the repository is not tracked here."""
    changed = tx.run(
        _SQL["announce"],
        repository_github_id=repository_github_id,
        kind=kind,
        identity=identity,
        event=event,
        payload=dict(payload),
    )
    return changed == 1


def due(tx: Transaction, before: datetime) -> dict[str, list[str]]:
    """Take what was announced before a moment: for each repository by our id, the numbers that moved."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in tx.rows(_SQL["due"], before=before):
        found[row["repository_id"]].append(row["identity"])
    return dict(found)


def put_back(tx: Transaction, repository_id: str, identities: list[str]) -> None:
    """Remember again what could not be captured now."""
    for identity in identities:
        tx.run(_SQL["put_back"], repository_id=repository_id, identity=identity)
