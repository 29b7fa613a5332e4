"""Complete given pull requests of a repository: each with all its reviews and comments, by its number."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from uuid import uuid4

from gh_backfill.clients.announced import MOST
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import BackfillError, ConfigurationError, PartlyFailed, RateLimited
from gh_backfill.models.github import Spent
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import UNTRACKED, JobStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.store import jobs
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.store.webhooks import Announcement
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.ready import identified
from gh_backfill.tasks.webhooks import announced
from gh_backfill.tasks.webhooks.announced import Failed, Fetched, Result
from gh_backfill.tasks.webhooks.renew import store

MOST_NUMBERS = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Detailed:
    """What became of the pull requests that were asked for: stored, not at GitHub, and failed, each with its reason."""

    repository: TrackedRepository
    stored: int = 0
    gone: tuple[int, ...] = ()
    failed: tuple[tuple[int, str], ...] = ()
    points: int = 0

    @property
    def text(self) -> str:
        """Say it in a line."""
        said = [f"{counted(self.stored, 'pull request')} complete, {counted(self.points, 'point')}"]
        if self.gone:
            said.append(f"GitHub has none of {_listed(self.gone)}")
        said += [f"#{number}: {reason}" for number, reason in self.failed]
        return "; ".join(said)

    def raise_failures(self) -> None:
        """Raise what names the failed; the others are stored."""
        if self.failed:
            raise PartlyFailed(f"{self.repository.full_name}: {_listed([number for number, _ in self.failed])} failed")


def run(
    db: Database,
    graphql: GraphQL,
    job_run: Run,
    name: str,
    numbers: Sequence[int],
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Detailed:
    """Read these pull requests, 74 a query and what they lack in others, and store them; cursors and goals stay.

    Raises ConfigurationError for a repository that is not tracked, and what is the fault of no single pull request.
    """
    repository, answer = identified(graphql, persistently(lambda: find(db, name), sleep))
    if repository.held_reason == UNTRACKED:
        raise ConfigurationError(f"{repository.full_name} is not tracked any more: gh-backfill track it first")
    if answer is not None:
        repository = replace(repository, node_id=answer.node_id)
    done = Detailed(repository=repository)
    # Nobody announced them: they count as asked for before, so that GitHub is believed when it says that there is none.
    wanted = [
        Announcement(repository=repository, number=number, version=str(uuid4()), attempts=1)
        for number in dict.fromkeys(numbers)
    ]
    for start in range(0, len(wanted), MOST):
        done = _batch(db, graphql, job_run, wanted[start : start + MOST], done, now, sleep)
    return done


def _batch(
    db: Database,
    graphql: GraphQL,
    job_run: Run,
    batch: Sequence[Announcement],
    done: Detailed,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Detailed:
    job_id = persistently(lambda: _start(db, job_run, done.repository.id), sleep)
    before = graphql.spent
    try:
        results = announced.read(graphql, batch)
        spent = _since(before, graphql.spent)
        renewal = store(db, results, job_id, spent, now(), sleep)
    except BaseException as error:
        persistently(partial(_close, db, job_id, _since(before, graphql.spent), error), sleep)
        raise
    gone = [each.announcement.number for each in results if not isinstance(each, Fetched | Failed)]
    return replace(
        done,
        stored=done.stored + renewal.stored,
        gone=(*done.gone, *gone),
        failed=(*done.failed, *_failures(results)),
        points=done.points + spent.points,
    )


def _failures(results: Sequence[Result]) -> list[tuple[int, str]]:
    failed = [(each.announcement.number, each.reason) for each in results if isinstance(each, Failed)]
    lost = [
        (each.announcement.number, each.lost[0].reason) for each in results if isinstance(each, Fetched) and each.lost
    ]
    return failed + lost


def _start(db: Database, job_run: Run, repository_id: str) -> str:
    with db.transaction() as tx:
        return jobs.start(tx, job_run, repository_id, worker=worker_name(), job_type=JobType.SYNC)


def _close(db: Database, job_id: str, spent: Spent, error: BaseException) -> None:
    """Write how a batch ended that was not stored."""
    status, outcome, kind = JobStatus.FAILED, CaptureOutcome.FAILED, error_type(error)
    match error:
        case RateLimited():
            status, outcome = JobStatus.COMPLETED, CaptureOutcome.PAUSED
        case KeyboardInterrupt():
            status, outcome, kind = JobStatus.CANCELLED, CaptureOutcome.INTERRUPTED, ErrorType.CANCELLED
    text = str(error) if isinstance(error, BackfillError) else type(error).__name__
    with db.transaction() as tx:
        jobs.finish(
            tx,
            jobs.finishing(
                job_id,
                status=status,
                outcome=outcome,
                error=text,
                error_type=kind,
                spent=spent,
                chunks=0,
                items=0,
                warnings=0,
            ),
        )


def _since(before: Spent, after: Spent) -> Spent:
    return Spent(points=after.points - before.points, requests=after.requests - before.requests)


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:10])
    return f"{shown} and {len(numbers) - 10} more" if len(numbers) > 10 else shown
