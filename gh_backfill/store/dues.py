"""Repositories that are due for a sync, and what a tick that asked about many writes of them.

Each function is one statement, whatever the number of repositories.  `now` is the database's clock unless a test says
otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.models.github import NodeId
from gh_backfill.models.heads import Head
from gh_backfill.models.work import AFTER_ITEMS, PULL_REQUESTS
from gh_backfill.policy.schedule import DEFAULT_PRIORITY, Frequency, Priority
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.moments import moment
from gh_backfill.store.words import stored

_SQL = sql("dues")
# Whoever took something and died leaves it due again after so long: a tick takes a minute.
LEASE = timedelta(minutes=10)
MOST = 5_000
# A sync tells after each chunk that it lives.  One that has not for so long is dead, or waits for points.
ALIVE = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Due:
    """A repository whose time has come; `checkpoints` are those of its kinds that were ever read to their end.

    `total` is how many pull requests GitHub counted; `backfilling` says that a backfill of them is under way.
    """

    id: str
    node_id: NodeId
    full_name: str
    is_private: bool
    total: int | None
    due_since: datetime
    failures: int
    frequency: Frequency
    kinds: tuple[str, ...]
    backfilling: bool
    checkpoints: Mapping[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Backlog:
    """How many repositories are due, and since when the longest; None where none is."""

    many: int
    since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A repository that is due, for who only looks."""

    id: str
    full_name: str
    is_private: bool
    due_since: datetime


def take(
    tx: Transaction,
    *,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    most: int = MOST,
    now: datetime | None = None,
    lease: timedelta = LEASE,
) -> list[Due]:
    """Take what is due, the longest due first: nobody else takes it before the lease is over.

    `kinds` are captured of those for which nothing else was said.
    """
    tx.later(_SQL["begin_dues"])
    rows = tx.rows(_SQL["take_due"], kinds=tuple(kinds), most=most, now=now, lease=lease, alive=ALIVE)
    return [_due(row) for row in rows]


def look(tx: Transaction, *, most: int = MOST, now: datetime | None = None) -> list[Looked]:
    """Return what is due, the longest due first, without taking it."""
    return [Looked(**row) for row in tx.rows(_SQL["look_due"], most=most, now=now)]


def missing(tx: Transaction, heads: Mapping[str, Mapping[str, Sequence[Head]]]) -> dict[str, dict[str, list[Head]]]:
    """Return those of the heads, by our id and kind, that are not stored as they are."""
    known = {
        (id_, kind, head.number): head for id_, kinds in heads.items() for kind, all_ in kinds.items() for head in all_
    }
    if not known:
        return {}
    rows = [
        {"repository_id": id_, "kind": kind, "number": number, "updated_at": head.updated_at}
        for (id_, kind, number), head in known.items()
    ]
    found: dict[str, dict[str, list[Head]]] = {}
    for row in tx.rows(_SQL["missing_heads"], heads=rows):
        key = (str(row["repository_id"]), row["kind"], row["number"])
        found.setdefault(key[0], {}).setdefault(key[1], []).append(known[key])
    return found


def advance(tx: Transaction, unchanged: Sequence[tuple[Due, datetime, datetime]]) -> None:
    """Note that these are as they were at GitHub's time of the answer, and when each is due next."""
    if not unchanged:
        return
    rows = [
        {"repository_id": due.id, "kinds": list(due.kinds), "at": at, "next_due_at": next_}
        for due, at, next_ in unchanged
    ]
    tx.later(_SQL["advance_checkpoints"], rows=rows)
    tx.later(_SQL["settle_unchanged"], rows=rows)


def unknown(tx: Transaction, failed: Sequence[tuple[Due, str, datetime]]) -> None:
    """Note why nothing is known of these, and when each is due next."""
    if failed:
        rows = [{"repository_id": due.id, "error": stored(error), "next_due_at": next_} for due, error, next_ in failed]
        tx.later(_SQL["settle_unknown"], rows=rows)


def give_back(tx: Transaction, dues: Sequence[Due]) -> None:
    """Let these be due since when they were."""
    if dues:
        rows = [{"repository_id": due.id, "due_since": due.due_since} for due in dues]
        tx.later(_SQL["give_back_due"], rows=rows)


def hasten(tx: Transaction, ids: Sequence[str]) -> None:
    """Let these be due now, unless they are due already."""
    if ids:
        tx.later(_SQL["hasten"], ids=tuple(ids))


def plan(tx: Transaction, changed: Sequence[tuple[Due, int, str, Mapping[str, int]]]) -> list[str]:
    """Write a job that waits for each (repository, days, how many changed in words and by kind); returns their ids."""
    if not changed:
        return []
    rows = [
        {
            "repository_id": due.id,
            "days": days,
            "due_since": due.due_since,
            "changed": words,
            "items": dict(items),
        }
        for due, days, words, items in changed
    ]
    return [str(row["id"]) for row in tx.rows(_SQL["plan_syncs"], rows=rows)]


def backlog(tx: Transaction, *, now: datetime | None = None) -> Backlog:
    """Say how many repositories are due, and since when."""
    row = tx.row(_SQL["dues"], now=now)
    assert row is not None
    return Backlog(**row)


def _due(row: Row) -> Due:
    priority = row["priority"]
    return Due(
        id=str(row["id"]),
        node_id=NodeId(row["node_id"]),
        full_name=row["full_name"],
        is_private=row["is_private"],
        total=row["total"],
        due_since=row["due_since"],
        failures=row["failures"],
        frequency=Frequency(
            priority=Priority(priority) if priority in tuple(Priority) else DEFAULT_PRIORITY,
            minutes=row["interval_minutes"],
            hours=row["sync_frequency_hours"],
        ),
        kinds=tuple(kind for kind in row["kinds"] if kind not in AFTER_ITEMS),
        backfilling=row["backfilling"],
        checkpoints={kind: moment(at) for kind, at in row["checkpoints"].items()},
    )
