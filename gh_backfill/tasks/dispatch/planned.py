"""Do the syncs that a tick handed over, each as its job says; what the rules refuse ends here, the rest waits on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gh_backfill.policy.ledger import JobOutcome
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.syncing import MOST_DAYS, SyncReason
from gh_backfill.store import routing
from gh_backfill.store.db import Database
from gh_backfill.store.routing import Closing, WaitingJob
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.syncs import SHARED, SyncedOne

NOT_BEGUN = "the worker's time was over before it"


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A sync that was handed over, and what is wanted of it."""

    job: WaitingJob
    wish: SyncWish


def handed_over(db: Database, run_key: str) -> list[Planned]:
    """Return the syncs that wait for the worker of a run, the oldest first."""
    with db.reading() as tx:
        return [Planned(job=job, wish=_wish(job)) for job in routing.planned(tx, run_key)]


def run(
    db: Database, run_key: str, sync: Callable[[str, SyncWish], list[SyncedOne]], *, over: Callable[[], bool]
) -> list[SyncedOne]:
    """Sync what was handed over, one after the other, until the time is `over` or GitHub lets nothing through.

    A sync that is refused ends as skipped, with the reason; what was not begun waits for the next tick.
    """
    done: list[SyncedOne] = []
    for planned in handed_over(db, run_key):
        if over():
            break
        assert planned.job.repository_id is not None
        result = sync(planned.job.repository_id, planned.wish)
        done += result
        if any(each.cause in SHARED for each in result):
            break
        refused = [each.text for each in result if each.synced is None or each.synced.captured is None]
        if refused:
            _skip(db, planned.job, refused[0], failed=any(each.failed for each in result))
    with db.transaction() as tx:
        routing.release(tx, routing.planned(tx, run_key), NOT_BEGUN)
    return done


def _wish(job: WaitingJob) -> SyncWish:
    """Return what a job wants: a tick's own reads what changed, another application's its days, within the rules."""
    if job.ours:
        return SyncWish(reason=SyncReason.SCHEDULED)
    reason = SyncReason(job.reason) if job.reason in tuple(SyncReason) else SyncReason.AUTOMATIC
    days = None if job.given_days is None else max(1, min(job.given_days, MOST_DAYS))
    return SyncWish(reason=reason, days=days, foreign=True)


def _skip(db: Database, job: WaitingJob, reason: str, *, failed: bool) -> None:
    """End a job that no sync began: a sync that began has ended it itself."""
    status, outcome = (JobStatus.FAILED, JobOutcome.FAILED) if failed else (JobStatus.SKIPPED, JobOutcome.NOT_POSSIBLE)
    with db.transaction() as tx:
        routing.close(tx, [Closing(job=job, status=status, outcome=outcome, reason=reason)])
