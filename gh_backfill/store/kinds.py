"""The things that each kind of items of a repository has: a lock, and a count of what is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import Goal
from gh_backfill.resources import sql
from gh_backfill.store import goals
from gh_backfill.store.db import Statement, Transaction

_SQL = sql("kinds")
_STORED, _HERE = "stored_", "here_"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """How many items of a kind are here: rows, those of them that were created later, and what is in quarantine."""

    rows: int
    later: int
    quarantined: int


def lock(tx: Transaction, repository_id: str, kind: str | None = None) -> list[str]:
    """Lock a repository's backfill of this kind (None: of every kind), and return the kinds that have one."""
    return [row["kind"] for row in tx.rows(_SQL["lock_kinds"], repository_id=repository_id, kind=kind)]


def lock_later(tx: Transaction, repository_id: str, kind: str | None = None) -> None:
    """Lock a repository's backfill of this kind (None: of every kind) before what is sent next."""
    tx.later(_SQL["lock_kinds"], repository_id=repository_id, kind=kind)


def stored(tx: Transaction, wanted: Sequence[tuple[str, str, datetime | None, Goal]]) -> list[Stored]:
    """Count what is stored of each repository, kind and goal, `later` from a time on, in one round trip.

    Raises ConfigurationError for an unknown kind.
    """
    if not wanted:
        return []
    counted = tx.together(*[count(*each) for each in wanted])
    return [Stored(**rows[0]) for rows in counted]


def here(tx: Transaction, repository_id: str, kind: str, numbers: Sequence[int]) -> frozenset[int]:
    """Return which items of these numbers are stored; of kinds whose walks have filtered goals."""
    rows = tx.rows(_SQL[_HERE + kind], repository_id=repository_id, numbers=tuple(numbers))
    return frozenset(row["number"] for row in rows)


def count(repository_id: str, kind: str, since: datetime | None = None, goal: Goal = Goal()) -> Statement:  # noqa: B008
    """Return the statement that counts what is stored of a kind; raises ConfigurationError for an unknown one."""
    statement = _SQL.get(_STORED + kind)
    if statement is None:
        known = ", ".join(sorted(name.removeprefix(_STORED) for name in _SQL if name.startswith(_STORED)))
        raise ConfigurationError(f"there is no kind of items {kind!r}: name one of {known}")
    return statement, {"repository_id": repository_id, "since": since, **goals.params(goal)}
