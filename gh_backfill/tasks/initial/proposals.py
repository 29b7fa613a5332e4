"""Proposals to add repositories: what GitHub says of each name, and what it would cost; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.github import Repository
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy import governor
from gh_backfill.policy.estimate import Estimate, RemainingWork, begun, duration, estimate, side_by_side
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.initial import LANES, Size, Wish, goal_of
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import within
from gh_backfill.store import repositories
from gh_backfill.store.db import Database
from gh_backfill.tasks.estimate import budget
from gh_backfill.tasks.given_names import NameOf
from gh_backfill.tasks.track import LookUp, Result, Tracked, ask


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """One name that was given, and what GitHub and the database know of it.

    `reason` is why GitHub did not say anything of it, and may when it is `passing`.  `total` is how many pull requests
    GitHub counts, `wanted` how many the backfill would bring; `tracked` says that it is on the list already, and
    `captured` how many are here.
    """

    given: str
    result: Result
    text: str
    failed: bool
    reason: str = ""
    passing: bool = False
    full_name: str | None = None
    is_private: bool = False
    total: int | None = None
    wanted: int | None = None
    tracked: bool = False
    captured: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchEstimate:
    """What the backfills of so many repositories would take, five at a time; `left` of `limit` points are there now.

    `reserve` of them stay untouched.
    """

    repositories: int
    pull_requests: int
    points: int
    seconds: float
    left: int
    limit: int
    reserve: int
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposed:
    """What became of each name, in their order, and the estimate; None where nothing would be captured."""

    proposals: tuple[Proposal, ...]
    estimate: BatchEstimate | None

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return asdict(self)


def size_of(repository: Repository) -> Size:
    """Return what decides about the goal of a repository."""
    return Size(total=repository.pull_requests, created_at=repository.created_at, pushed_at=repository.pushed_at)


def propose(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    wish: Wish,
    *,
    name_of: NameOf,
    look_up: LookUp | None = None,
    now: datetime,
) -> Proposed:
    """Ask GitHub about the names, many in one query.  Raises as `track.ask` does."""
    asked = ask(graphql, names, name_of=name_of, look_up=look_up)
    here = _here(db, asked)
    proposals = tuple(_proposal(each, here, wish, now) for each in asked)
    standing = budget(db, now=now)
    if graphql.budget is not None:
        standing = governor.standing(graphql.budget, now)
    wanted = [each.wanted for each in proposals if each.wanted is not None]
    return Proposed(
        proposals=proposals, estimate=estimated(wanted, standing, narrowed=wish.narrowed) if wanted else None
    )


def estimate_of(graphql: GraphQL, found: Sequence[Repository], wish: Wish, now: datetime) -> BatchEstimate | None:
    """Estimate the backfills of these repositories without a database; None where there are none."""
    wanted = [within(each.pull_requests, goal_of(wish, size_of(each), now).max_items) for each in found]
    if not wanted:
        return None
    known = graphql.budget
    standing = governor.unknown("", now) if known is None else governor.standing(known, now)
    return estimated(wanted, standing, narrowed=wish.narrowed)


def estimated(wanted: Sequence[int], standing: BudgetState, *, narrowed: bool = False) -> BatchEstimate:
    """Estimate backfills of so many pull requests each, by the price list.

    Where a span of time or states are wanted (`narrowed`), nobody knows before how many that are: these are the most.
    """
    works = [begun(estimate(RemainingWork(left=each), standing)) for each in wanted]
    together = side_by_side(works, standing, lanes=LANES)
    reserve = governor.reserve(standing.limit)
    return BatchEstimate(
        repositories=len(works),
        pull_requests=together.pull_requests,
        points=together.points,
        seconds=together.seconds,
        left=standing.left,
        limit=standing.limit,
        reserve=reserve,
        text=_text(together, standing, reserve, lanes=min(LANES, len(works)), narrowed=narrowed),
    )


def _text(together: Estimate, standing: BudgetState, reserve: int, *, lanes: int, narrowed: bool) -> str:
    wait = f", {duration(together.waiting)} of it waiting for new points" if together.waiting >= 1 else ""
    beside = f", {'five' if lanes == LANES else lanes} at a time" if lanes > 1 else ""
    return (
        f"{'At most' if narrowed else 'About'} {counted(together.points, 'point')} "
        f"and {duration(together.seconds)}{wait}{beside}. "
        f"{counted(standing.left, 'point')} are left this hour; the reserve of {reserve:,} stays untouched."
    )


def _here(db: Database, asked: Sequence[Tracked]) -> Mapping[int, TrackedRepository]:
    """Return what of these is here, by GitHub's id."""
    ids = [str(each.repository.github_id) for each in asked if each.repository is not None]
    if not ids:
        return {}
    with db.reading() as tx:
        known = [each.id for each in repositories.find(tx, ids).values() if each is not None]
        found = repositories.candidates(tx, asked=known) if known else []
    return {each.github_id: each for each in found if each.id in known}


def _proposal(each: Tracked, here: Mapping[int, TrackedRepository], wish: Wish, now: datetime) -> Proposal:
    found = each.repository
    if found is None:
        return Proposal(
            given=each.given,
            result=each.result,
            text=each.text,
            failed=each.failed,
            reason=each.reason or "",
            passing=each.passing,
        )
    known = here.get(found.github_id)
    tracked = known is not None and known.tracked_at is not None
    if tracked and each.result is not Result.DUPLICATE:
        each = replace(each, result=Result.KNOWN)
    goal = goal_of(wish, size_of(found), now)
    fresh = each.result is not Result.DUPLICATE and (known is None or not known.has_stream)
    return Proposal(
        given=each.given,
        result=each.result,
        text=each.text,
        failed=each.failed,
        full_name=found.full_name,
        is_private=found.is_private,
        total=found.pull_requests,
        wanted=within(found.pull_requests, goal.max_items) if fresh else None,
        tracked=tracked,
        captured=None if known is None else known.captured,
    )
