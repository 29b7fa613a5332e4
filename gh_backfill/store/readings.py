"""Standings of readings beside the items of repositories: how many profiles, files and commits are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Statement, Transaction
from gh_backfill.store.pages_rows import read

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


def question(repository_ids: Sequence[str] | None = None) -> Statement:
    """Ask for what was kept of these repositories, or of all: rows for `standings`."""
    return _SQL["readings"], {"ids": None if repository_ids is None else tuple(repository_ids)}


def standings(rows: Iterable[Row]) -> dict[str, list[ReadingStanding]]:
    """Return what came as JSON by our id of each repository, and in the order of names."""
    found: dict[str, list[ReadingStanding]] = {}
    for standing in sorted(read(list(rows), ReadingStanding), key=lambda each: each.name):
        found.setdefault(standing.repository_id, []).append(standing)
    return found
