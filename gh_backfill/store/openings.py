"""Many backfills that are opened or go on in one transaction: one question for all, and nothing else is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gh_backfill.models.github import Repository
from gh_backfill.models.work import PULL_REQUESTS, Goal
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import MARGIN
from gh_backfill.resources import sql
from gh_backfill.store import backfills, endings, goals, kinds
from gh_backfill.store.db import Transaction
from gh_backfill.store.words import stored

_SQL = sql("openings")
_BACKFILLS = sql("backfills")
_RECOVERY = sql("recovery")


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """What a locked backfill is: `held` says that a person stopped it, `stays` that it is paused and its time not come.

    `can_catch_up` says that a catch-up of it is over, and another one may begin where that one began.  `aim` is the
    goal of its walk.
    """

    status: BackfillStatus
    total: int
    captured: int
    gaps: int
    held: bool
    stays: bool
    can_catch_up: bool
    aim: Goal


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """The backfills that are locked now, by our id; those that are missing have no stream.

    `moved` says that names moved: what GitHub calls a repository now is another name here, or somebody else's.
    """

    standings: Mapping[str, Standing]
    moved: bool


def lock(
    tx: Transaction,
    ids: Sequence[str],
    told: Sequence[Repository] = (),
    *,
    github_ids: Sequence[int] = (),
    kind: str = PULL_REQUESTS,
) -> Locked:
    """Lock backfills by our ids or GitHub's, and look at the names of repositories that GitHub has told of."""
    rows = tx.rows(
        _SQL["lock_and_look"],
        ids=tuple(ids),
        github_ids=tuple(github_ids),
        kind=kind,
        rows=[{"github_id": each.github_id, "full_name": each.full_name} for each in told],
    )
    standings = {
        row["repository_id"]: Standing(
            status=BackfillStatus(row["status"]),
            total=row["total"],
            captured=row["captured"],
            gaps=row["gaps"],
            held=row["held"],
            stays=row["stays"],
            can_catch_up=row["can_catch_up"],
            aim=goals.from_row(row),
        )
        for row in rows
        if row["repository_id"] is not None
    }
    return Locked(standings=standings, moved=len(standings) < len(rows))


def resume(tx: Transaction, repository_id: str, standing: Standing, kind: str = PULL_REQUESTS) -> bool:
    """Let a locked backfill go on that is paused or failed; False where it stays, for a person wants that.

    What goes on is to be set going after it.
    """
    if standing.status is BackfillStatus.FAILED:
        tx.later(_RECOVERY["resume_by_hand"], repository_id=repository_id, kind=kind)
    elif not standing.stays:
        tx.later(_BACKFILLS["resume_in_time"], repository_id=repository_id, kind=kind)
    return standing.status is BackfillStatus.FAILED or not standing.stays


def catch_up(tx: Transaction, repository_id: str, standing: Standing, *, total: int, kind: str = PULL_REQUESTS) -> None:
    """Let a locked backfill that can catch up read what changed since its last catch-up."""
    tx.later(_BACKFILLS["reopen_catch_up"], repository_id=repository_id, kind=kind, margin=MARGIN)
    backfills.open_row(tx, repository_id, total=total, kind=kind)
    if standing.gaps > 0:
        endings.look_again(tx, repository_id, kind, standing.gaps)


def gone(tx: Transaction, repository_id: str, *, error: str) -> None:
    """Close what is open of a repository that GitHub does not show any more; it goes on if GitHub shows it again."""
    kinds.lock_later(tx, repository_id)
    tx.later(_BACKFILLS["fail_backfill"], repository_id=repository_id, kind=None, error=stored(error), gone=True)
