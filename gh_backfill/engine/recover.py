"""Return for retry what lost its worker, and close what an older application left open."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from gh_backfill.engine import processes
from gh_backfill.errors import StoreConflict
from gh_backfill.policy import ledger
from gh_backfill.store import chunks, jobs, recovery
from gh_backfill.store.db import Database
from gh_backfill.store.recovery import Stuck, StuckReason

log = logging.getLogger(__name__)

OLDER_THAN = timedelta(minutes=30)
REASONS = {
    StuckReason.WORKER_GONE: "the process of its worker, on this machine, is gone",
    StuckReason.LEASE_LOST: "its worker stopped renewing its lease",
    StuckReason.NO_LEASE: "it has no lease and is old",
    StuckReason.RUN_OVER: "the run that claimed it is over",
    StuckReason.ASKED: "everything in processing was asked for",
    StuckReason.OLDER_APPLICATION: "an older application left it open, and nothing can take it up",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What a recovery changed; `left` were stuck when they were found and moved on, or are locked by somebody.

    `buried` counts the jobs of dead workers that got their final word.
    """

    returned: tuple[Stuck, ...] = ()
    closed: tuple[Stuck, ...] = ()
    left: tuple[Stuck, ...] = ()
    buried: int = 0

    def __bool__(self) -> bool:
        """Say whether anything may be claimed now that could not be before."""
        return bool(self.returned or self.buried)

    def as_json(self) -> dict[str, object]:
        """Return the recovery as JSON-ready values, counted from what changed."""
        return {
            "returned": len(self.returned),
            "closed": len(self.closed),
            "left": len(self.left),
            "chunks": [
                {
                    "name": name_of(each),
                    "chunk": each.chunk_number,
                    "attempt": each.attempt,
                    "why": each.why,
                    "now": now,
                }
                for now, group in (("pending", self.returned), ("skipped", self.closed), ("left", self.left))
                for each in group
            ],
        }


def recover(
    db: Database,
    repository_ids: Sequence[str] | None = None,
    *,
    everything: bool = False,
    older_than: timedelta = OLDER_THAN,
    dry_run: bool = False,
) -> Recovered:
    """Recover the stuck chunks of these repositories (None: of all), each in a short transaction of its own.

    A chunk of ours goes back to waiting with its attempt: the commit of its late worker is refused.  One of an older
    application is closed.  A worker whose process was on this machine and is gone needs no lease to run out, and its
    job, which would keep others from its part of a split walk, is closed.  `everything` also takes chunks with a valid
    lease, and parts whose job seems alive.  A dry run opens no writing transaction.
    """
    with db.reading() as tx:
        dead, found = recovery.look(tx, repository_ids, processes.dead, everything=everything, older_than=older_than)
    done: dict[str, list[Stuck]] = {"returned": [], "closed": [], "left": []}
    for chunk in found:
        kind = "closed" if chunk.stream_id is None else "returned"
        moved = dry_run or _move(db, chunk, everything=everything)
        done[kind if moved else "left"].append(chunk)
    buried = 0 if dry_run else _bury(db, dead)
    if (buried or done["returned"]) and not dry_run:
        with db.transaction() as tx:
            returned = [each.repository_id for each in done["returned"]]
            recovery.wait_again(tx, repository_ids, returned=returned, alive=ledger.SILENT)
    if everything and not dry_run:
        with db.transaction() as tx:
            recovery.silence(tx, repository_ids, alive=chunks.LEASE)
    return Recovered(**{kind: tuple(chunks) for kind, chunks in done.items()}, buried=buried)


def line(chunk: Stuck) -> str:
    """Say what becomes of a stuck chunk, and why."""
    verb = "is closed" if chunk.stream_id is None else "goes back to be claimed again"
    return f"{name_of(chunk)}: chunk {chunk.chunk_number} {verb}: {REASONS[chunk.why]}"


def name_of(chunk: Stuck) -> str:
    """Return the name to show where others can read it: of a private repository its id only."""
    return chunk.repository_id if chunk.is_private else chunk.full_name


def _bury(db: Database, dead: Sequence[str]) -> int:
    """Give the jobs of dead workers their final word; what they did is counted from their chunks."""
    if not dead:
        return 0
    with db.transaction() as tx:
        return sum(
            jobs.close(tx, job, ledger.unstarted() if planned else ledger.killed())
            for job, planned in recovery.jobs_of(tx, dead)
        )


def _move(db: Database, chunk: Stuck, *, everything: bool) -> bool:
    reason = f"recovered: {REASONS[chunk.why]}"
    try:
        with db.transaction() as tx:
            if chunk.stream_id is None:
                moved = recovery.close(tx, chunk, error=reason)
            else:
                moved = recovery.give_back(tx, chunk, error=reason, everything=everything)
    except StoreConflict as error:
        log.warning("%s: chunk %s is left alone: %s", name_of(chunk), chunk.chunk_number, error)
        return False
    if moved:
        log.info("%s", line(chunk))
    return moved
