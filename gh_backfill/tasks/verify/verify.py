"""Verify one repository: prove its items and numbers, mend what differs where that is wanted, certify the result."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.proofs import Home
from gh_backfill.engine import interrupts
from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.processes import worker_name
from gh_backfill.errors import BackfillError, Gone, RateLimited
from gh_backfill.models.github import NodeId, Spent
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.ledger import ErrorType, JobType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.store import jobs, kinds, repositories
from gh_backfill.store import verify as rows
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.tasks.record import ENDINGS
from gh_backfill.tasks.verify.burying import bury
from gh_backfill.tasks.verify.findings import Findings
from gh_backfill.tasks.verify.mending import mend
from gh_backfill.tasks.verify.numbering import prove_numbers, prove_totals
from gh_backfill.tasks.verify.proving import Means, look, prove_items


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """What came of verifying one repository.

    Without a certificate it could not be looked at, for the `reason`; with one and a reason, the rest waits until
    `resume_at`.
    """

    repository: TrackedRepository
    certificate: Certificate | None
    spent: Spent
    reason: str | None = None
    resume_at: datetime | None = None
    error: BackfillError | None = None

    @property
    def line(self) -> str:
        """Say it in one line."""
        told = [] if self.certificate is None else [self.certificate.line]
        return "; ".join([*told, *([self.reason] if self.reason else [])])

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.repository.full_name,
            "repository_id": self.repository.id,
            "line": self.line,
            "certificate": None if self.certificate is None else self.certificate.as_json(),
            "reason": self.reason,
            "resume_at": None if self.resume_at is None else self.resume_at.isoformat(),
            "points": self.spent.points,
            "requests": self.spent.requests,
        }


def verify(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    repository: TrackedRepository,
    *,
    repair: bool = False,
    writes: bool = True,
    points: int | None = None,
    as_old_as: timedelta | None = None,
    until: datetime | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> Verified:
    """Verify a repository and write in the ledger how that ended.

    With `repair` what differs is read again, and what is gone gets a tombstone.  Items whose proof is younger than
    `as_old_as` are not looked at again, at most so many `points` are spent, and nothing is asked from `until` on.
    Without `writes` nothing is written.
    What GitHub or the database fail in is told as a reason; raises what no verification could survive.
    """
    before = graphql.spent
    means = Means(
        db=db,
        graphql=graphql,
        now=now,
        sleep=sleep,
        points=points,
        writes=writes,
        spent_before=before.points,
        as_old_as=as_old_as,
        until=until,
    )
    job_id = persistently(lambda: _start(db, job_run, repository), sleep) if writes else None
    done = Verified(repository=repository, certificate=None, spent=Spent(), reason="ended unexpectedly")
    outcome = CaptureOutcome.FAILED
    kind: ErrorType | None = ErrorType.UNEXPECTED
    try:
        done = _verified(means, repository, repair=repair and writes)
        outcome, kind = _ending(done)
    except KeyboardInterrupt:
        outcome, kind = CaptureOutcome.INTERRUPTED, ErrorType.CANCELLED
        raise
    finally:
        spent = Spent(points=graphql.spent.points - before.points, requests=graphql.spent.requests - before.requests)
        done = replace(done, spent=spent)
        if job_id is not None:
            with interrupts.shielded():
                _finish(means, job_id, done, outcome, kind)
    return done


def _verified(means: Means, repository: TrackedRepository, *, repair: bool) -> Verified:
    """Verify it as far as it gets; what ended it before its end is the reason."""
    told = Verified(repository=repository, certificate=None, spent=Spent())
    found: Findings | None = None
    try:
        node_id = _known_id(repository)
        home = look(means, repository, node_id)
        repository = _followed(means, repository, home)
        found = _begin(means, repository, home)
        _steps(means, found, repair=repair)
    except RateLimited as error:
        told = replace(told, reason=f"paused: {error}", resume_at=error.resume_at, error=error)
    except BackfillError as error:
        told = replace(told, reason=str(error), error=error)
    if found is None:
        return told
    certificate = found.certificate(means.now())
    if means.writes:
        persistently(lambda: _save(means, repository, certificate), means.sleep)
    return replace(told, repository=repository, certificate=certificate)


def _steps(means: Means, found: Findings, *, repair: bool) -> None:
    prove_items(means, found)
    prove_numbers(means, found)
    if repair:
        bury(means, found)
        mend(means, found)
    prove_totals(means, found)
    if repair and found.missing():  # what stood behind the highest number that was known
        mend(means, found)
    found.finished = True


def _known_id(repository: TrackedRepository) -> NodeId:
    if repository.node_id is None:
        raise Gone(
            f"GitHub's id of {repository.full_name} is not known: run gh-backfill track {repository.full_name} first"
        )
    return repository.node_id


def _begin(means: Means, repository: TrackedRepository, home: Home) -> Findings:
    with means.db.reading() as tx:
        items = {each.key: each for each in rows.items_to_prove(tx, repository.id, repository.kinds)}
        numbers = rows.known_numbers(tx, repository.id)
        highest, lowest = rows.bounds(tx, repository.id)
    return Findings(
        repository=repository,
        kinds=repository.kinds,
        items=items,
        numbers=numbers,
        highest=max(home.highest, highest, *(numbers or (0,))),
        lowest_here=lowest,
        totals=home.totals,
    )


def _followed(means: Means, repository: TrackedRepository, home: Home) -> TrackedRepository:
    """Take over the name that GitHub shows now."""
    owner, name = home.full_name.split("/")
    total = home.totals[PULL_REQUESTS]

    def follow() -> None:
        with means.db.transaction() as tx:
            repositories.follow(tx, repository.id, full_name=home.full_name, is_private=home.is_private, total=total)

    if means.writes:
        persistently(follow, means.sleep)
    return replace(repository, owner=owner, name=name, is_private=home.is_private, total=total)


def _save(means: Means, repository: TrackedRepository, certificate: Certificate) -> None:
    with means.db.transaction() as tx:
        kinds.lock(tx, repository.id)
        rows.recount(tx, repository.id)
        rows.forget_proofs(tx, repository.id)
        rows.save_verification(tx, repository.id, certificate, means.now())


def _start(db: Database, run: jobs.Run, repository: TrackedRepository) -> str:
    with db.transaction() as tx:
        return jobs.start(tx, run, repository.id, worker=worker_name(), job_type=JobType.VERIFY)


def _ending(done: Verified) -> tuple[CaptureOutcome, ErrorType | None]:
    match done.error:
        case None:
            return CaptureOutcome.COMPLETED, None
        case RateLimited():
            return CaptureOutcome.PAUSED, ErrorType.RATE_LIMIT
        case error:
            return CaptureOutcome.FAILED, error_type(error)


def _finish(means: Means, job_id: str, done: Verified, outcome: CaptureOutcome, kind: ErrorType | None) -> None:
    certificate = done.certificate
    finishing = jobs.finishing(
        job_id,
        status=ENDINGS.get(outcome, JobStatus.COMPLETED),
        outcome=outcome,
        error=done.reason,
        error_type=kind,
        spent=done.spent,
        chunks=0,
        items=0,  # what was looked at is not captured
        warnings=0 if certificate is None else len(certificate.open),
    )

    def finish() -> None:
        with means.db.transaction() as tx:
            jobs.finish(tx, finishing)

    persistently(finish, means.sleep)
