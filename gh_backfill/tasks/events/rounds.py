"""Rounds of event fetching: named repositories, those of a workspace, or of all workspaces whose turn has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.errors import ConfigurationError
from gh_backfill.settings import Settings
from gh_backfill.store import workspaces as store
from gh_backfill.store.db import Database
from gh_backfill.store.workspaces import DueWorkspace
from gh_backfill.tasks import aggregate, connect, workspaces
from gh_backfill.tasks.events import asked, many, notice, ways
from gh_backfill.tasks.events.fetching import Ways
from gh_backfill.tasks.events.wish import EventsFound, EventsWish

# What workspaces follow is looked at each day for what is new; a week that nobody looked at leaves no gap.
REFRESHED_DAYS = 8
# The workflow runs once a day, now and then a little early; what was asked about in between is not asked about again.
RESTS = timedelta(hours=20)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """A workspace whose turn it is, and our ids of its repositories."""

    workspace: DueWorkspace
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """Repositories, by any of their names, whose events are fetched with one wish; `turns` are served by it."""

    names: tuple[str, ...]
    wish: EventsWish
    turns: tuple[Turn, ...] = ()


def rounds(
    db: Database, names: Sequence[str], wish: EventsWish, *, workspace: str | None, due: bool, claims: bool = True
) -> list[Round]:
    """Return what is to be fetched, in its order; without `claims` the turn of no workspace is taken.

    Raises ConfigurationError where nothing is named, or a workspace is not there or empty.
    """
    if due:
        if names or workspace:
            raise ConfigurationError("--due takes the workspaces whose turn has come: leave out names and --workspace")
        return _due(db, wish, claims=claims)
    every = [*names, *(workspaces.members(db, workspace) if workspace else [])]
    if not every:
        raise ConfigurationError("which repositories? gh-backfill events owner/name, or --workspace SLUG")
    return [Round(names=tuple(every), wish=wish)]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsWork:
    """The fetching of rounds, so many repositories at a time; `own` are the ways of who asks."""

    settings: Settings
    db: Database
    own: Ways
    parallel: int
    goes_on: Callable[[], bool]

    def each(self, parts: Sequence[Round], *, asked_for: bool) -> Iterator[EventsFound]:
        """Yield what becomes of each repository; first what somebody asked for on a page, where that is wanted.

        A workspace has had its turn where nothing kept all of its repositories from being read.
        """
        if asked_for:
            work = asked.AskedWork(
                run=connect.this_run(self.settings),
                open_ways=self._ways,
                goes_on=self.goes_on,
                parallel=self.parallel,
            )
            yield from work.each() if asked.waits(self.db) else ()
            for end in asked.ended(self.db):
                notice.send(self.settings, end.text, failed=end.jobs - end.completed)
        found: dict[str, EventsFound] = {}
        for part in parts:
            for each in self._of_round(part):
                if each.repository is not None:
                    found[each.repository.id] = each
                yield each
        for turn in (turn for part in parts for turn in part.turns):
            self._end(turn, [found[own] for own in turn.members if own in found])
        aggregate.settle(self.db)

    def _of_round(self, part: Round) -> Iterator[EventsFound]:
        here, lost = many.found(self.db, part.names)
        yield from lost
        if here:
            fetching = many.Fetching(
                open_ways=self._ways,
                run=connect.this_run(self.settings),
                repositories=here,
                wish=part.wish,
                parallel=self.parallel,
                goes_on=self.goes_on,
            )
            yield from fetching.each(self.own)

    def _end(self, turn: Turn, done: Sequence[EventsFound]) -> None:
        """Write down that a workspace had its turn, and tell of it; or that the next run is to take it."""
        kept_away = any(each.resume_at is not None or each.not_begun or many.is_shared(each) for each in done)
        if kept_away or not self.goes_on():
            workspaces.give_their_turn_back(self.db, [turn.workspace])
            return
        workspaces.had_their_turn(self.db, [turn.workspace])
        whole = sum(not each.failed for each in done)
        named = "" if turn.workspace.is_private else f"{turn.workspace.slug}: "
        text = f"{named}{whole:,} of {len(done):,} repositories, {turn.workspace.days:,} days"
        notice.send(self.settings, text, failed=len(done) - whole)

    def _ways(self) -> AbstractContextManager[Ways]:
        return ways.opened(self.settings, self.db)


def _due(db: Database, wish: EventsWish, *, claims: bool) -> list[Round]:
    """Return a round for each number of days, the most first, and one for what is only looked at for news."""
    now = datetime.now(UTC)
    with db.transaction(read_only=not claims) as tx:
        turn = store.claim_due(tx, now, now + workspaces.TURN) if claims else store.due_now(tx, now)
        ids = {each.id: [member.id for member in store.members(tx, each.id)] for each in turn}
        followed = store.followed(tx, now - RESTS)
    taken: set[str] = set()
    found: list[Round] = []
    for days in sorted({each.days for each in turn}, reverse=True):
        turns = tuple(Turn(workspace=each, members=tuple(ids[each.id])) for each in turn if each.days == days)
        names = dict.fromkeys(own for each in turns for own in each.members if own not in taken)
        taken |= names.keys()
        found.append(Round(names=tuple(names), wish=replace(wish, since=now - timedelta(days=days)), turns=turns))
    others = [own for own in followed if own not in taken]
    if others:
        found.append(Round(names=tuple(others), wish=replace(wish, since=now - timedelta(days=REFRESHED_DAYS))))
    return found
