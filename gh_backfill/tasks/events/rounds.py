"""Whose events are fetched: named repositories, those of a workspace, or of all workspaces whose turn has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from gh_backfill.errors import ConfigurationError
from gh_backfill.store import workspaces as store
from gh_backfill.store.db import Database
from gh_backfill.store.workspaces import DueWorkspace
from gh_backfill.tasks import workspaces
from gh_backfill.tasks.events.wish import EventsWish

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
