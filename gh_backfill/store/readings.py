"""Standings of readings beside the items of repositories: how many profiles, files and commits are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.resources import sql
from gh_backfill.store.db import Statement, Transaction

_SQL = sql("readings")


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingStanding:
    """How far one reading had come at a time: of how many people, or lists of pull requests, GitHub's word is known."""

    repository_id: str
    name: str
    total: int
    known: int
    counted_at: datetime


def write(tx: Transaction, repository_id: str, standings: Mapping[str, tuple[int, int]]) -> None:
    """Keep how many there are by the name of each reading, and how many of them are known."""
    rows = [{"name": name, "total": total, "known": known} for name, (total, known) in standings.items()]
    tx.run(_SQL["write_readings"], repository_id=repository_id, rows=rows)


def read(tx: Transaction, repository_ids: Sequence[str] | None = None) -> dict[str, list[ReadingStanding]]:
    """Return what was kept, by our id of each repository (None: of all)."""
    found: dict[str, list[ReadingStanding]] = {}
    ids = None if repository_ids is None else tuple(repository_ids)
    for row in tx.rows(_SQL["readings"], ids=ids):
        found.setdefault(row["repository_id"], []).append(ReadingStanding(**row))
    return found


def question(repository_id: str) -> Statement:
    """Ask for what was kept of one repository: rows of `ReadingStanding`."""
    return _SQL["readings"], {"ids": (repository_id,)}
