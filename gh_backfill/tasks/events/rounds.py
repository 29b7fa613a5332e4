"""Whose events are fetched: named repositories, those of a workspace, or of all workspaces whose turn has come."""

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
from gh_backfill.tasks import connect, workspaces
from gh_backfill.tasks.events import asked, many, notice, ways
from gh_backfill.tasks.events.fetching import Ways
from gh_backfill.tasks.events.wish import EventsFound, EventsWish

# What workspaces follow is looked at each day for what is new; a week that nobody looked at leaves no gap.
REFRESHED_DAYS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """Repositories, by any of their names, whose events are fetched with one wish; `due` workspaces have their turn."""

    names: tuple[str, ...]
    wish: EventsWish
    due: tuple[DueWorkspace, ...] = ()


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

        A workspace has had its turn where there was time for all of its repositories.
        """
        if asked_for and asked.waits(self.db):
            yield from asked.AskedWork(
                db=self.db,
                run=connect.this_run(self.settings),
                open_ways=self._ways,
                goes_on=self.goes_on,
                parallel=self.parallel,
                ended=lambda end: self._tell(end.text, end.jobs - end.completed),
            ).each()
        for part in parts:
            yield from self._of_round(part)

    def _of_round(self, part: Round) -> Iterator[EventsFound]:
        found, lost = many.found(self.db, part.names)
        yield from lost
        done: list[EventsFound] = []
        if found:
            fetching = many.Fetching(
                open_ways=self._ways,
                run=connect.this_run(self.settings),
                repositories=found,
                wish=part.wish,
                parallel=self.parallel,
                goes_on=self.goes_on,
            )
            for each in fetching.each(self.own):
                done.append(each)
                yield each
        if not self.goes_on():
            return
        workspaces.had_their_turn(self.db, part.due)
        whole = sum(not each.failed and each.resume_at is None for each in done)
        for served in part.due:
            text = f"{served.slug}: {whole:,} of {len(done):,} repositories, {served.days:,} days"
            self._tell(text, len(done) - whole)

    def _ways(self) -> AbstractContextManager[Ways]:
        return ways.opened(self.settings, self.db)

    def _tell(self, text: str, failed: int) -> None:
        notice.send(self.settings, text, failed=failed)


def _due(db: Database, wish: EventsWish, *, claims: bool) -> list[Round]:
    """Return a round for each number of days, the most first, and one for what is only looked at for news."""
    now = datetime.now(UTC)
    with db.transaction(read_only=not claims) as tx:
        turn = store.claim_due(tx, now, now + workspaces.TURN) if claims else store.due_now(tx, now)
        ids = {each.id: [member.id for member in store.members(tx, each.id)] for each in turn}
        followed = store.followed(tx)
    taken: set[str] = set()
    found: list[Round] = []
    for days in sorted({each.days for each in turn}, reverse=True):
        serves = [each for each in turn if each.days == days]
        names = [own for each in serves for own in ids[each.id] if own not in taken]
        taken |= set(names)
        since = replace(wish, since=now - timedelta(days=days))
        found.append(Round(names=tuple(dict.fromkeys(names)), wish=since, due=tuple(serves)))
    others = [own for own in followed if own not in taken]
    if others:
        found.append(Round(names=tuple(others), wish=replace(wish, since=now - timedelta(days=REFRESHED_DAYS))))
    return found
