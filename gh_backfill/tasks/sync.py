"""Sync one repository: read what changed since the last time, of every kind that is captured of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.background import Begin, in_thread
from gh_backfill.engine.claims import Claims
from gh_backfill.engine.in_turn import InTurn
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.outcome import Captured, CaptureOutcome, Limits, Progress
from gh_backfill.engine.prices import Memory
from gh_backfill.engine.registry import KINDS, items_of
from gh_backfill.engine.worker import Worker
from gh_backfill.errors import StoreError
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy import schedule, syncing
from gh_backfill.policy.ledger import JobType
from gh_backfill.policy.lifecycle import UNTRACKED, BackfillStatus
from gh_backfill.policy.schedule import DEFAULT_PRIORITY, Frequency, Pace, Priority
from gh_backfill.store import jobs, repositories, syncs
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD
from gh_backfill.store.syncs import SyncStanding
from gh_backfill.tasks import aggregate
from gh_backfill.tasks.after import after_items, switched_on
from gh_backfill.tasks.capture import find
from gh_backfill.tasks.ready import before_capture, identified
from gh_backfill.tasks.record import Record
from gh_backfill.tasks.sync_stage import SyncStage
from gh_backfill.tasks.sync_told import Synced, SyncWish
from gh_backfill.tasks.verify.surplus import bury_surplus

log = logging.getLogger(__name__)


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    name: str,
    wish: SyncWish,
    *,
    kinds: Sequence[str] | None = None,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    limits: Limits | None = None,
    pace: Pace | None = None,
    listen: Callable[[Progress], None] = lambda progress: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    begin: Begin = in_thread,
    found: TrackedRepository | None = None,
    memory: Memory | None = None,
    stage: SyncStage | None = None,
    profiles_old: timedelta = OLD,
) -> Synced:
    """Sync a repository, whatever the state of its backfill, and note how that ended and when it is due again.

    What was interrupted goes on where it was.  The time from which the next one reads is the start of this one, by
    GitHub's clock, and is stored only when everything since the last one is here.  Nothing is asked of GitHub for one
    that is refused.  Raises what a capture raises.
    """
    repository = found or persistently(lambda: find(db, name, default_kinds), sleep)
    with db.reading() as tx:
        standing = syncs.standing(tx, repository.id)
    assert standing is not None, "it was found a moment ago"
    refused = refusal(standing, wish, now())
    if refused is not None:
        return Synced(repository=repository, refused=refused)
    names = kinds or switched_on(repository)
    work = _Sync(
        db=db,
        graphql=graphql,
        run=job_run,
        wish=wish,
        kinds=[KINDS[each] for each in items_of(names)],
        limits=limits or Limits(),
        standing=standing,
        every=schedule.interval(frequency(standing), pace or Pace()),
        listen=listen,
        now=now,
        sleep=sleep,
        begin=begin,
        memory=memory,
        stage=stage or SyncStage(),
        names=names,
        profiles_old=profiles_old,
    )
    return work.of(repository)


def frequency(standing: SyncStanding) -> Frequency:
    """Return how often a repository is to be synced."""
    return Frequency(
        priority=Priority(standing.priority) if standing.priority in list(Priority) else DEFAULT_PRIORITY,
        minutes=standing.interval_minutes,
        hours=standing.sync_frequency_hours,
    )


def refusal(standing: SyncStanding, wish: SyncWish, now: datetime) -> str | None:
    """Say why a repository is not synced now; None where it is."""
    name = standing.full_name
    if standing.held and standing.held_reason != UNTRACKED:
        by = f" by {standing.held_by}" if standing.held_by else ""
        return f"{name} is held{by} ({standing.held_reason or 'no reason given'}): gh-backfill resume {name}"
    if not standing.tracked:
        return f"{name} is not tracked any more: gh-backfill track {name}"
    if not wish.foreign:
        return None
    return syncing.refusal(name, wish.reason, standing.last_success_at, standing.status, now)


def _unfinished(known: SyncStanding) -> str | None:
    """Say how much of a history is here that nobody has captured to its end; None of a complete one."""
    if known.status is None:
        return f"its history was never captured: gh-backfill capture {known.full_name} brings it"
    if known.status is BackfillStatus.COMPLETED:
        return None
    total = "?" if known.total is None else f"{known.total:,}"
    return f"of its history {known.there or 0:,} of {total} pull requests are here, its backfill is {known.status}"


@dataclass(kw_only=True)
class _Sync:
    """One sync of one repository, and all that it works with."""

    db: Database
    graphql: GraphQL
    run: jobs.Run
    wish: SyncWish
    kinds: Sequence[Kind]
    limits: Limits
    standing: SyncStanding
    every: timedelta
    listen: Callable[[Progress], None]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    begin: Begin
    memory: Memory | None
    stage: SyncStage
    names: Sequence[str]
    profiles_old: timedelta
    _total: int = 0

    def of(self, repository: TrackedRepository) -> Synced:
        record = Record(
            db=self.db,
            graphql=self.graphql,
            run=self.run,
            repository_id=repository.id,
            job_type=JobType.SYNC,
            part=None,
            listen=self.listen,
            now=self.now,
            sleep=self.sleep,
        )
        try:
            captured = record.keep(lambda: self._prepared(repository, record))
        except BaseException as error:
            failed = not isinstance(error, KeyboardInterrupt)
            try:
                self._ended(repository, str(error) or type(error).__name__, failed=failed)
            except StoreError as lost:  # a database that is away is not waited for: it stays due
                log.warning("how the sync of %s ended could not be stored: %s", repository.full_name, lost)
            raise
        gone = 0
        if captured.outcome is CaptureOutcome.COMPLETED:
            for kind in self.kinds:
                gone += self._bury(repository, kind)
            captured = replace(captured, spent=self.graphql.spent)
        alarm = self._noted(repository, captured)
        handed = self._hand_over(repository)
        if record.in_workspace:
            aggregate.after(self.db, repository.id)
        return Synced(
            repository=repository,
            captured=captured,
            alarm=alarm,
            handed=handed,
            gone=gone,
            unfinished=_unfinished(self.standing),
        )

    def _bury(self, repository: TrackedRepository, kind: Kind) -> int:
        """Give tombstones to what is listed no more of the items that were read."""
        node_id = repository.node_id
        if node_id is None:
            return 0
        return bury_surplus(self.db, self.graphql, repository.id, node_id, kind.name, now=self.now, sleep=self.sleep)

    def _prepared(self, repository: TrackedRepository, record: Record) -> InTurn:
        ready, answer = identified(self.graphql, repository)
        given, known = self.wish.days, self.standing
        since = syncing.since(self.now(), given, known.status)

        def begin() -> None:
            with self.db.transaction() as tx:
                if answer is not None:
                    repositories.store(tx, [answer])
                names = [kind.name for kind in self.kinds]
                syncs.begin(tx, ready.id, names, reason=self.wish.reason, since=since, asked=given is not None)

        persistently(begin, self.sleep)

        def worker_of(kind: Kind, within: Limits, tell: Callable[[Progress], None]) -> Worker:
            before = persistently(lambda: before_capture(self.db, ready, kind), self.sleep)
            self._total += before.total
            return Worker(
                db=self.db,
                graphql=self.graphql,
                kind=kind,
                repository=ready,
                before=before,
                limits=within,
                claims=Claims(
                    db=self.db,
                    repository_id=ready.id,
                    kind=kind.name,
                    worker=record.worker,
                    processor=self.run.processor,
                    part=None,
                    now=self.now,
                    sleep=record.meter.sleep,
                    sync=True,
                ),
                now=self.now,
                sleep=record.meter.sleep,
                listen=tell,
                begin=self.begin,
                memory=self.memory,
            )

        after = after_items(record, ready, self.names, self.limits, self.profiles_old)
        return InTurn(kinds=self.kinds, limits=self.limits, worker=worker_of, listen=record.tell, after=after)

    def _noted(self, repository: TrackedRepository, captured: Captured) -> str | None:
        """Note how it ended; returns what is odd about it."""
        if captured.outcome is CaptureOutcome.BUSY:
            return None  # whoever is at it notes how it ends
        if captured.outcome is not CaptureOutcome.COMPLETED:
            failed, resume_at = captured.outcome is CaptureOutcome.FAILED, captured.resume_at
            persistently(lambda: self._ended(repository, captured.told, failed=failed, resume_at=resume_at), self.sleep)
            return None
        alarm, before = None, self.stage
        if before.more:
            return None
        items, counts = before.items + captured.items, before.counts + captured.counts
        done = [*before.kinds, *(kind.name for kind in self.kinds)]
        if not set(repository.kinds) <= set(done):  # the others are due as before
            persistently(lambda: syncs.partly(self.db, repository.id), self.sleep)
            return None
        again = self.standing.last_success_at is not None and self.wish.days is None and not before.kinds
        if again and syncing.read_everything(items, self._total):
            alarm = f"it read all {items} of them, though it is to read what changed: look at gh-backfill why"
            log.warning("%s: %s", repository.full_name, alarm)
        due = schedule.after_success(self.now(), self.every)
        persistently(
            lambda: syncs.succeeded(
                self.db,
                repository.id,
                done,
                read=counts.total,
                changed=counts.inserted + counts.updated,
                next_due_at=due,
                run_key=self.run.key,
                alarm=alarm,
            ),
            self.sleep,
        )
        return alarm

    def _ended(
        self, repository: TrackedRepository, error: str, *, failed: bool, resume_at: datetime | None = None
    ) -> None:
        now = self.now()
        failures = self.standing.failures + 1
        due = schedule.after_failure(now, self.every, failures) if failed else schedule.after_refusal(now, resume_at)
        syncs.ended(self.db, repository.id, error=error, failed=failed, next_due_at=due)

    def _hand_over(self, repository: TrackedRepository) -> bool:
        """Let a large repository of which most is missing wait for a backfill."""
        known = self.standing
        total = known.total if known.total is not None else repository.total
        if not syncing.initiates_backfill(total, repository.captured, known.status):
            return False
        persistently(lambda: syncs.hand_over(self.db, repository.id, total or 0), self.sleep)
        return True
