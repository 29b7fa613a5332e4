"""One job of the matrix: find its repository, open the backfill if need be, capture, and write the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.background import Begin, in_thread
from gh_backfill.engine.claims import Claims
from gh_backfill.engine.in_turn import InTurn
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.outcome import Captured, Limits, Progress
from gh_backfill.engine.prices import Memory
from gh_backfill.engine.registry import KINDS, items_of
from gh_backfill.engine.worker import Worker
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import PULL_REQUESTS, Goal, TrackedRepository
from gh_backfill.policy import chunking
from gh_backfill.policy.estimate import Estimate, estimate
from gh_backfill.policy.ledger import JobType
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.progress import of_wanted
from gh_backfill.policy.query_prices import LARGEST_FIRST, Prices
from gh_backfill.store import backfills, estimates, jobs, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.profiles import OLD
from gh_backfill.tasks import aggregate
from gh_backfill.tasks.after import after_items, switched_on
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.ready import before_capture, ready_for_capture, unfinished_first
from gh_backfill.tasks.record import Record


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What a capture would do, and what that would take; None where GitHub's count is not known, or nothing is left."""

    repository: TrackedRepository
    left: Estimate | None
    text: str


def find(db: Database, name: str, kinds: Sequence[str] = (PULL_REQUESTS,)) -> TrackedRepository:
    """Return the repository of a name, or of an id of either kind; raises ConfigurationError if it is not here.

    `kinds` are captured of it where nothing else was said.
    """
    with db.reading() as tx:
        known = repositories.named([name], repositories.candidates(tx, asked=[name], kinds=kinds))[name]
    if known is None:
        raise ConfigurationError(f"{name} is not tracked here: run gh-backfill track owner/name first")
    return known


def check_part(db: Database, name: str, part: int) -> None:
    """Raise ConfigurationError where the walk of a repository never had such a part."""
    repository = find(db, name)
    with db.reading() as tx:
        last = backfills.last_part(tx, repository.id)
    if part > last:
        parts = f"has {last} parts" if last else "is read whole, not in parts"
        raise ConfigurationError(f"--part {part}: the history of {repository.full_name} {parts}")


def preview(db: Database, name: str, limits: Limits) -> Preview:
    """Say what `run` would do, from a read-only connection and without asking GitHub."""
    repository = find(db, name)
    ceiling = limits.chunk_size or LARGEST_FIRST
    size = min(ceiling, chunking.first_page(repository.total or 0))
    begin = {
        None: "would open a backfill",
        BackfillStatus.ACTIVE: "would go on with the open backfill",
        BackfillStatus.PAUSED: f"is paused ({repository.pause_reason or 'no reason given'}); would go on",
        BackfillStatus.COMPLETED: "is complete; would read what changed since",
        BackfillStatus.FAILED: "has failed; would try again",
    }[BackfillStatus(repository.status) if repository.status else None]
    left = _left(db, repository, limits)
    here = of_wanted(repository.captured, repository.total, repository.goal, open_ended=repository.open_ended)
    text = (
        f"{repository.full_name}: {begin}; {here} pull requests are here, the first page has "
        f"up to {size}, {left or 'an unknown number of points'} to go; nothing was written"
    )
    return Preview(repository=repository, left=left, text=text)


def run(
    db: Database,
    graphql: GraphQL,
    job_run: jobs.Run,
    name: str,
    limits: Limits,
    *,
    goal: Goal | None = None,
    kinds: Sequence[str] | None = None,
    default_kinds: Sequence[str] = (PULL_REQUESTS,),
    job_type: JobType = JobType.BACKFILL,
    lists: RestPages | None = None,
    listen: Callable[[Progress], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    begin: Begin = in_thread,
    found: TrackedRepository | None = None,
    memory: Memory | None = None,
    profiles_old: timedelta = OLD,
) -> Captured:
    """Capture one repository and write in the ledger how it ended, also when it ended badly.

    `kinds` this once, else those that the repository is tracked with, else `default_kinds`; profiles are asked for
    again when they are as old as `profiles_old`.  With `lists`, review comments may come by REST as well.  `found` is
    the repository, and `memory` has the prices, where the caller has just looked them up.
    """
    repository = found or persistently(lambda: find(db, name, default_kinds), sleep)
    record = Record(
        db=db,
        graphql=graphql,
        run=job_run,
        repository_id=repository.id,
        job_type=job_type,
        part=limits.part,
        listen=listen,
        now=now,
        sleep=sleep,
    )

    def prepare() -> InTurn:
        names = (PULL_REQUESTS,) if limits.part is not None else kinds or switched_on(repository)
        chosen = [KINDS[each] for each in unfinished_first(repository, items_of(names))]
        ready = ready_for_capture(db, graphql, repository, goal, chosen, sleep)

        def worker_of(kind: Kind, within: Limits, tell: Callable[[Progress], None]) -> Worker:
            return Worker(
                db=db,
                graphql=graphql,
                kind=kind,
                repository=ready,
                before=persistently(lambda: before_capture(db, ready, kind), sleep),
                limits=within,
                claims=Claims(
                    db=db,
                    repository_id=repository.id,
                    kind=kind.name,
                    worker=record.worker,
                    processor=job_run.processor,
                    part=limits.part,
                    now=now,
                    sleep=record.meter.sleep,
                ),
                now=now,
                sleep=record.meter.sleep,
                listen=tell,
                begin=begin,
                lists=lists,
                memory=memory,
            )

        after = after_items(record, ready, names, limits, profiles_old)
        return InTurn(kinds=chosen, limits=limits, worker=worker_of, listen=record.tell, after=after)

    captured = record.keep(prepare)
    if record.in_workspace:
        aggregate.after(db, repository.id)
    return captured


def _left(db: Database, repository: TrackedRepository, limits: Limits) -> Estimate | None:
    """Estimate what a run within these limits would take."""
    with db.reading() as tx:
        work = estimates.works(tx, [repository.id]).get(repository.id)
    if work is None:
        return None
    page = Prices().cheapest_page(limits.chunk_size or LARGEST_FIRST)
    if limits.max_chunks is not None and limits.max_chunks * page < work.left:
        work = replace(work, left=limits.max_chunks * page, catch_up=False)
    return estimate(work, budget(db), ceiling=page)
