"""Requests for aggressive backfills: a repository that nobody tracks is tracked first, and what is wanted is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.registry import EVERYTHING, ordered
from gh_backfill.errors import ConfigurationError
from gh_backfill.models.github import Repository
from gh_backfill.models.work import Goal
from gh_backfill.policy.aggressive.standing import AggressiveBackfill
from gh_backfill.policy.aggressive.steps import AggressiveStep
from gh_backfill.store import aggressive as store
from gh_backfill.store import repositories
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from gh_backfill.tasks.after import switched_on
from gh_backfill.tasks.given_names import NameOf

MOST_DAYS = 36_500


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveWish:
    """What is wanted of a repository: which steps, which kinds of items (none: all there are), and of how many days."""

    steps: tuple[AggressiveStep, ...]
    kinds: tuple[str, ...] = ()
    days: int | None = None

    @property
    def all_kinds(self) -> tuple[str, ...]:
        """Return the kinds by name."""
        return self.kinds or EVERYTHING

    def since(self, now: datetime) -> datetime | None:
        """Return where its time range begins: at midnight, so that the same number on one day means the same range."""
        if self.days is None:
            return None
        return (now - timedelta(days=self.days)).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class AggressiveAsked:
    """What was written down: the backfill, whether it is new, and what tracking said of a repository that was not.

    `steps` are those that were asked for now; an open one may have others, too.
    """

    backfill: AggressiveBackfill
    new: bool
    steps: tuple[AggressiveStep, ...]
    told: str | None = None


def ask(
    db: Database,
    graphql: GraphQL,
    name: str,
    wish: AggressiveWish,
    *,
    name_of: NameOf,
    actor: Actor,
    now: datetime,
) -> AggressiveAsked:
    """Ask for everything of a repository; nobody has to have tracked it before.

    One that is not over goes on, with the larger of both wishes.  Raises what `track.ask` raises, and as
    `track.raise_failures` does where the name leads to nothing.
    """
    told, found = None, _known(db, name)
    if AggressiveStep.SYNC in wish.steps:
        found, told = _tracked(db, graphql, name, wish, name_of=name_of, actor=actor, now=now)
    elif found is None:
        raise ConfigurationError(f"{name} is not here: run it without --embeddings-only first, which fetches its data")
    return asked_for(db, found, wish, who=actor.who, now=now, told=told)


def asked_for(
    db: Database, repository_id: str, wish: AggressiveWish, *, who: str, now: datetime, told: str | None = None
) -> AggressiveAsked:
    """Ask for everything of a repository that is here, by our id."""
    with db.transaction() as tx:
        _, new = store.ask(tx, repository_id, steps=wish.steps, kinds=wish.all_kinds, since=wish.since(now), who=who)
        (backfill,) = store.standing(tx, [repository_id])
    return AggressiveAsked(backfill=backfill, new=new, steps=wish.steps, told=told)


def _known(db: Database, name: str) -> str | None:
    with db.reading() as tx:
        found = repositories.find(tx, [name])[name]
    return None if found is None else found.id


def _tracked(
    db: Database,
    graphql: GraphQL,
    name: str,
    wish: AggressiveWish,
    *,
    name_of: NameOf,
    actor: Actor,
    now: datetime,
) -> tuple[str, str | None]:
    """Track a repository, or switch on the kinds that are wanted of it; returns our id, and what is to be said."""
    asked = track.ask(graphql, [name], name_of=name_of)
    track.raise_failures(asked)
    repository = asked[0].repository
    assert repository is not None, "what did not fail was found"
    had = _kinds_of(db, repository)
    opening = _opening(wish, now, new=had is None)
    kinds = ordered({*(had or ()), *wish.all_kinds})
    (done,) = track.register(db, asked, opening=opening, actor=actor, kinds=kinds)
    assert done.repository_id is not None
    return done.repository_id, None if had is not None else f"{repository.full_name} is tracked from now on"


def _kinds_of(db: Database, repository: Repository) -> Sequence[str] | None:
    """Return the kinds of a repository that is tracked; None for one that is not."""
    with db.reading() as tx:
        found = repositories.find(tx, [str(repository.github_id)])[str(repository.github_id)]
        known = [] if found is None else repositories.candidates(tx, asked=[found.id])
    tracked = [each for each in known if each.tracked_at is not None]
    return switched_on(tracked[0]) if tracked else None


def _opening(wish: AggressiveWish, now: datetime, *, new: bool) -> track.FirstBackfill:
    """Open the backfill of pull requests; who tracks for a time range leaves it at that until somebody wants more."""
    goal = Goal(since=wish.since(now))
    return track.FirstBackfill(goal_of=lambda _: goal, larger=True, only_newest=wish.days is not None if new else None)
