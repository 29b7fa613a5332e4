"""Try again what went into the quarantine: read its items anew, store what can be stored now."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.by_number import read_by_number
from gh_backfill.engine.kind import Kind
from gh_backfill.engine.places import number_places
from gh_backfill.engine.refused import sift
from gh_backfill.errors import GitHubError, RateLimited
from gh_backfill.models.github import NodeId, NotFound, Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.items import CompleteItem, Slot
from gh_backfill.store import backfills, people
from gh_backfill.store import quarantine as entries
from gh_backfill.store.db import Database
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)

# A capture tries an item this often.  After that only a person tries it, with `gh-backfill retry --quarantined`.
MOST_ATTEMPTS = 5
WITHOUT_END = 2**31 - 1


# Items are read and stored in steps of this size, each in a transaction of its own: an error loses one step at most.
STEP = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Retried:
    """What became of the quarantine: items read again, entries closed, and items that still fail.

    `left` were not tried, because the time was up or the points were spent; `why` says which.
    """

    tried: int = 0
    resolved: int = 0
    remaining: int = 0
    gone: int = 0
    left: int = 0
    why: str | None = None

    def __add__(self, other: Retried) -> Retried:
        """Add what two steps did; what is left is the later one's word."""
        return Retried(
            tried=self.tried + other.tried,
            resolved=self.resolved + other.resolved,
            remaining=self.remaining + other.remaining,
            gone=self.gone + other.gone,
            left=other.left,
            why=other.why,
        )


def retry_quarantined(
    db: Database,
    graphql: GraphQL,
    kind: Kind,
    repository: TrackedRepository,
    *,
    most_attempts: int = WITHOUT_END,
    sleep: Callable[[float], None] = time.sleep,
    go_on: Callable[[Retried], bool] = lambda done: True,
) -> Retried:
    """Read again every item of a kind of which something is in the quarantine, and store what can be stored now.

    Those tried least come first, `STEP` at a time, each step stored by itself; before each, `go_on` hears what is done
    and may end it by False, and so does a budget that is spent.  An item that is gone on GitHub closes its entries.
     Raises what else `GraphQL.execute` raises.
    """
    done = Retried()
    if repository.node_id is None:
        return done
    with db.reading() as tx:
        places, numbers = entries.waiting(tx, repository.id, most_attempts=most_attempts, kind=kind.name)
    if places:
        with suppress(RateLimited):  # then so is the first step, which says so
            number_places(db, graphql, kind, repository, repository.node_id, places)
        with db.reading() as tx:
            numbers = entries.quarantined_numbers(tx, repository.id, most_attempts=most_attempts, kind=kind.name)
    for start in range(0, len(numbers), STEP):
        left = Retried(left=len(numbers) - start)
        if not go_on(done + left):
            return done + replace(left, why="the time limit is reached")
        try:
            done += _step(db, graphql, kind, repository, repository.node_id, numbers[start : start + STEP], sleep)
        except RateLimited as error:
            return done + replace(left, why=str(error))
        log.info(
            "%s: %s of %s %s of the quarantine are read again, %s still fail",
            repository.full_name,
            done.tried,
            len(numbers),
            kind.words,
            done.remaining,
        )
    return done


def retry_within(
    db: Database,
    graphql: GraphQL,
    kind: Kind,
    repository: TrackedRepository,
    sleep: Callable[[float], None],
    beat: Callable[[], bool],
) -> None:
    """Read again, within a capture, what has not failed too often; `beat` may end it by False.

    Where GitHub refuses, the quarantine waits for another time, and the capture goes on.
    """
    try:
        retried = retry_quarantined(
            db, graphql, kind, repository, most_attempts=MOST_ATTEMPTS, sleep=sleep, go_on=lambda done: beat()
        )
    except GitHubError as error:
        log.warning("%s: the quarantine is tried another time: %s", repository.full_name, error)
        return
    if retried.tried or retried.left:
        log.info(
            "%s: %s of %s in quarantine still fail, %s are left for another time%s",
            repository.full_name,
            retried.remaining,
            retried.tried,
            retried.left,
            f": {retried.why}" if retried.why else "",
        )


def _step(
    db: Database,
    graphql: GraphQL,
    kind: Kind,
    repository: TrackedRepository,
    node_id: NodeId,
    numbers: list[int],
    sleep: Callable[[float], None],
) -> Retried:
    slots, chunk = read_by_number(graphql, kind, node_id, numbers)
    gone = [number for number, slot in slots.items() if isinstance(slot, NotFound)]
    read = [slot for slot in slots.values() if isinstance(slot, Slot)]
    # An item is stored though a text of its own is altered; what is altered of its parts comes with the item.
    lost = [each for slot in read for each in slot.unreadable if slot.item is None or each.kind == kind.queries.item]
    sifted = sift(db, kind, repository, chunk)
    lost += sifted.refused
    refused = {each.number for each in lost}
    whole = [item.number for item in sifted.kept if not item.unreadable]
    failing = [number for number in numbers if number in refused or number not in {*whole, *gone}]
    resolved = persistently(lambda: _store(db, kind, repository, sifted.kept, lost, gone, failing), sleep)
    return Retried(tried=len(numbers), resolved=resolved, remaining=len(failing), gone=len(gone))


def _store(
    db: Database,
    kind: Kind,
    repository: TrackedRepository,
    kept: list[CompleteItem],
    lost: list[Unreadable],
    gone: list[int],
    failing: list[int],
) -> int:
    """Store what was read; what is refused or can't be read again is opened again.  Returns how many are closed."""
    read = [*(item.number for item in kept), *gone]
    with db.transaction() as tx:
        people.store_people(tx, kind.people(kept))
    with db.transaction() as tx:
        backfills.lock(tx, repository.id, kind.name)
        resolved = entries.resolve(tx, repository.id, read, kind=kind.name)
        written = kind.write(tx, repository, kept, lost)
        entries.count_attempt(tx, repository.id, failing, kind=kind.name)
        backfills.count_new(tx, repository.id, written.new, kind.name)
        return entries.closed(tx, resolved)
