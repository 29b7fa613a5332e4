"""The preview of a run on this machine, from what is stored, GitHub's counts and the budget; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from gh_backfill.errors import EmptyDatabase
from gh_backfill.models.work import Goal, TrackedRepository
from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, RemainingWork, estimate
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.selection import Thresholds
from gh_backfill.settings import Settings
from gh_backfill.store import repositories
from gh_backfill.store.db import Database
from gh_backfill.tasks import connect
from gh_backfill.tasks.estimate import budget, estimates
from gh_backfill.tasks.plan import Plan, plan
from gh_backfill.tasks.track import Tracked, ask


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """One name that was given: how many pull requests of it are here, and what is left; None if nothing is."""

    tracked: Tracked
    stored: int = 0
    left: Estimate | None = None


def of_names(settings: Settings, names: Sequence[str], goal: Goal) -> list[Foreseen]:
    """Say what a run would capture of these repositories; there need not be a database yet."""
    with connect.github(settings) as graphql:
        found = ask(graphql, names, name_of=connect.name_of(settings))
    ids = [str(each.repository.github_id) for each in found if each.repository is not None]
    here: Mapping[int, TrackedRepository] = {}
    left: Mapping[str, Estimate] = {}
    standing = governor.unknown("", datetime.now(UTC))
    try:
        with connect.database(settings, writing=False) as db:
            here = _here(db, ids)
            left = estimates(db, [each.id for each in here.values()])
            standing = budget(db)
    except EmptyDatabase:
        pass
    return [_preview(each, here, left, standing, goal) for each in found]


def of_plan(settings: Settings) -> tuple[Plan, Mapping[str, Estimate]]:
    """Return the plan of a run without names, and what is left of each repository by our id."""
    with connect.github(settings) as graphql, connect.database(settings, writing=False) as db:
        made = plan(
            db,
            graphql,
            connect.this_run(settings),
            datetime.now(UTC),
            thresholds=Thresholds(more_than=settings.minimum_pull_requests, below_percent=settings.complete_percent),
            limit=settings.plan_limit,
            per_part=settings.per_part,
            dry_run=True,
        )
        return made, estimates(db, [each.repository.id for each in made.verdicts])


def _here(db: Database, github_ids: Sequence[str]) -> dict[int, TrackedRepository]:
    with db.reading() as tx:
        ids = [each.id for each in repositories.find(tx, github_ids).values() if each is not None]
        return {each.github_id: each for each in repositories.candidates(tx, asked=ids) if each.id in ids}


def _preview(
    tracked: Tracked,
    here: Mapping[int, TrackedRepository],
    left: Mapping[str, Estimate],
    standing: BudgetState,
    goal: Goal,
) -> Foreseen:
    found = tracked.repository
    if found is None:
        return Foreseen(tracked=tracked)
    known = here.get(found.github_id)
    stored = known.captured if known else 0
    total = found.pull_requests if goal.max_items is None else min(found.pull_requests, goal.max_items)
    if total <= stored:
        return Foreseen(tracked=tracked, stored=stored)
    measured = left.get(known.id) if known and goal.max_items is None else None
    return Foreseen(
        tracked=tracked, stored=stored, left=measured or estimate(RemainingWork(left=total - stored), standing)
    )
