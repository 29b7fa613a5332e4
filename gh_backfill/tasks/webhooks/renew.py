"""Store what was fetched of announced pull requests: rows, announcements and ledger in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from gh_backfill.engine.outcome import CaptureOutcome
from gh_backfill.engine.pull_requests.kind import PullRequests
from gh_backfill.engine.refused import sift
from gh_backfill.errors import BackfillError, RowRefused
from gh_backfill.models.github import Spent, Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy import freshness
from gh_backfill.policy.freshness import SetAside, TryAgain
from gh_backfill.policy.items import CompleteItem
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.store import backfills, jobs, people, repositories, webhooks
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.persist import persistently
from gh_backfill.store.webhooks import Announcement
from gh_backfill.tasks.webhooks.announced import Failed, Fetched, NotThere, Result

KIND = PullRequests()
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Renewal:
    """How many pull requests of a repository were stored, are gone, failed for now, and were set aside."""

    stored: int
    gone: int
    failed: int
    set_aside: int


@dataclass(kw_only=True, slots=True)
class _Change:
    """What the transaction is to do: rows to write, losses to quarantine, and announcements that end or stay."""

    repository: TrackedRepository
    now: datetime
    items: list[CompleteItem] = field(default_factory=list)
    quarantined: list[Unreadable] = field(default_factory=list)
    ended: list[Announcement] = field(default_factory=list)
    again: list[tuple[Announcement, str, datetime]] = field(default_factory=list)
    gone: int = 0
    set_aside: int = 0
    error: str | None = None
    error_type: ErrorType | None = None

    def take(self, result: Result) -> None:
        announcement = result.announcement
        match result:
            case Fetched(item=item, lost=()):
                self.items.append(item)
                self.ended.append(announcement)
            case Fetched(item=item, lost=lost):
                self.items.append(item)
                self._failed(announcement, lost[0].reason, ErrorType.INVALID_DATA, lost)
            case NotThere() if freshness.gone(announcement.attempts + 1):
                self.gone += 1
                self.ended.append(announcement)
            case NotThere():
                self._failed(announcement, "GitHub has no such pull request", ErrorType.GONE)
            case Failed(reason=reason, error_type=kind):
                self._failed(announcement, reason, kind)

    def _failed(
        self, announcement: Announcement, reason: str, kind: ErrorType, lost: Sequence[Unreadable] = ()
    ) -> None:
        self.error, self.error_type = f"#{announcement.number}: {reason}", kind
        match freshness.after_failure(announcement.attempts + 1, self.now):
            case TryAgain(at=at):
                self.again.append((announcement, reason, at))
            case SetAside():
                self.set_aside += 1
                self.ended.append(announcement)
                self.quarantined += lost or (_unread(announcement, reason),)

    def renewal(self) -> Renewal:
        return Renewal(stored=len(self.items), gone=self.gone, failed=len(self.again), set_aside=self.set_aside)


def store(
    db: Database,
    results: Sequence[Result],
    job_id: str,
    spent: Spent,
    now: datetime,
    sleep: Callable[[float], None],
) -> Renewal:
    """Store the results of one repository.

    Rows that the database does not admit go to the quarantine.  Raises RowRefused where that is most of them, and the
    last StoreError when nothing helped; then all of them stay announced.
    """
    change = _Change(repository=results[0].announcement.repository, now=now)
    for result in results:
        change.take(result)
    shown = next((each.shown for each in results if isinstance(each, Fetched)), None)

    def once() -> None:
        with db.transaction() as tx:
            people.store_people(tx, KIND.people(change.items))
        with db.transaction() as tx:
            backfills.lock(tx, change.repository.id)
            if shown is not None:
                owner, name = shown.full_name.split("/")
                change.repository = replace(change.repository, owner=owner, name=name, is_private=shown.is_private)
                repositories.follow(
                    tx,
                    change.repository.id,
                    full_name=shown.full_name,
                    is_private=shown.is_private,
                    total=shown.total,
                )
            _write(tx, change, job_id, spent)

    try:
        persistently(once, sleep)
    except RowRefused as error:
        log.warning("%s: %s", change.repository.full_name, error)
        persistently(partial(_sift, db, change, error), sleep)
        persistently(once, sleep)
    return change.renewal()


def fail(
    db: Database,
    results: Sequence[Result],
    job_id: str,
    spent: Spent,
    error: BackfillError,
    now: datetime,
    sleep: Callable[[float], None],
) -> Renewal:
    """Note that nothing of one repository could be stored, and why."""
    change = _Change(repository=results[0].announcement.repository, now=now)
    for result in results:
        change.take(Failed(announcement=result.announcement, reason=str(error), error_type=error_type(error)))

    def once() -> None:
        with db.transaction() as tx:
            _write(tx, change, job_id, spent)

    persistently(once, sleep)
    return change.renewal()


def _write(tx: Transaction, change: _Change, job_id: str, spent: Spent) -> None:
    repository = change.repository
    written = KIND.write(tx, repository, change.items, change.quarantined)
    backfills.count_new(tx, repository.id, written.new)
    webhooks.done(tx, repository, change.ended)
    webhooks.failed(tx, repository, change.again)
    failed = len(change.again) + change.set_aside
    outcome = (
        CaptureOutcome.COMPLETED
        if not failed
        else CaptureOutcome.STOPPED
        if change.ended or change.items
        else CaptureOutcome.FAILED
    )
    jobs.finish(
        tx,
        jobs.finishing(
            job_id,
            status=JobStatus.FAILED if outcome is CaptureOutcome.FAILED else JobStatus.COMPLETED,
            outcome=outcome,
            error=change.error,
            error_type=change.error_type,
            spent=spent,
            chunks=0,
            items=len(change.items),
            warnings=failed,
        ),
    )


def _sift(db: Database, change: _Change, error: RowRefused) -> None:
    """Take out what the database refuses; where that is most of it, the database is at fault."""
    with db.transaction() as tx:
        if KIND.own_numbers(tx, change.repository, change.items):
            return
    sifted = sift(db, KIND, change.repository, change.items)
    if sifted.most:
        raise error
    change.items = sifted.kept
    change.quarantined += sifted.refused


def _unread(announcement: Announcement, reason: str) -> Unreadable:
    return Unreadable(
        kind="pull_request", identity=f"#{announcement.number}", number=announcement.number, reason=reason
    )
