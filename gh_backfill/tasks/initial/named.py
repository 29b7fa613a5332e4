"""Names that a plan is asked for and that nobody tracks yet: they are tracked first, so that a browser is enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import Goal
from gh_backfill.policy.initial import Wish, goal_of
from gh_backfill.policy.markdown import counted
from gh_backfill.store import repositories, untracking
from gh_backfill.store.backfill_events import Actor
from gh_backfill.store.db import Database
from gh_backfill.tasks import track
from gh_backfill.tasks.given_names import NameOf
from gh_backfill.tasks.initial import batches
from gh_backfill.tasks.initial.proposals import size_of


@dataclass(frozen=True, kw_only=True, slots=True)
class NamesFound:
    """The repositories that names led to, by our id, and what is said of each of the others.

    `first` are names that were only looked at, each with what would become of it.
    """

    ids: tuple[str, ...]
    refused: dict[str, str]
    first: Mapping[str, str] = field(default_factory=dict)


def track_first(
    db: Database,
    graphql: GraphQL,
    names: Sequence[str],
    *,
    wish: Wish | None,
    name_of: NameOf,
    actor: Actor,
    now: datetime,
) -> NamesFound:
    """Track the names that are not here, and with a `wish` open the initial backfill of all that never had one.

    Without a wish only what is not here is asked about: the plan opens what it chooses.  Raises what `track.ask`
    raises, and as `track.raise_failures` does where the names lead to nothing at all.
    """
    with db.reading() as tx:
        here = repositories.find(tx, names)
    new = [name for name in names if wish is not None or here[name] is None]
    asked = track.ask(graphql, new, name_of=name_of) if new else []
    opening = None if wish is None else batches.opening_of(wish, now, larger=True)
    kept = None if wish is None else batches.KeptBatch(wish=wish, backfill=True, actor=actor, now=now)
    done = {each.given: each for each in track.register(db, asked, opening=opening, actor=actor, keep=kept)}
    found = {name: _id(name, done, here) for name in names}
    if done and not any(found.values()):
        track.raise_failures(list(done.values()))
    return NamesFound(
        ids=tuple(dict.fromkeys(id_ for id_ in found.values() if id_ is not None)),
        refused={name: f"{name}: {done[name].text}" for name in names if found[name] is None},
    )


def foresee(
    db: Database, graphql: GraphQL, names: Sequence[str], *, wish: Wish | None, name_of: NameOf, now: datetime
) -> NamesFound:
    """Say what `track_first` would do with these names; nothing is written.  Raises as it does."""
    with db.reading() as tx:
        here = repositories.find(tx, names)
        ids = {name: each.id for name, each in here.items() if each is not None}
        off = {name for name, id_ in ids.items() if wish is not None and not untracking.is_tracked(tx, id_)}
    new = [name for name in names if name not in ids or name in off]
    asked = track.ask(graphql, new, name_of=name_of) if new else []
    if asked and len(asked) == len(names) and all(each.failed for each in asked):
        track.raise_failures(asked)
    tracked = {name: id_ for name, id_ in ids.items() if name not in off} | _known(db, asked)
    first = {
        each.given: f"{each.repository.full_name}: would be tracked first, and captured: {_wanted(each, wish, now)}"
        for each in asked
        if each.repository is not None and each.result is not track.Result.DUPLICATE and each.given not in tracked
    }
    return NamesFound(
        ids=tuple(dict.fromkeys(tracked[name] for name in names if name in tracked)),
        refused={each.given: f"{each.given}: {each.text}" for each in asked if each.failed},
        first=first,
    )


def _known(db: Database, asked: Sequence[track.Tracked]) -> dict[str, str]:
    """Return our ids of what is tracked already, by the names that it was asked for: GitHub may call it otherwise."""
    github_ids = {each.given: str(each.repository.github_id) for each in asked if each.repository is not None}
    with db.reading() as tx:
        here = repositories.find(tx, list(github_ids.values()))
        found = {name: here[github_id] for name, github_id in github_ids.items()}
        return {
            name: each.id for name, each in found.items() if each is not None and untracking.is_tracked(tx, each.id)
        }


def _wanted(asked: track.Tracked, wish: Wish | None, now: datetime) -> str:
    """Say what would be captured first of a repository, and of how many pull requests."""
    found = asked.repository
    assert found is not None
    goal = Goal() if wish is None else goal_of(wish, size_of(found), now)
    return f"{goal.words} of {counted(found.pull_requests, 'pull request')}"


def _id(name: str, done: dict[str, track.Tracked], here: dict[str, repositories.NamedRepository | None]) -> str | None:
    """Return our id of what a name led to: as GitHub says it, else as it is here."""
    asked, known = done.get(name), here[name]
    if asked is not None and asked.repository_id is not None:
        return asked.repository_id
    # GitHub may have said nothing of it, or show it no more: the plan finds that out, and says so.
    return None if known is None else known.id
