"""Batches: repositories that were added together, how far the initial backfill of each is, and cancel and retry."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from uuid import uuid4

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.work import Goal
from gh_backfill.policy.estimate import Estimate, side_by_side
from gh_backfill.policy.initial import LANES, InitialStatus, Wish, goal_of, wish_from
from gh_backfill.policy.progress import within
from gh_backfill.store import backfill_batches, repositories
from gh_backfill.store.backfill_batches import StoredBatch
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database, Row, Transaction
from gh_backfill.tasks import operate, track
from gh_backfill.tasks.estimate import budget, estimates
from gh_backfill.tasks.given_names import NameOf
from gh_backfill.tasks.initial.members import Member, member
from gh_backfill.tasks.initial.proposals import size_of
from gh_backfill.tasks.operate import Operated
from gh_backfill.tasks.track import Result, Tracked

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Repositories that were added together; `left` is what their backfills still take."""

    id: str
    created_at: datetime
    created_by: str | None
    backfill: bool
    wish: Wish
    members: tuple[Member, ...]
    left: Estimate | None = None

    @property
    def added(self) -> list[Member]:
        """Return those that are on the list now and were not before."""
        return [each for each in self.members if each.result in (Result.ADDED, Result.RENAMED)]

    @property
    def raised(self) -> list[Member]:
        """Return those that were here, and go on to a larger goal."""
        return [each for each in self.members if each.result is Result.RAISED]

    @property
    def skipped(self) -> list[Member]:
        """Return those of which nothing more is wanted: they were on the list before, or were named twice."""
        taken = [*self.added, *self.raised]
        return [each for each in self.members if not each.failed and each not in taken]

    @property
    def failed(self) -> list[Member]:
        """Return the names that could not be added."""
        return [each for each in self.members if each.failed]

    @property
    def captures(self) -> list[Member]:
        """Return those that have an initial backfill, each repository once."""
        return [each for each in self.members if each.status is not None and each.result is not Result.DUPLICATE]

    @property
    def done(self) -> int:
        """Return how many initial backfills are over."""
        return sum(each.over for each in self.captures)


def begin(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    wish: Wish,
    *,
    name_of: NameOf,
    actor: Actor,
    now: datetime,
    backfill: bool = True,
) -> Batch:
    """Track the names and, with `backfill`, open the initial backfill of each; who captures comes after it.

    Raises what `track.ask` raises, and as `track.raise_failures` does where none of the names can be tracked; then
    nothing is written.
    """
    asked = track.ask(graphql, names, name_of=name_of)
    if all(each.failed for each in asked):
        track.raise_failures(asked)
    opening = opening_of(wish, now, larger=True) if backfill else None
    kept = KeptBatch(wish=wish, backfill=backfill, actor=actor, now=now)
    track.register(db, asked, opening=opening, actor=actor, priority=wish.priority, keep=kept)
    assert kept.batch is not None  # some name leads to a repository
    return _shown(db, kept.batch, now)


def opening_of(wish: Wish, now: datetime, *, larger: bool) -> track.FirstBackfill:
    """Return what is opened of repositories for a wish; `larger` also raises the goals of those that are here."""
    return track.FirstBackfill(
        goal_of=lambda repository: goal_of(wish, size_of(repository), now),
        larger=larger,
        only_newest=True if wish.only_newest else None,
        initial=True,
    )


@dataclass(kw_only=True, slots=True)
class KeptBatch:
    """Keeps what was added together, in the transaction that adds it, so that pages and commands show it as one."""

    wish: Wish
    backfill: bool
    actor: Actor
    now: datetime
    batch: StoredBatch | None = None

    def __call__(self, tx: Transaction, done: Sequence[Tracked]) -> None:
        """Store the batch."""
        self.batch = StoredBatch(
            id=str(uuid4()),
            created_at=self.now,
            created_by=self.actor.who,
            backfill=self.backfill,
            wish={key: _plain(value) for key, value in asdict(self.wish).items()},
            members=[_stored_member(each, self.wish, self.now) for each in done],
        )
        backfill_batches.record(tx, self.batch)


def find(db: Database, batch_id: str, now: datetime) -> Batch | None:
    """Return a batch as it stands; None where there is none of that id."""
    if not _UUID.fullmatch(batch_id):
        return None
    with db.reading() as tx:
        stored = backfill_batches.find(tx, batch_id)
    return None if stored is None else _shown(db, stored, now)


def latest(db: Database, now: datetime) -> Batch | None:
    """Return the last batch as it stands; None where there never was one."""
    found = recent(db, 1, now)
    return found[0] if found else None


def recent(db: Database, most: int, now: datetime) -> list[Batch]:
    """Return the last batches as they stand, the newest first."""
    with db.reading() as tx:
        stored = backfill_batches.last(tx, most=most)
    return [_shown(db, each, now) for each in stored]


def cancel(
    db: Database, batch_id: str, repository_ids: Sequence[str] | None, *, actor: Actor, now: datetime
) -> list[Operated]:
    """Cancel what is not over of a batch, or these repositories of it; rows stay, and what is over stays as it is."""
    fitting, others = _chosen(db, batch_id, repository_ids, now, lambda each: not each.over)
    return (operate.cancel(db, fitting, actor=actor) if fitting else []) + others


def retry(
    db: Database, batch_id: str, repository_ids: Sequence[str] | None, *, actor: Actor, now: datetime
) -> list[Operated]:
    """Let what failed of a batch go on where it was, or these repositories of it that failed or were cancelled.

    What somebody untracked since is refused.
    """
    wanted = (InitialStatus.FAILED, InitialStatus.CANCELLED) if repository_ids is not None else (InitialStatus.FAILED,)
    fitting, others = _chosen(db, batch_id, repository_ids, now, lambda each: each.status in wanted)
    return (operate.resume(db, fitting, actor=actor, untracked=False) if fitting else []) + others


def _chosen(
    db: Database,
    batch_id: str,
    repository_ids: Sequence[str] | None,
    now: datetime,
    fits: Callable[[Member], bool],
) -> tuple[list[str], list[Operated]]:
    """Return the repositories of a batch that are meant, and what is said of those that were chosen and do not fit.

    Raises ConfigurationError for what is none of the batch.
    """
    batch = find(db, batch_id, now)
    if batch is None:
        raise ConfigurationError(f"there is no batch {batch_id[:40]}")
    members = {each.repository_id: each for each in batch.members if each.repository_id is not None}
    strangers = [each for each in repository_ids or () if each not in members]
    if strangers:
        raise ConfigurationError(f"not of this batch: {', '.join(each[:40] for each in strangers)}")
    chosen = members if repository_ids is None else {each: members[each] for each in repository_ids}
    others = [
        Operated(given=id_, repository_id=id_, result=f"its initial backfill is {each.status}", failed=True)
        for id_, each in chosen.items()
        if repository_ids is not None and not fits(each)
    ]
    return [id_ for id_, each in chosen.items() if fits(each)], others


def _stored_member(each: Tracked, wish: Wish, now: datetime) -> Row:
    found = each.repository
    goal = Goal() if found is None else goal_of(wish, size_of(found), now)
    return {
        "given": each.given,
        "result": each.result,
        "reason": each.reason,
        "text": each.text,
        "repository_id": each.repository_id,
        "wanted": None if found is None or goal.filtered else within(found.pull_requests, goal.max_items),
    }


def _shown(db: Database, stored: StoredBatch, now: datetime) -> Batch:
    ids = list(dict.fromkeys(each["repository_id"] for each in stored.members if each["repository_id"] is not None))
    with db.reading() as tx:
        states = {each.id: each for each in repositories.status(tx, ids)} if ids else {}
    members = tuple(member(each, states.get(each["repository_id"])) for each in stored.members)
    going = [each.repository_id for each in members if each.repository_id is not None and not each.over]
    left = list(estimates(db, going, now=now).values()) if going else []
    return Batch(
        id=stored.id,
        created_at=stored.created_at,
        created_by=stored.created_by,
        backfill=stored.backfill,
        wish=wish_from(stored.wish),
        members=members,
        left=side_by_side(left, budget(db, now=now), lanes=LANES) if left else None,
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else list(value) if isinstance(value, tuple) else value
