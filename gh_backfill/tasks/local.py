"""The whole job on one machine: track, plan, several captures at once as the matrix would, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine import processes
from gh_backfill.engine.recover import recover
from gh_backfill.models.work import Goal, TrackedRepository
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.selection import PlanReason, Thresholds, Verdict
from gh_backfill.settings import Settings
from gh_backfill.store import chunks, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.repositories import Status
from gh_backfill.tasks import children, connect, up_to_date
from gh_backfill.tasks.captures import Lanes, side_by_side
from gh_backfill.tasks.children import Child
from gh_backfill.tasks.plan import Plan, plan
from gh_backfill.tasks.report.report import Report, report
from gh_backfill.tasks.scene import Look, Scene
from gh_backfill.tasks.track import Tracked, raise_failures, track
from gh_backfill.tasks.verify import sweep
from gh_backfill.tasks.verify.verify import Verified

# What a run completed is proven at once, as far as that takes no longer.
TIME_TO_PROVE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalRun:
    """What a run on this machine did; `folder` holds the embedded database, None where another one is configured.

    `standing` says of each repository that was named, and is not captured now, why not and until when; `proven` are the
    certificates of what is complete.
    """

    tracked: Sequence[Tracked]
    plan: Plan
    report: Report | None
    states: Sequence[Status]
    folder: Path | None
    log: Path | None
    standing: Sequence[str]
    proven: Sequence[Verified] = ()


def run(
    settings: Settings,
    names: Sequence[str],
    *,
    goal: Goal,
    larger: bool = False,
    workers: int,
    show: Callable[[Scene], None],
    say: Callable[[str], None],
) -> LocalRun:
    """Do the whole job; returns when every capture has ended.  Raises ConfigurationError before anything is written."""
    run_settings = settings.model_copy(update={"run_key": connect.this_run(settings).key})
    with (
        connect.github(settings) as graphql,
        connect.database_url(settings) as url,
        Database(url) as db,
        connect.sharing(graphql, db),
    ):
        up_to_date.prepare(db, settings)
        name_of = connect.name_of(settings)
        tracked = track(db, graphql, names, name_of=name_of, backfill=goal, larger=larger) if names else []
        asked = [each.repository_id for each in tracked if each.repository_id is not None]
        for each in tracked:
            say(f"{each.given}: {each.text}")
        if names and not asked:
            raise_failures(tracked)
        recover(db, asked or None)
        made = plan(
            db,
            graphql,
            connect.this_run(run_settings),
            datetime.now(UTC),
            asked=list(dict.fromkeys(asked)),
            thresholds=Thresholds(more_than=settings.minimum_pull_requests, below_percent=settings.complete_percent),
            limit=settings.plan_limit,
            per_part=settings.per_part,
            patience=None,  # captures on this machine wait as long as it takes
        )
        standing = [_standing(db, each) for each in made.verdicts if asked and not each.chosen]
        done, written = None, None
        proven: Sequence[Verified] = ()
        if made.chosen:
            written = children.new_log(settings.data_folder / "logs", run_settings.run_key or "")
            _capture_all(db, run_settings, made, written, workers, show, say)
            proven = _verified(db, graphql, run_settings, made)
            done = persistently(lambda: report(db, run_settings.run_key), time.sleep)
        states = persistently(lambda: _states(db, asked or None), time.sleep)
    return LocalRun(
        tracked=tracked,
        plan=made,
        report=done,
        states=states,
        folder=connect.embedded_folder(settings) if settings.database_url is None else None,
        log=written,
        standing=standing,
        proven=proven,
    )


def _verified(db: Database, graphql: GraphQL, settings: Settings, made: Plan) -> Sequence[Verified]:
    """Prove what this run completed, within its share of the points and a few minutes; a sweep brings what is left."""
    until = datetime.now(UTC) + TIME_TO_PROVE
    run = connect.this_run(settings)
    ids = {each.id for each in made.chosen if each.left or each.status != BackfillStatus.COMPLETED}
    return list(sweep.sweep(db, graphql, run, only=ids, until=until)) if ids else ()


def _capture_all(
    db: Database,
    settings: Settings,
    made: Plan,
    written: Path,
    workers: int,
    show: Callable[[Scene], None],
    say: Callable[[str], None],
) -> None:
    """Keep up to `workers` captures going until all are done."""
    waiting = list(reversed(made.entries))
    look = Look(db, [each.id for each in made.chosen])

    def take(_: Sequence[Child]) -> tuple[TrackedRepository, int | None] | None:
        if not waiting:
            return None
        verdict, part = waiting.pop()
        return verdict.repository, part

    def seen(running: Sequence[Child]) -> None:
        look.show([child.repository_id for child in running], show)

    side_by_side(db, Lanes(settings=settings, log=written, workers=workers, look=seen, say=say), take)


def _states(db: Database, ids: Sequence[str] | None) -> Sequence[Status]:
    with db.reading() as tx:
        return repositories.status(tx, ids, spent=True)


def _standing(db: Database, verdict: Verdict) -> str:
    """Say why a repository that was named is not captured now, by whom it is held and until when."""
    name = verdict.repository.full_name
    with db.reading() as tx:
        still = chunks.why_no_claim(tx, verdict.repository.id)
    if verdict.why is not PlanReason.RUNNING:
        return f"{name}: {verdict.why}"
    until = f" until {still.lease_until.astimezone(UTC):%H:%M:%S} UTC, or longer" if still.lease_until else ""
    return (
        f"{name}: held by {processes.shown(still.claimed_by)}{until}; if that is not at work any more: "
        f"gh-backfill recover {name} --all"
    )
