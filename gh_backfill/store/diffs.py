"""Files and commits of pull requests: which lists are wanted, who asks for them just now, and what GitHub said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from gh_backfill.models.diffs import DiffList, DiffTold, DiffWanted
from gh_backfill.models.github import NodeId, Unknown
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction

_SQL = sql("diffs")
# A query and all its tries take less; whoever died in between keeps nobody longer than this from asking.
LEASE = timedelta(minutes=5)
NOT_FOUND = "GitHub shows no such pull request"


class DiffStanding(NamedTuple):
    """How complete the lists of a repository are: how many there are, and how many are of the last update."""

    lists: int
    known: int


class DiffsDue(NamedTuple):
    """Which lists to ask for, in the order in which that is to be done, and how they stand before."""

    wanted: list[DiffWanted]
    standing: DiffStanding


def standing(tx: Transaction, repository_id: str, lists: Sequence[str]) -> DiffStanding:
    """Return how complete the lists of a repository's pull requests are."""
    return due(tx, repository_id, lists, most=1).standing


def due(tx: Transaction, repository_id: str, lists: Sequence[str], *, most: int | None = None) -> DiffsDue:
    """Return which lists of a repository's pull requests are to be asked for, at most so many."""
    rows = tx.rows(_SQL["wanted_diffs"], repository_id=repository_id, lists=tuple(lists), most=most)
    wanted = [
        DiffWanted(pull_request_id=row["pull_request_id"], node_id=NodeId(row["node_id"]), of=row["list"])
        for row in rows
        if row["wanted"]
    ]
    counted = DiffStanding(rows[0]["lists"], rows[0]["known"]) if rows else DiffStanding(0, 0)
    return DiffsDue(wanted, counted)


def lease(tx: Transaction, wanted: Sequence[DiffWanted], *, lease: timedelta = LEASE) -> list[DiffWanted]:
    """Take those of these lists that nobody asks for now; nobody else takes them before the lease is over."""
    taken = {
        (row["pull_request_id"], row["list"]) for row in tx.rows(_SQL["lease_diffs"], rows=_keys(wanted), lease=lease)
    }
    return [each for each in wanted if (each.pull_request_id, each.of) in taken]


def release(tx: Transaction, wanted: Sequence[DiffWanted]) -> None:
    """Give lists back of which nothing was said: whoever comes next may ask."""
    if wanted:
        tx.run(_SQL["release_diffs"], rows=_keys(wanted))


def write(tx: Transaction, told: Sequence[tuple[DiffWanted, DiffTold]], at: datetime) -> None:
    """Write what GitHub said at a time of each of these lists; they are free again.

    What is unknown, or of a pull request that is not shown, keeps what is here, and is asked for again.
    """
    lists = [
        {
            **_key(each),
            "rows": list(found.rows),
            "total": found.total,
            "gap": found.gap,
            "as_of": found.as_of.isoformat(),
        }
        for each, found in told
        if isinstance(found, DiffList)
    ]
    gaps = [
        {**_key(each), "gap": found.reason if isinstance(found, Unknown) else NOT_FOUND}
        for each, found in told
        if not isinstance(found, DiffList)
    ]
    if lists:
        tx.run(_SQL["write_diffs"], rows=lists, asked_at=at)
    if gaps:
        tx.run(_SQL["write_diff_gaps"], rows=gaps)


def _key(wanted: DiffWanted) -> Row:
    return {"pull_request_id": wanted.pull_request_id, "list": wanted.of}


def _keys(wanted: Sequence[DiffWanted]) -> list[Row]:
    return [_key(each) for each in wanted]
