"""A repository made ready for its capture: named as GitHub names it, its backfills open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import assert_never

from gh_backfill.clients import lookups
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.outcome import Before
from gh_backfill.errors import Gone, Unreachable
from gh_backfill.models.github import Repository, Unknown
from gh_backfill.models.work import PULL_REQUESTS, Goal, TrackedRepository
from gh_backfill.policy.goals import covers
from gh_backfill.policy.lifecycle import GIVEN_UP, BackfillStatus
from gh_backfill.policy.selection import Thresholds, lacks_much, needs_backfill
from gh_backfill.store import backfills, openings, recovery, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.openings import Standing
from gh_backfill.store.persist import persistently
from gh_backfill.store.pull_requests import sizes


def ready_for_capture(
    db: Database,
    graphql: GraphQL,
    repository: TrackedRepository,
    goal: Goal | None,
    kinds: Sequence[Kind],
    sleep: Callable[[float], None],
) -> TrackedRepository:
    """Learn the repository's node id if it is missing, and open its backfills if `plan` has not.

    Raises Unreachable where GitHub does not say what the repository is, and Gone where it does not show it.
    """
    repository, answer = identified(graphql, repository)
    persistently(lambda: _open(db, repository, answer, goal, kinds), sleep)
    return repository


def identified(graphql: GraphQL, repository: TrackedRepository) -> tuple[TrackedRepository, Repository | None]:
    """Return a repository with its node id, and what GitHub said of it where that was not known.

    Raises Unreachable where GitHub does not say what the repository is, and Gone where it does not show it.
    """
    if repository.node_id is not None:
        return repository, None
    match lookups.repositories_by_name(graphql, [(repository.owner, repository.name)])[0]:
        case Repository() as answer if answer.github_id == repository.github_id:
            return replace(repository, node_id=answer.node_id, total=answer.pull_requests), answer
        case Unknown(reason=reason):
            raise Unreachable(f"GitHub did not say what {repository.full_name} is, try again: {reason}")
        case _:
            raise Gone(f"GitHub does not show {repository.full_name} (deleted, made private, or another one by now)")


def unfinished_first(repository: TrackedRepository, names: Sequence[str]) -> list[str]:
    """Return kinds in the order of their capture: what is complete comes last, and spends what the others leave."""
    complete = {PULL_REQUESTS} if repository.status == BackfillStatus.COMPLETED else set[str]()
    complete |= {name for name in repository.kinds if name != PULL_REQUESTS and name not in repository.unfinished}
    return sorted(names, key=lambda name: name in complete)


def before_capture(db: Database, repository: TrackedRepository, kind: Kind) -> Before:
    """Return how far the items of a kind have come."""
    if kind.name != PULL_REQUESTS:
        with db.reading() as tx:
            state, aim = recovery.state(tx, repository.id, kind.name), backfills.aim(tx, repository.id, kind.name)
        return Before(captured=state.captured, total=state.total or 0, open_ended=aim.dated)
    with db.reading() as tx:
        mean, usual = sizes(tx, repository.id, repository.total or 0)
    return Before(
        captured=repository.captured,
        total=repository.total or 0,
        goal=repository.goal,
        open_ended=repository.open_ended,
        mean_size=mean,
        usual_page=usual,
    )


def open_backfill(tx: Transaction, repository: TrackedRepository, goal: Goal | None = None) -> None:
    """Make sure that the repository's backfill is active.

    One that goes on, or failed, keeps its place.  One that is finished reads what changed since then, unless so much is
    missing that the walk has to begin again.  Only a larger `goal` changes the one that it has.  What somebody else
    opened meanwhile is left to go on.
    """
    locked = openings.lock(tx, [repository.id])
    if let_go_on(tx, repository, locked.standings.get(repository.id), goal):
        recovery.set_going(tx, [repository.id], PULL_REQUESTS)


def let_go_on(
    tx: Transaction, repository: TrackedRepository, standing: Standing | None, goal: Goal | None = None
) -> bool:
    """Let a locked backfill go on, or open it; True where it stood still, and is to be set going."""
    total = repository.total or 0
    if standing is not None and goal is None:
        if standing.status is BackfillStatus.ACTIVE:
            return False
        if standing.status is not BackfillStatus.COMPLETED:
            return openings.resume(tx, repository.id, standing)
        if standing.can_catch_up and not needs_backfill(repository, Thresholds(more_than=0)):
            openings.catch_up(tx, repository.id, standing, total=total)
            return False
    backfills.open_backfill(tx, repository.id, total=total, goal=goal or repository.lasting_aim)
    return False


def open_other(tx: Transaction, repository: TrackedRepository, kind: str, goal: Goal | None = None) -> None:
    """Make sure that the backfill of another kind than pull requests is active: it goes on, begins, or catches up.

    One of which much is missing though its walk is over begins again.  What a person holds stays so, until its time has
    come.  A `goal` that asks for more than its own one is its goal from now on.
    """
    standing = openings.lock(tx, [repository.id], kind=kind).standings.get(repository.id)
    if standing is None:
        backfills.open_backfill(tx, repository.id, total=0, goal=goal or Goal(), kind=kind)
        return
    if standing.stays:
        return
    if goal is not None and not covers(standing.aim, goal):
        backfills.open_backfill(tx, repository.id, total=standing.total, goal=goal, kind=kind)
        return
    match standing.status:
        case BackfillStatus.ACTIVE:
            return
        case BackfillStatus.PAUSED | BackfillStatus.FAILED:
            if openings.resume(tx, repository.id, standing, kind):
                recovery.set_going(tx, [repository.id], kind)
        case BackfillStatus.COMPLETED:
            _again(tx, repository, standing, kind)
        case _:
            assert_never(standing.status)


def _again(tx: Transaction, repository: TrackedRepository, standing: Standing, kind: str) -> None:
    """Let a backfill that is complete catch up; one that lacks much of what is wanted in the end begins again."""
    wanted = standing.aim if repository.only_newest else Goal()
    lacking = lacks_much(standing.captured + standing.gaps, standing.total, Thresholds()) and wanted == Goal()
    if lacking or (not standing.can_catch_up and wanted != Goal()):
        backfills.open_backfill(tx, repository.id, total=standing.total, goal=wanted, kind=kind)
    elif standing.can_catch_up:
        openings.catch_up(tx, repository.id, standing, total=standing.total, kind=kind)


def _open(
    db: Database,
    repository: TrackedRepository,
    answer: Repository | None,
    goal: Goal | None,
    kinds: Sequence[Kind],
) -> None:
    with db.transaction() as tx:
        if answer is not None:
            repositories.store(tx, [answer])
        for kind in kinds:
            if kind.name != PULL_REQUESTS:
                open_other(tx, repository, kind.name, of_any_kind(goal))
            elif _opens(repository, aim := _more(repository, goal)):
                open_backfill(tx, repository, aim)


def of_any_kind(goal: Goal | None) -> Goal | None:
    """Return a goal that items of each kind can have: a span of time; None where it says more, or nothing."""
    whole = goal is not None and goal.max_items is None and not goal.states
    return goal if whole else None


def _more(repository: TrackedRepository, goal: Goal | None) -> Goal | None:
    """Return a goal of pull requests that asks for more than their own one; None where it does not."""
    return None if goal is not None and repository.has_stream and covers(repository.aim, goal) else goal


def _opens(repository: TrackedRepository, goal: Goal | None) -> bool:
    """Say whether the backfill of pull requests is to be opened: what a person gave up stays so."""
    if repository.held and repository.held_reason in GIVEN_UP:
        return False
    return repository.status != BackfillStatus.ACTIVE or not repository.has_stream or goal is not None
