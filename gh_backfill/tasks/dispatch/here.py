"""Sync on this machine whatever is due and has changed; what has not moves on for a dozen points a thousand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.schedule import Pace
from gh_backfill.store import routing
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks.dispatch import due, planned
from gh_backfill.tasks.sync_told import SyncWish
from gh_backfill.tasks.syncs import SyncedOne


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneHere:
    """What became of each that had changed or could not be asked about, how many had not changed, and who waits why."""

    done: Sequence[SyncedOne]
    unchanged: int
    limited: str | None = None


def run(
    db: Database,
    graphql: GraphQL,
    job_run: Run,
    sync: Callable[[str, SyncWish], list[SyncedOne]],
    *,
    over: Callable[[], bool],
    kinds: Sequence[str] = (PULL_REQUESTS,),
    pace: Pace | None = None,
) -> DoneHere:
    """Ask about everything that is due, and sync what has changed, until the time is `over`.

    What was not begun is due as before.  Raises what concerns all repositories, but RateLimited.
    """
    asked = due.ask(db, graphql, kinds=kinds, pace=pace)
    with db.transaction() as tx:
        routing.take(tx, job_run.key, ours=True)
    unknown = [
        SyncedOne(
            name=each.full_name,
            repository_id=each.id,
            is_private=each.is_private,
            error=reason,
            error_type=ErrorType.INVALID_DATA,
        )
        for each, reason in asked.unknown
    ]
    done = planned.run(db, job_run.key, sync, over=over)
    return DoneHere(done=[*done, *unknown], unchanged=asked.unchanged, limited=asked.limited)
