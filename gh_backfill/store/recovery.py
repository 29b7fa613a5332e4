"""Stuck chunks, and what a person decides about a backfill.  Every function takes an open transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.lifecycle import GIVEN_UP, BackfillStatus
from gh_backfill.resources import sql
from gh_backfill.store import endings, kinds
from gh_backfill.store.db import Row, Transaction

_SQL = sql("recovery")


class StuckReason(StrEnum):
    """Why a chunk is stuck."""

    WORKER_GONE = "worker gone"
    LEASE_LOST = "lease lost"
    NO_LEASE = "no lease"
    RUN_OVER = "run over"
    ASKED = "asked"
    OLDER_APPLICATION = "older application"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stuck:
    """An open chunk that nobody works on (any more)."""

    id: str
    chunk_number: int
    attempt: int
    stream_id: str | None
    kind: str
    lease_until: datetime | None
    repository_id: str
    full_name: str
    is_private: bool
    why: StuckReason


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """Where the backfill of a repository's items of a kind stands; without a status there is none."""

    kind: str
    repository_id: str
    full_name: str
    is_private: bool
    status: BackfillStatus | None
    held: bool
    held_reason: str | None
    held_by: str | None
    pause_reason: str | None
    resume_at: datetime | None
    last_error: str | None
    captured: int
    total: int | None

    @property
    def given_up(self) -> bool:
        """Say whether a person gave it up: no plan opens it again."""
        return self.held and self.held_reason in GIVEN_UP


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who holds the open chunk of a repository."""

    worker: str
    chunk_number: int
    lease_until: datetime


def holder(tx: Transaction, repository_id: str) -> Holder | None:
    """Return who is at work on a repository; None if nobody is."""
    row = tx.row(_SQL["holder"], repository_id=repository_id)
    return None if row is None else Holder(**row)


def look(
    tx: Transaction,
    ids: Sequence[str] | None,
    dead_of: Callable[[Sequence[str]], list[str]],
    *,
    everything: bool,
    older_than: timedelta,
) -> tuple[list[str], list[Stuck]]:
    """Return the workers at these repositories (None: at any) that are dead, and the chunks that are stuck.

    Where there is nothing of either, as usual, that is one round trip.
    """
    of = {"ids": None if ids is None else tuple(ids)}
    how = {"dead": (), "everything": everything, "older_than": older_than}
    working, found = tx.together((_SQL["workers"], of), (_SQL["stuck"], {**of, **how}))
    dead = dead_of([row["worker"] for row in working])
    if not dead and not found:
        return [], []
    return dead, stuck(tx, ids, dead=dead, everything=everything, older_than=older_than)


def stuck(
    tx: Transaction, ids: Sequence[str] | None, *, dead: Sequence[str] = (), everything: bool, older_than: timedelta
) -> list[Stuck]:
    """Return the stuck chunks of these repositories (None: of all).

    `dead` are workers that are known to be gone, whatever their lease; `older_than` counts for chunks without a lease;
    `everything` takes whatever is in processing.
    """
    rows = tx.rows(
        _SQL["stuck"],
        ids=None if ids is None else tuple(ids),
        dead=tuple(dead),
        everything=everything,
        older_than=older_than,
    )
    return [Stuck(**{**row, "why": StuckReason(row["why"])}) for row in rows]


def give_back(tx: Transaction, chunk: Stuck, *, error: str, everything: bool) -> bool:
    """Put a chunk back to waiting; False if it moved on since it was found."""
    kinds.lock(tx, chunk.repository_id, chunk.kind)
    tx.rows(_SQL["lock_stuck_stream"], stream_id=chunk.stream_id)
    changed = tx.run(
        _SQL["recover_chunk"],
        chunk_id=chunk.id,
        attempt=chunk.attempt,
        lease_until=chunk.lease_until,
        everything=everything,
        error=error,
    )
    return changed == 1


def jobs_of(tx: Transaction, workers: Sequence[str]) -> list[tuple[str, bool]]:
    """Return the open jobs of these workers, and of each whether it was only planned by them."""
    return [(row["id"], row["planned"]) for row in tx.rows(_SQL["jobs_of"], workers=tuple(workers))]


def wait_again(tx: Transaction, ids: Sequence[str] | None, *, returned: Sequence[str], alive: timedelta) -> None:
    """Note of these repositories (None: of all) that an initial backfill at which nobody works any more is to come.

    `returned` are those of which a chunk was given back, and `alive` is how long a job that is silent counts as alive.
    """
    tx.run(_SQL["wait_again"], ids=None if ids is None else tuple(ids), returned=tuple(returned), alive=alive)


def silence(tx: Transaction, ids: Sequence[str] | None, *, alive: timedelta) -> None:
    """Let no job of these repositories (None: of any) count as alive until it tells of itself again.

    `alive` is how long a job that is silent counts as alive.
    """
    tx.run(_SQL["silence"], ids=None if ids is None else tuple(ids), alive=alive)


def close(tx: Transaction, chunk: Stuck, *, error: str) -> bool:
    """Close a chunk of an older application; False if it moved on since it was found."""
    kinds.lock(tx, chunk.repository_id, chunk.kind)
    return tx.run(_SQL["close_chunk"], chunk_id=chunk.id, error=error) == 1


def state(tx: Transaction, repository_id: str, kind: str = PULL_REQUESTS) -> State:
    """Return where the backfill of a repository's items of a kind stands."""
    row = tx.row(_SQL["state_of"], repository_id=repository_id, kind=kind)
    assert row is not None
    return _state(row)


def states(tx: Transaction, repository_id: str) -> list[State]:
    """Return where each backfill of a repository stands, pull requests first; where there is none, that of theirs."""
    return [_state(row) for row in tx.rows(_SQL["states_of"], repository_id=repository_id)]


def _state(row: Row) -> State:
    return State(**{**row, "status": BackfillStatus(row["status"]) if row["status"] else None})


def hold(
    tx: Transaction, repository_id: str, *, reason: str, who: str, resume_at: datetime | None, kind: str | None = None
) -> bool:
    """Pause a repository (None: every kind) until `resume_at`, or until somebody resumes it.

    False if nothing of it is active or paused.
    """
    kinds.lock(tx, repository_id, kind)
    changed = tx.run(
        _SQL["hold_backfill"], repository_id=repository_id, kind=kind, reason=reason, who=who, resume_at=resume_at
    )
    return changed > 0


def give_up(tx: Transaction, repository_id: str, *, reason: str, who: str, kind: str | None = None) -> bool:
    """Hold a repository (None: every kind) for good, whatever its state; False if it has no backfill.

    The reason is one of `GIVEN_UP`.
    """
    kinds.lock(tx, repository_id, kind)
    return tx.run(_SQL["give_up"], repository_id=repository_id, kind=kind, reason=reason, who=who) > 0


def resume(tx: Transaction, repository_id: str, kind: str | None = None) -> bool:
    """Let what is paused or failed of a repository (None: of every kind) go on from its cursor, whoever stopped it.

    False if nothing is.  A chunk that was given up stays failed: the next claim opens another one at the same place,
    with attempts of its own.
    """
    kinds.lock(tx, repository_id, kind)
    changed = tx.run(_SQL["resume_by_hand"], repository_id=repository_id, kind=kind) > 0
    if changed:
        set_going(tx, [repository_id], kind)
    return changed


def take_back(tx: Transaction, repository_ids: Sequence[str]) -> None:
    """Let backfills of every kind go on that were given up; plans may open again those that are finished."""
    for each in repository_ids:
        kinds.lock_later(tx, each)
        tx.later(_SQL["let_go"], repository_id=each, kind=None)
        tx.later(_SQL["resume_by_hand"], repository_id=each, kind=None)
    set_going(tx, repository_ids)


def let_go(tx: Transaction, repository_id: str, kind: str | None = None) -> bool:
    """Let plans open finished backfills again (None: of every kind) that somebody cancelled; False if there is none."""
    kinds.lock(tx, repository_id, kind)
    return tx.run(_SQL["let_go"], repository_id=repository_id, kind=kind) > 0


def set_going(tx: Transaction, repository_ids: Sequence[str], kind: str | None = None) -> None:
    """Let nothing of locked backfills that are active again wait; one that was done when it was paused is completed."""
    if repository_ids:
        tx.later(_SQL["try_at_once"], ids=tuple(repository_ids), kind=kind)
        # The last chunk may have been committed after the pause had begun.
        endings.complete_or_look_again(tx, repository_ids, kind)
