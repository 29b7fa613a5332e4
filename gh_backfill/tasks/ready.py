"""A repository made ready for its capture: named as GitHub names it, its backfills open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from gh_backfill.clients import lookups
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.outcome import Before
from gh_backfill.errors import Gone, Unreachable
from gh_backfill.models.github import Repository, Unknown
from gh_backfill.models.work import PULL_REQUESTS, Goal, TrackedRepository
from gh_backfill.policy.lifecycle import GIVEN_UP, BackfillStatus
from gh_backfill.store import recovery, repositories
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently
from gh_backfill.store.pull_requests import mean_size
from gh_backfill.tasks.plan import open_backfill, open_other


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
    answer: Repository | None = None
    if repository.node_id is None:
        match lookups.repositories_by_name(graphql, [(repository.owner, repository.name)])[0]:
            case Repository() as answer if answer.github_id == repository.github_id:
                repository = replace(repository, node_id=answer.node_id, total=answer.pull_requests)
            case Unknown(reason=reason):
                raise Unreachable(f"GitHub did not say what {repository.full_name} is, try again: {reason}")
            case _:
                raise Gone(
                    f"GitHub does not show {repository.full_name} (deleted, made private, or another one by now)"
                )
    persistently(lambda: _open(db, repository, answer, goal, kinds), sleep)
    return repository


def before_capture(db: Database, repository: TrackedRepository, kind: Kind) -> Before:
    """Return how far the items of a kind have come."""
    if kind.name != PULL_REQUESTS:
        with db.reading() as tx:
            state = recovery.state(tx, repository.id, kind.name)
        return Before(captured=state.captured, total=state.total or 0)
    with db.reading() as tx:
        mean = mean_size(tx, repository.id)
    return Before(captured=repository.captured, total=repository.total or 0, goal=repository.goal, mean_size=mean)


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
                open_other(tx, repository, kind.name)
            elif _opens(repository, goal):
                open_backfill(tx, repository, goal)


def _opens(repository: TrackedRepository, goal: Goal | None) -> bool:
    """Say whether the backfill of pull requests is to be opened: what a person gave up stays so."""
    if repository.held and repository.held_reason in GIVEN_UP:
        return False
    return repository.status != BackfillStatus.ACTIVE or not repository.has_stream or goal is not None
