"""Fetch the pull requests that webhooks announced, whatever the state of their repository's backfill.

No backfill is opened, and no goal or cursor moves.  An announcement goes in the transaction that stores what it
announced; until then it stays.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby

from gh_backfill.clients.announced import MOST
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import BackfillError, RateLimited, StoreUnavailable
from gh_backfill.models.github import Spent
from gh_backfill.policy.freshness import shares
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.store import jobs, repositories, webhooks
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.store.webhooks import Announcement
from gh_backfill.tasks.record import ENDINGS
from gh_backfill.tasks.webhooks import announced
from gh_backfill.tasks.webhooks.announced import Result
from gh_backfill.tasks.webhooks.renew import Renewal, fail, store

log = logging.getLogger(__name__)

# One query, and the follow-ups that complete what it brought.
POINTS_OF_A_BATCH = 3
BATCHES = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Freshened:
    """What a look brought: pull requests stored, gone, failed and set aside; and until when the rest waits, and why."""

    stored: int = 0
    gone: int = 0
    failed: int = 0
    set_aside: int = 0
    waiting_until: datetime | None = None
    reason: str | None = None


@dataclass(kw_only=True)
class Freshener:
    """One worker for all repositories.  It waits for nobody: a rate limit ends its look, and the next one goes on.

    `graphql` shares the budget of all jobs; clock and sleep are passed in.
    """

    db: Database
    graphql: GraphQL
    run: Run
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep

    def look(self) -> Freshened:
        """Fetch what is announced, for a point a batch.  Raises what concerns all repositories, not RateLimited."""
        with self.db.reading() as tx:
            due = webhooks.due(tx, self.now(), most=BATCHES * MOST)
        done = Freshened()
        for start in range(0, len(due), MOST):
            wait = self.graphql.attempts.must_wait(POINTS_OF_A_BATCH)
            if wait is not None:
                return replace(done, waiting_until=wait.until, reason=wait.reason)
            try:
                done = self._batch(due[start : start + MOST], done)
            except RateLimited as error:
                return replace(done, waiting_until=error.resume_at, reason=str(error))
        return done

    def _batch(self, batch: Sequence[Announcement], done: Freshened) -> Freshened:
        """Fetch and store one query's worth; each repository has its line in the ledger."""
        batch = self._identified(batch)
        ledger = persistently(lambda: self._start(batch), self.sleep)
        before = self.graphql.spent
        costs: dict[str, Spent] = {}
        try:
            results = sorted(announced.read(self.graphql, batch), key=_repository)
            parts = {each: list(part) for each, part in groupby(results, key=_repository)}
            costs = self._divided(before, {each: len(part) for each, part in parts.items()})
            for repository_id, part in parts.items():
                renewal = self._renew(part, ledger[repository_id], costs[repository_id])
                del ledger[repository_id]
                done = replace(
                    done,
                    stored=done.stored + renewal.stored,
                    gone=done.gone + renewal.gone,
                    failed=done.failed + renewal.failed,
                    set_aside=done.set_aside + renewal.set_aside,
                )
        except BaseException as error:
            self._close(ledger, costs or self._divided(before, dict.fromkeys(ledger, 1)), error)
            raise
        return done

    def _renew(self, results: Sequence[Result], job_id: str, spent: Spent) -> Renewal:
        """Store the results of one repository; what the database refuses of it is no trouble of the others."""
        try:
            return store(self.db, results, job_id, spent, self.now(), self.sleep)
        except StoreUnavailable:
            raise
        except BackfillError as error:
            log.warning("%s moved and could not be stored: %s", results[0].announcement.repository.full_name, error)
            return fail(self.db, results, job_id, spent, error, self.now(), self.sleep)

    def _identified(self, batch: Sequence[Announcement]) -> Sequence[Announcement]:
        batch, learnt = announced.identify(self.graphql, batch)
        if learnt:
            with self.db.transaction() as tx:
                repositories.store(tx, learnt)
        return batch

    def _start(self, batch: Sequence[Announcement]) -> dict[str, str]:
        with self.db.transaction() as tx:
            return {
                repository_id: jobs.start(tx, self.run, repository_id, worker=worker_name(), job_type=JobType.WEBHOOK)
                for repository_id in sorted({each.repository.id for each in batch})
            }

    def _close(self, ledger: Mapping[str, str], costs: Mapping[str, Spent], error: BaseException) -> None:
        """Say in the ledger why nothing came of the jobs that are still open, as far as the database answers."""
        outcome, kind = _ending(error)

        def close() -> None:
            with self.db.transaction() as tx:
                for repository_id, job_id in ledger.items():
                    finishing = jobs.finishing(
                        job_id,
                        status=ENDINGS.get(outcome, JobStatus.COMPLETED),
                        outcome=outcome,
                        error=str(error),
                        spent=costs[repository_id],
                        chunks=0,
                        items=0,
                        warnings=0,
                        error_type=kind,
                    )
                    jobs.finish(tx, finishing)

        persistently(close, self.sleep)

    def _divided(self, before: Spent, weights: Mapping[str, int]) -> dict[str, Spent]:
        """Divide what was spent since then among the repositories that it was spent for."""
        after = self.graphql.spent
        points = shares(after.points - before.points, list(weights.values()))
        requests = shares(after.requests - before.requests, list(weights.values()))
        return {
            each: Spent(points=share, requests=sent)
            for each, share, sent in zip(weights, points, requests, strict=True)
        }


def _ending(error: BaseException) -> tuple[CaptureOutcome, ErrorType]:
    match error:
        case RateLimited():
            return CaptureOutcome.PAUSED, ErrorType.RATE_LIMIT
        case KeyboardInterrupt():
            return CaptureOutcome.INTERRUPTED, ErrorType.CANCELLED
        case _:
            return CaptureOutcome.FAILED, error_type(error)


def _repository(result: Result) -> str:
    return result.announcement.repository.id
