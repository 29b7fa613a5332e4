"""Capture what webhooks announced: one catch-up for each repository that moved, however much moved in it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import BackfillError
from gh_backfill.policy.ledger import JobType
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.store import webhooks
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.tasks import job
from gh_backfill.tasks.capture import Captured, Limits, Outcome
from gh_backfill.tasks.receive import gathered_before

log = logging.getLogger(__name__)

# What moved since the last look fits into one page; more is the next plan's work.
MOST_CHUNKS = 3


def freshen(
    db: Database, graphql: Callable[[], GraphQL], run: Run, now: Callable[[], datetime]
) -> dict[str, Captured | None]:
    """Capture each repository that moved; None where its backfill is under way and will see it anyway.

    What fails is remembered and tried again the next time.
    """
    with db.transaction() as tx:
        due = webhooks.due(tx, gathered_before(now()))
    return {repository: _one(db, graphql, run, repository, numbers, now) for repository, numbers in due.items()}


def _one(
    db: Database,
    graphql: Callable[[], GraphQL],
    run: Run,
    repository: str,
    numbers: list[str],
    now: Callable[[], datetime],
) -> Captured | None:
    try:
        if job.find(db, repository).status != BackfillStatus.COMPLETED:
            return None
        limits = Limits(max_chunks=MOST_CHUNKS, deadline=None)
        captured = job.run(
            db, graphql(), run, repository, limits, listen=lambda progress: None, now=now, job_type=JobType.WEBHOOK
        )
    except BackfillError as error:
        log.warning("%s moved and could not be captured now: %s", repository, error)
        captured = Captured(outcome=Outcome.FAILED, reason=str(error))
    if captured.outcome in (Outcome.FAILED, Outcome.BUSY):
        with db.transaction() as tx:
            webhooks.put_back(tx, repository, numbers)
    return captured
