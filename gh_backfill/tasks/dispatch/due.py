"""Ask about everything that is due, many repositories in one query: what changed gets a job, the rest moves on."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from gh_backfill import hidden
from gh_backfill.clients import heads
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.heads import HeadsTold, HeadsWanted
from gh_backfill.errors import RateLimited
from gh_backfill.models.events import StarsAndForks
from gh_backfill.models.github import Named, NotFound, Unknown
from gh_backfill.models.heads import Head, Updates
from gh_backfill.models.work import PULL_REQUESTS
from gh_backfill.policy import schedule
from gh_backfill.policy.heads import Changed, Unchanged, judge, since
from gh_backfill.policy.schedule import Pace
from gh_backfill.policy.syncing import DAYS_BESIDE_A_BACKFILL, DEFAULT_DAYS
from gh_backfill.store import dues, events, privacy, repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.dues import Due
from gh_backfill.store.persist import persistently

GONE = "GitHub does not show it any more (deleted, made private, or not for this token)"


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedDues:
    """What became of what was due: unchanged, changed (each has a job now), unknown and why, or not asked about.

    `since` is when the longest of them was due; `limited` says why GitHub was not asked about the last ones.
    """

    unchanged: int = 0
    changed: tuple[Due, ...] = ()
    unknown: tuple[tuple[Due, str], ...] = ()
    not_asked: int = 0
    since: datetime | None = None
    limited: str | None = None
    points: int = 0

    @property
    def due(self) -> int:
        """Return how many were due."""
        return self.unchanged + len(self.changed) + len(self.unknown) + self.not_asked


@dataclass(kw_only=True, slots=True)
class _Sorted:
    """What is to be written of each."""

    unchanged: list[tuple[Due, datetime, datetime]] = field(default_factory=list)
    changed: list[tuple[Due, int, str, Mapping[str, int]]] = field(default_factory=list)
    unknown: list[tuple[Due, str, datetime]] = field(default_factory=list)
    gone: list[Due] = field(default_factory=list)
    later: list[Due] = field(default_factory=list)
    news: list[tuple[Due, Updates]] = field(default_factory=list)
    counted: list[tuple[str, StarsAndForks, datetime]] = field(default_factory=list)


def ask(
    db: Database,
    graphql: GraphQL,
    *,
    kinds: Sequence[str] = (PULL_REQUESTS,),
    pace: Pace | None = None,
    most: int = dues.MOST,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> AskedDues:
    """Take everything that is due, ask for the newest updates of all, and write what follows from them.

    What did not change costs no job and no row: its checkpoint and its next time move.  Whatever GitHub is not asked
    about stays due since when it was.  Raises what concerns all repositories, but RateLimited.
    """
    taken = persistently(lambda: _take(db, kinds, most), sleep)
    if not taken:
        return AskedDues()
    before = graphql.spent.points
    try:
        told = _told(graphql, taken)
    except BaseException:
        persistently(lambda: _give_back(db, taken), sleep)
        raise
    sorted_ = _judged(db, taken, told, pace or Pace(), now())
    persistently(lambda: _write(db, sorted_), sleep)
    return AskedDues(
        unchanged=len(sorted_.unchanged),
        changed=tuple(due for due, *_ in sorted_.changed),
        unknown=tuple((due, reason) for due, reason, _ in sorted_.unknown),
        not_asked=len(sorted_.later),
        since=taken[0].due_since,
        limited=None if told.limited is None else str(told.limited),
        points=graphql.spent.points - before,
    )


def _take(db: Database, kinds: Sequence[str], most: int) -> list[Due]:
    with db.transaction() as tx:
        return dues.take(tx, kinds=kinds, most=most)


def _give_back(db: Database, taken: Sequence[Due]) -> None:
    with db.transaction() as tx:
        dues.give_back(tx, taken)


def _told(graphql: GraphQL, taken: Sequence[Due]) -> HeadsTold:
    try:
        return heads.read(graphql, [HeadsWanted(repository=each.node_id, kinds=each.kinds) for each in taken])
    except RateLimited as error:
        return HeadsTold(answers=tuple(Unknown(reason=str(error), passing=True) for _ in taken), limited=error)


def _judged(db: Database, taken: Sequence[Due], told: HeadsTold, pace: Pace, now: datetime) -> _Sorted:
    """Decide what becomes of each, by what GitHub told and by what is stored."""
    shown = [(due, each) for due, each in zip(taken, told.answers, strict=True) if isinstance(each, Updates)]
    new: dict[str, Mapping[str, Sequence[Head]]] = {
        due.id: {kind: since(newest, due.checkpoints.get(kind)) for kind, newest in each.newest.items()}
        for due, each in shown
    }
    with db.reading() as tx:
        missing = dues.missing(tx, new)
    found = _Sorted()
    for due, each in zip(taken, told.answers, strict=True):
        every = schedule.interval(due.frequency, pace)
        if isinstance(each, Updates):
            _take_updates(found, due, each, missing.get(due.id, {}), every, now)
        else:
            _take_silence(found, due, each, every, now, limited=told.limited is not None)
    return found


def _take_updates(
    found: _Sorted,
    due: Due,
    updates: Updates,
    missing: Mapping[str, Sequence[Head]],
    every: timedelta,
    now: datetime,
) -> None:
    if _is_news(due, updates):
        found.news.append((due, updates))
    if updates.counted is not None:
        found.counted.append((due.id, updates.counted, updates.at))
    match judge(updates, due.checkpoints, missing):
        case Unchanged(at=at):
            found.unchanged.append((due, at, schedule.after_success(now, every)))
        case Changed() as changed:
            found.changed.append((due, _days(due, now), changed.words, changed.items))


def _take_silence(
    found: _Sorted, due: Due, each: Named[Updates], every: timedelta, now: datetime, *, limited: bool
) -> None:
    next_due = schedule.after_failure(now, every, due.failures + 1)
    match each:
        case Unknown(passing=True) if limited:
            found.later.append(due)
        case Unknown(reason=reason):
            found.unknown.append((due, reason, next_due))
        case NotFound():
            found.gone.append(due)
            found.unknown.append((due, GONE, next_due))


def _days(due: Due, now: datetime) -> int:
    """Return how many days its sync reads."""
    if due.backfilling:
        return DAYS_BESIDE_A_BACKFILL
    known = [due.checkpoints[kind] for kind in due.kinds if kind in due.checkpoints]
    if len(known) < len(due.kinds):
        return DEFAULT_DAYS
    return max(1, math.ceil((now - min(known)) / timedelta(days=1)))


def _is_news(due: Due, updates: Updates) -> bool:
    """Say whether GitHub calls a repository otherwise than we do, or counts other pull requests; the name is hidden."""
    hidden.repository(updates.full_name, due.id, is_private=updates.is_private)
    told = (updates.full_name, updates.is_private, _total(updates, due.total))
    return told != (due.full_name, due.is_private, due.total)


def _total(updates: Updates, known: int | None) -> int | None:
    newest = updates.newest.get(PULL_REQUESTS)
    return known if newest is None else newest.total


def _write(db: Database, found: _Sorted) -> None:
    """Write everything in one transaction: streams are locked before rows of data, as everywhere."""
    for due in found.gone:
        hidden.repository(due.full_name, due.id, is_private=True)
    with db.transaction() as tx:
        dues.advance(tx, found.unchanged)
        dues.unknown(tx, found.unknown)
        dues.give_back(tx, [*found.later, *(due for due, *_ in found.changed)])
        dues.plan(tx, found.changed)
        _follow(tx, found)
        events.write_snapshots(tx, found.counted)


def _follow(tx: Transaction, found: _Sorted) -> None:
    for due, updates in sorted(found.news, key=lambda each: each[0].id):
        repositories.follow(
            tx,
            due.id,
            full_name=updates.full_name,
            is_private=updates.is_private,
            total=_total(updates, None),
        )
    for due in found.gone:
        privacy.hide_later(tx, due.id)
