"""Try again what went into the quarantine: read its pull requests anew, store what can be stored now."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import TooBig
from gh_backfill.models import CompletePullRequest, NodeId, TrackedRepository, Unreadable
from gh_backfill.policy.completeness import Gathering
from gh_backfill.policy.wants import Slot
from gh_backfill.store import backfills, items, people
from gh_backfill.store.db import Database
from gh_backfill.tasks.fetch import complete
from gh_backfill.tasks.persist import persistently
from gh_backfill.tasks.refused import sift

# What failed so often by itself waits for a person, who may ask for it with `gh-backfill retry --quarantined`.
MOST_ATTEMPTS = 5
WITHOUT_END = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Retried:
    """What became of the quarantine: pull requests read again, entries closed, and pull requests that still fail."""

    tried: int = 0
    resolved: int = 0
    remaining: int = 0
    gone: int = 0


def retry_quarantined(
    db: Database,
    graphql: GraphQL,
    repository: TrackedRepository,
    *,
    most_attempts: int = WITHOUT_END,
    sleep: Callable[[float], None] = time.sleep,
) -> Retried:
    """Read again every pull request of which something is in the quarantine, and store what can be stored now.

    A pull request that is gone on GitHub closes its entries.  Raises what `GraphQL.execute` raises.
    """
    with db.transaction(read_only=True) as tx:
        numbers = items.quarantined_numbers(tx, repository.id, most_attempts=most_attempts)
    if not numbers or repository.node_id is None:
        return Retried()
    slots, chunk = _read(graphql, repository.node_id, numbers)
    gone = [number for number, slot in slots.items() if slot is None]
    lost = [each for slot in slots.values() if slot is not None and slot.item is None for each in slot.unreadable]
    kept, refused = _admissible(db, repository, chunk)
    closed = [*_whole(kept), *gone]
    failing = [number for number in numbers if number not in closed]
    resolved = persistently(lambda: _store(db, repository, kept, [*lost, *refused], closed, failing), sleep)
    return Retried(tried=len(numbers), resolved=resolved, remaining=len(failing), gone=len(gone))


def _read(
    graphql: GraphQL, node_id: NodeId, numbers: list[int]
) -> tuple[dict[int, Slot | None], list[CompletePullRequest]]:
    """Read pull requests by their numbers, each alone where together they are too much."""
    try:
        slots, _ = github.by_number(graphql, node_id, numbers)
        gatherings = [Gathering(slot.item) for slot in slots.values() if slot is not None and slot.item is not None]
        complete(graphql, gatherings)
    except TooBig:
        if len(numbers) == 1:
            return {numbers[0]: Slot(after=None, item=None, unreadable=())}, []
        half = len(numbers) // 2
        first, second = (_read(graphql, node_id, part) for part in (numbers[:half], numbers[half:]))
        return first[0] | second[0], first[1] + second[1]
    return slots, [gathering.complete() for gathering in gatherings]


def _admissible(
    db: Database, repository: TrackedRepository, chunk: list[CompletePullRequest]
) -> tuple[list[CompletePullRequest], list[Unreadable]]:
    found = sift(db, repository, chunk)
    return found.kept, found.refused


def _whole(chunk: list[CompletePullRequest]) -> list[int]:
    """Return the numbers of the pull requests of which nothing is missing any more."""
    return [item.pull_request.number for item in chunk if not item.unreadable]


def _store(
    db: Database,
    repository: TrackedRepository,
    kept: list[CompletePullRequest],
    lost: list[Unreadable],
    closed: list[int],
    failing: list[int],
) -> int:
    with db.transaction() as tx:
        people.settle(tx, people.people_of(kept))
    with db.transaction() as tx:
        backfills.lock(tx, repository.id)
        resolved = items.resolve(tx, repository.id, closed)
        items.count_attempt(tx, repository.id, failing)
        written = items.write(tx, repository, kept, lost, items.vocabulary(tx))
        backfills.count_new(tx, repository.id, written.new_pull_requests)
    return resolved
