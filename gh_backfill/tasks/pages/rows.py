"""A row of a list as a page shows it: a backfill, a job, a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy import shown
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.ledger import job_word
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.policy.progress import within
from gh_backfill.policy.shown import UNDER_WAY, ShownState
from gh_backfill.store import pages, repositories
from gh_backfill.store.db import Transaction
from gh_backfill.store.pages_rows import BackfillStanding, LedgerJob
from gh_backfill.store.repositories import OtherKind, Status
from gh_backfill.store.runs import PastRun
from gh_backfill.tasks.estimate import estimated
from gh_backfill.tasks.pages.actions_page import ActionsPage


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillRow:
    """A repository: its figures are those of `status`, its state is what is so now.

    `fresh_at` is the start of the last catch-up that was completed: what changed on GitHub before that is here.
    `done_at` is when it will be complete if nothing interrupts the work.
    """

    repository_id: str
    full_name: str
    is_private: bool
    shown: ShownState
    captured: int
    total: int | None
    wanted: int | None
    goal: int | None
    percent: float | None
    points: int | None
    gaps: int
    quarantined: int
    fresh_at: datetime | None
    last_at: datetime | None
    left: Estimate | None = None
    done_at: datetime | None = None
    others: Sequence[OtherKind] = ()
    status: str | None = None
    aim: str = "everything"
    open_ended: bool = False

    @property
    def address(self) -> str:
        """Return where its own page is."""
        return f"/{self.full_name}"

    @property
    def speed(self) -> int | None:
        """Return how many pull requests an hour it does by its own last pages; None before any was measured."""
        if self.left is None or not self.left.measured or self.left.seconds < 1:
            return None
        return round(3600 * self.left.pull_requests / self.left.seconds)

    @property
    def how_many(self) -> str:
        """Say how many of those that are wanted are here."""
        if self.total is None:
            return f"{self.captured:,} of an unknown number"
        if self.open_ended:
            return f"{self.captured:,} so far"
        text = f"{self.captured:,} of {within(self.total, self.goal):,}"
        limited = self.goal is not None and self.goal < self.total
        return (
            text + (" newest" if self.aim.startswith(f"the newest {self.goal}") else f" ({self.aim})")
            if limited
            else text
        )

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self, "address", "speed")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """A job: what became of it, how long it took (seconds, None while it runs), and its run's page.

    `what` says what it was where that was no backfill.
    """

    id: str
    at: datetime
    repository_id: str | None
    name: str
    is_private: bool
    processor: str
    shown: ShownState
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    items: int
    points: int
    chunks: int
    warnings: int
    run_key: str | None
    run_address: str | None
    part: str | None = None
    what: str = ""

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow:
    """A run in sums, with its page at GitHub."""

    run_key: str
    at: datetime
    ended_at: datetime | None
    processor: str
    jobs: int
    waiting: int
    running: int
    failed: int
    paused: int
    items: int
    points: int
    address: str | None
    headline: str | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self)


def backfills(tx: Transaction, found: Sequence[BackfillStanding], now: datetime) -> tuple[BackfillRow, ...]:
    """Return rows for backfills of pull requests, in their order: two statements, whatever their number."""
    ids = [each.repository_id for each in found]
    if not ids:
        return ()
    pages.one_by_one(tx)
    states = {state.id: state for state in repositories.status(tx, ids)}
    left = estimated(tx, ids, now=now)
    return tuple(
        _row(each, states[each.repository_id], left.get(each.repository_id), now)
        for each in found
        if each.repository_id in states and each.kind == PULL_REQUESTS
    )


def job(found: LedgerJob, page: ActionsPage | None, now: datetime) -> JobRow:
    """Return the row of a job."""
    ended = found.completed_at
    started = found.started_at
    return JobRow(
        id=found.id,
        at=found.created_at,
        repository_id=found.repository_id,
        name=found.full_name or found.named or "a deleted repository",
        is_private=found.is_private or found.full_name is None,
        processor=shown.PROCESSORS.get(found.processor, found.processor),
        shown=shown.of_job(found.facts, now),
        started_at=started,
        ended_at=ended,
        seconds=(ended - started).total_seconds() if started and ended else None,
        items=found.items,
        points=found.points,
        chunks=found.chunks,
        warnings=found.warnings,
        run_key=found.run_key,
        run_address=page.run(found.run_id, found.attempt) if page else None,
        part=found.part,
        what=job_word(found.job_type),
    )


def run(found: PastRun) -> RunRow:
    """Return the row of a run."""
    return RunRow(
        run_key=found.run_key,
        at=found.began_at,
        ended_at=found.ended_at,
        processor=shown.PROCESSORS.get(found.processor, found.processor),
        jobs=found.jobs,
        waiting=found.waiting,
        running=found.running,
        failed=found.failed,
        paused=found.paused,
        items=found.items,
        points=found.points,
        address=found.address,
        headline=found.headline,
    )


def _row(found: BackfillStanding, state: Status, left: Estimate | None, now: datetime) -> BackfillRow:
    told = shown.of_backfill(found.facts, now)
    under_way = told.state in UNDER_WAY
    return BackfillRow(
        repository_id=state.id,
        full_name=state.full_name,
        is_private=found.is_private,
        shown=told,
        captured=state.captured,
        total=state.total,
        wanted=state.wanted,
        goal=state.goal,
        percent=state.percent,
        points=state.points,
        gaps=state.gaps,
        quarantined=state.quarantined,
        fresh_at=found.fresh_at,
        last_at=found.last_processed_at,
        left=left if under_way else None,
        done_at=_done(left, told, now) if under_way else None,
        others=state.others,
        status=state.status,
        aim=state.aim.words,
        open_ended=state.open_ended,
    )


def _done(left: Estimate | None, told: ShownState, now: datetime) -> datetime | None:
    """Return when it is done: work cannot begin before a pause is over, whose wait the estimate may have already."""
    if left is None:
        return None
    whole = now + timedelta(seconds=left.seconds)
    if told.until is None:
        return whole
    return max(whole, told.until + timedelta(seconds=left.seconds - left.waiting))
