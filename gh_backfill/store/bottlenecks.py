"""The time that requests and waits of the last day took, which tells what limits the rate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gh_backfill.policy.bottleneck import Times
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement

_SQL = sql("reports")


def question(repository_ids: Sequence[str] | None = None) -> Statement:
    """Ask where the time of the last day's jobs of these repositories went, or of all: rows for `times`."""
    return _SQL["times"], {"ids": None if repository_ids is None else tuple(repository_ids)}


def times(rows: Iterable[Row]) -> dict[str, Times]:
    """Return where the time went, by our id of the repository."""
    found: dict[str, Times] = {}
    for row in rows:
        found[row["repository_id"]] = found.get(row["repository_id"], Times()) + Times.of(row["times"])
    return found
