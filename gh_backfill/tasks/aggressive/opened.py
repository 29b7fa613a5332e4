"""Aggressive backfills with all that their steps work with: one, or all that wait, one after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine import prices
from gh_backfill.engine.outcome import Limits, Progress
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.policy.ledger import JobOutcome
from gh_backfill.policy.lifecycle import JobStatus
from gh_backfill.settings import Settings
from gh_backfill.store import aggressive as store
from gh_backfill.store import jobs
from gh_backfill.store.db import Database
from gh_backfill.store.jobs import Run
from gh_backfill.store.persist import persistently
from gh_backfill.tasks import connect
from gh_backfill.tasks.aggressive.asking import AggressiveAsked
from gh_backfill.tasks.aggressive.checking import Checks, check
from gh_backfill.tasks.aggressive.done import AggressiveDone
from gh_backfill.tasks.aggressive.other_steps import (
    embeddings_of,
    embeddings_step,
    profiles_of,
    workspace_step,
    workspaces_of,
)
from gh_backfill.tasks.aggressive.run import BEAT, AggressiveWork, Work, run
from gh_backfill.tasks.aggressive.sync_step import CaptureWays, StepEnd, sync_step
from gh_backfill.tasks.embedding.run import EmbeddingProgress

Tell = Callable[[AggressiveBackfill, AggressiveStep, StepEnd | None], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveWays:
    """What aggressive backfills work with; `listen` hears of the capture's progress, `tell` of each step.

    A `run` of steps, or `in_slices` of time, leaves it to another one to go on: then each backfill has one job for all.
    Who is not `patient` leaves one that met an error that passes at once.
    """

    settings: Settings
    db: Database
    graphql: GraphQL
    lists: RestPages | None = None
    limits: Limits = field(default_factory=Limits)
    wait: timedelta | None = None
    run: Run | None = None
    in_slices: timedelta | None = None
    beat: float = BEAT
    patient: bool = True
    listen: Callable[[Progress], None] = lambda progress: None
    tell: Tell = lambda backfill, step, end: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def of_one(ways: AggressiveWays, asked: AggressiveAsked) -> list[AggressiveDone]:
    """Do the steps that were asked for; what else is left of an open one waits for another run."""
    return [of_this(ways, asked.backfill, frozenset(asked.steps))]


def of_this(
    ways: AggressiveWays, backfill: AggressiveBackfill, wanted: frozenset[AggressiveStep] | None = None
) -> AggressiveDone:
    """Do what is left of an aggressive backfill (of these steps; None: of all), or a slice of it."""
    if ways.in_slices is not None:
        until = ways.now() + ways.in_slices
        own = Run(
            key=f"aggressive-{backfill.id}", run_id=None, attempt=1, processor=ways.settings.processor, in_steps=True
        )
        ways = replace(ways, run=own, wait=ways.in_slices, limits=replace(ways.limits, deadline=until))
    done = run(_work(ways), backfill, wanted)
    if ways.run is not None and ways.run.in_steps and done.backfill.over:
        _end_job(ways, ways.run, done)
    return done


def _end_job(ways: AggressiveWays, own: Run, done: AggressiveDone) -> None:
    status, outcome = (
        (JobStatus.FAILED, JobOutcome.FAILED) if done.error is not None else (JobStatus.COMPLETED, JobOutcome.COMPLETED)
    )
    told = done.backfill.reason if done.error is not None else None
    ending = jobs.ending(own, status=status, outcome=outcome, error=told)
    persistently(lambda: ways.db.statements(ending), ways.sleep)


def of_all_that_waits(ways: AggressiveWays, *, goes_on: Callable[[], bool] = lambda: True) -> list[AggressiveDone]:
    """Go on with all that waits, the longest waiting first; what fails for one does not stop the others.

    An error that passes is not waited out, for the others wait behind it.
    """
    ways = replace(ways, patient=False)
    with ways.db.reading() as tx:
        ids = store.due(tx)
    done: list[AggressiveDone] = []
    for backfill_id in ids:
        if not goes_on() or (ways.limits.deadline is not None and ways.now() >= ways.limits.deadline):
            break
        with ways.db.reading() as tx:
            repository_id = store.repository_of(tx, backfill_id)
            found = [] if repository_id is None else store.standing(tx, [repository_id])
        done += [of_this(ways, each) for each in found if each.id == backfill_id]
    return done


def only_asked(asked: AggressiveAsked) -> AggressiveDone:
    """Return what was asked for, and not waited for at all."""
    return AggressiveDone(backfill=asked.backfill)


def _work(ways: AggressiveWays) -> AggressiveWork:
    run_of = ways.run or connect.this_run(ways.settings)
    captures = CaptureWays(
        db=ways.db,
        graphql=ways.graphql,
        run=run_of,
        lists=ways.lists,
        memory=prices.ask_once_a_week(ways.db, ways.graphql),
        listen=ways.listen,
        now=ways.now,
        sleep=ways.sleep,
        limits=ways.limits,
        profiles_old=ways.settings.profiles_old,
    )
    steps: Mapping[AggressiveStep, Work] = {
        AggressiveStep.SYNC: lambda backfill, until, goes_on: sync_step(captures, backfill, until, goes_on),
        AggressiveStep.EMBEDDINGS: lambda backfill, until, goes_on: embeddings_step(
            ways.settings,
            ways.db,
            backfill,
            until,
            now=ways.now,
            sleep=ways.sleep,
            listen=_noting(ways.db, backfill, goes_on, ways.sleep),
        ),
        AggressiveStep.WORKSPACE: lambda backfill, until, goes_on: workspace_step(ways.db, backfill, sleep=ways.sleep),
    }
    checks = Checks(
        embedded=lambda db, repository_id: embeddings_of(ways.settings, db, repository_id),
        profiles=lambda db, repository_id: profiles_of(ways.settings, db, repository_id),
        workspaces=workspaces_of,
    )
    return AggressiveWork(
        db=ways.db,
        run_key=run_of.key,
        steps=steps,
        check=lambda backfill: check(captures, backfill, checks),
        listen=ways.tell,
        wait=ways.wait,
        deadline=ways.limits.deadline,
        beat=ways.beat,
        patient=ways.patient,
        now=ways.now,
        sleep=ways.sleep,
    )


def _noting(
    db: Database, backfill: AggressiveBackfill, goes_on: Callable[[], bool], sleep: Callable[[float], None]
) -> Callable[[EmbeddingProgress], None]:
    """Return what notes how far the embeddings are, for those who look."""

    def tell(progress: EmbeddingProgress) -> None:
        done = progress.done + progress.failed
        with db.transaction() as tx:
            store.tell_step(tx, backfill.id, AggressiveStep.EMBEDDINGS, done=done, total=max(done, progress.total))

    def note(progress: EmbeddingProgress) -> None:
        persistently(lambda: tell(progress), sleep)
        if not goes_on():
            raise KeyboardInterrupt

    return note
