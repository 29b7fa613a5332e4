"""Backfills: open them, split them, let them stand or go on.  Every function takes an open transaction.

A repository has a backfill for each kind of items.  `progressive_backfill_state`, which others read and may change,
shows that of the pull requests: the database keeps the two equal (supabase/migrations, kinds).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gh_backfill.models.work import PULL_REQUESTS, Goal
from gh_backfill.resources import sql
from gh_backfill.store import goals, kinds
from gh_backfill.store.db import Transaction
from gh_backfill.store.words import stored

_SQL = sql("backfills")


def open_backfill(tx: Transaction, repository_id: str, *, total: int, goal: Goal, kind: str = PULL_REQUESTS) -> None:
    """Open the backfill of a repository's items of a kind, or reopen it: one row each for ever.

    A goal that the walk has already, or that its own one contains, changes nothing: a finished walk starts at the top
    again, another one goes on.  A larger one goes on from the walk's own cursor; one about other states, or another end
    of the span of time, starts at the top.  A catch-up that is under way is over, with its open chunk: it begins anew
    when the walk ends.  Raises ConfigurationError for a kind that nobody knows.
    """
    of = {"repository_id": repository_id, "kind": kind}
    kinds.lock_later(tx, repository_id, kind)
    open_row(tx, repository_id, total=total, kind=kind)
    tx.later(_SQL["aim_history"], **of, **goals.params(goal))
    tx.later(_SQL["close_catch_up"], **of)
    tx.later(_SQL["open_history"], **of, **goals.params(goal))


def open_row(tx: Transaction, repository_id: str, *, total: int, kind: str) -> None:
    """Open the row of a backfill that nobody else can commit to; what is stored is counted then."""
    tx.later(_SQL["open_row"], kinds.count(repository_id, kind), repository_id=repository_id, kind=kind, total=total)


def split(
    tx: Transaction,
    repository_id: str,
    ranges: Sequence[tuple[int, int]],
    *,
    began: datetime,
    kind: str = PULL_REQUESTS,
) -> bool:
    """Let an open walk that has not begun go on in parts, one for each (lowest, highest) number; False if it can't.

    A walk with a goal is never split: how many of its numbers are of the goal is not known, and it ends early.
    `began` is GitHub's time when the highest number of all was asked for: what is newer is the catch-up's.
    """
    row = tx.row(_SQL["split_walk"], repository_id=repository_id, kind=kind)
    if row is None:
        return False
    parts = [{"part": part, "lowest": low, "highest": high} for part, (low, high) in enumerate(ranges, 1)]
    tx.run(_SQL["open_parts"], backfill_id=row["backfill_id"], parts=parts, watermark=began)
    return True


def aim(tx: Transaction, repository_id: str, kind: str) -> Goal:
    """Return the goal of the walk of a repository's items of a kind; everything where there is none."""
    row = tx.row(_SQL["aim_of"], repository_id=repository_id, kind=kind)
    return Goal() if row is None else goals.from_row(row)


def last_part(tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS) -> int:
    """Return how many parts the walk of a repository ever had, 0 for one that was always whole."""
    row = tx.row(_SQL["last_part"], repository_id=repository_id, kind=kind)
    return 0 if row is None else row["part"]


def mark_planned(tx: Transaction, repository_ids: list[str], now: datetime, kind: str = PULL_REQUESTS) -> None:
    """Note that these repositories are in a plan now, so that the others come first next time."""
    tx.later(_SQL["mark_planned"], ids=tuple(repository_ids), now=now, kind=kind)


def lock(tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS) -> None:
    """Lock the backfill of a repository, before rows of its kind are written outside of a chunk."""
    kinds.lock(tx, repository_id, kind)


def count_new(tx: Transaction, repository_id: str, new_items: int, kind: str = PULL_REQUESTS) -> None:
    """Count items that were stored outside of a chunk; the backfill is locked (`lock`)."""
    tx.run(_SQL["count_new"], repository_id=repository_id, kind=kind, new_items=new_items)


def pause(
    tx: Transaction, repository_id: str, *, reason: str, resume_at: datetime | None, kind: str | None = None
) -> bool:
    """Pause what is active of a repository (None: of every kind); with a resume time the planner takes it up again."""
    kinds.lock(tx, repository_id, kind)
    found = tx.run(_SQL["pause_backfill"], repository_id=repository_id, kind=kind, reason=reason, resume_at=resume_at)
    return found > 0


def fail(tx: Transaction, repository_id: str, *, error: str, gone: bool = False, kind: str | None = None) -> bool:
    """Close what a person must look at (kind None: every kind); what is `gone` goes on if GitHub shows it again."""
    kinds.lock(tx, repository_id, kind)
    found = tx.run(_SQL["fail_backfill"], repository_id=repository_id, kind=kind, error=stored(error), gone=gone)
    return found > 0
