"""Create and change workspaces: whose they are, which repositories they have, and when their events are fetched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gh_backfill.errors import ConfigurationError, PartlyFailed, Unreachable
from gh_backfill.models.github import Repository
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.workspaces import LOCAL_LIMIT, LOCAL_OWNER, Every, following, name_of, slug_of
from gh_backfill.store import repositories
from gh_backfill.store import workspaces as store
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.workspaces import Room, Workspace, WorkspaceMember
from gh_backfill.tasks.track import Result, Tracked

# A process that was ended while it had the turn of a workspace loses it after so long.
TURN = timedelta(hours=3)


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceShown:
    """A workspace with its repositories."""

    workspace: Workspace
    members: tuple[WorkspaceMember, ...]

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        repositories = [{"id": each.id, "full_name": each.full_name} for each in self.members]
        return {**row_of(self.workspace), "members": repositories}


@dataclass(frozen=True, kw_only=True, slots=True)
class MembersChanged:
    """What became of the repositories that were added or removed, by our ids."""

    workspace: Workspace
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]


def row_of(each: Workspace) -> dict[str, object]:
    """Return a workspace as JSON-ready values, but for its times."""
    return {
        "id": each.id,
        "slug": each.slug,
        "name": each.name,
        "description": each.description,
        "owner_id": each.owner_id,
        "is_private": each.is_private,
        "repositories": each.repositories,
        "most_repositories": each.most,
        "schedule": each.every,
        "days": each.days,
        "next_due_at": each.next_due_at,
        "last_run_at": each.last_run_at,
    }


def create(
    db: Database, slug: str, *, name: str | None, description: str | None, owner: str | None, private: bool
) -> Workspace:
    """Create a workspace.  Its owner is a user of the application that lives in the database, where there is one.

    Raises ConfigurationError for a slug or name that can't be one, a slug that is taken, and an owner who is none.
    """
    slug = slug_of(slug)
    title = name_of(name, slug)
    with db.transaction() as tx:
        hosted = store.hosted(tx)
        owner_id = _owner(tx, owner) if hosted else _local_owner(owner)
        created = store.create(
            tx,
            slug=slug,
            name=title,
            description=description,
            owner_id=owner_id,
            private=private,
            most=None if hosted else LOCAL_LIMIT,
        )
        if not created:
            deleted = store.slug_taken(tx, slug) is False
            raise ConfigurationError(
                f"{slug} is the slug of a {'deleted ' if deleted else ''}workspace: choose another"
            )
        return _found(tx, slug)


def listed(db: Database) -> list[Workspace]:
    """Return all workspaces."""
    with db.reading() as tx:
        return store.workspaces(tx)


def shown(db: Database, slug: str) -> WorkspaceShown:
    """Return a workspace with its repositories; raises ConfigurationError where there is none."""
    with db.reading() as tx:
        found = _found(tx, slug)
        return WorkspaceShown(workspace=found, members=tuple(store.members(tx, found.id)))


def members(db: Database, slug: str) -> list[str]:
    """Return our ids of the repositories of a workspace; raises ConfigurationError where there are none."""
    found = shown(db, slug)
    if not found.members:
        own = found.workspace.slug
        raise ConfigurationError(f"{own} has no repositories yet: gh-backfill workspace add {own} owner/name")
    return [each.id for each in found.members]


def known(db: Database, names: Sequence[str]) -> Mapping[str, str | None]:
    """Return our id of what is here by each of these names; None for what GitHub has to be asked about."""
    with db.reading() as tx:
        return {name: None if each is None else each.id for name, each in repositories.find(tx, names).items()}


def stored(db: Database, found: Sequence[Repository]) -> list[str]:
    """Store what GitHub said of repositories that nobody tracks, and return our ids of them."""
    if not found:
        return []
    with db.transaction() as tx:
        ids = repositories.store(tx, found)
    return [ids[each.github_id] for each in found]


def add(db: Database, slug: str, repository_ids: Sequence[str]) -> MembersChanged:
    """Add repositories that are here to a workspace, all or none; those that it has stay.

    Raises ConfigurationError where there is no such workspace, and where they do not all fit.
    """
    wanted = list(dict.fromkeys(repository_ids))
    with db.transaction() as tx:
        room = _locked(tx, slug)
        there = {each.id for each in store.members(tx, room.id)}
        new = [each for each in wanted if each not in there]
        if new and not room.takes(len(new)):
            raise ConfigurationError(
                f"{slug_of(slug)} is full: it has {room.repositories:,} of {room.most:,} repositories, "
                f"and {len(new):,} more do not fit"
            )
        added = store.add(tx, room.id, new) if new else set()
        return _changed(tx, slug, wanted, added)


def remove(db: Database, slug: str, repository_ids: Sequence[str]) -> MembersChanged:
    """Remove repositories from a workspace; what is here of them stays.  Raises ConfigurationError as `add`."""
    wanted = list(dict.fromkeys(repository_ids))
    with db.transaction() as tx:
        room = _locked(tx, slug)
        return _changed(tx, slug, wanted, store.remove(tx, room.id, wanted))


def delete(db: Database, slug: str) -> Workspace:
    """Delete a workspace; its repositories and what is here of them stay."""
    with db.transaction() as tx:
        room = _locked(tx, slug)
        found = _found(tx, slug)
        store.delete(tx, room.id, hosted=store.hosted(tx))
        return found


def schedule(db: Database, slug: str, every: Every | None, *, days: int, now: datetime) -> Workspace:
    """Say how often the events of a workspace are fetched, from the next tick on; None: no more by itself."""
    with db.transaction() as tx:
        room = _locked(tx, slug)
        store.schedule(tx, room.id, every, days, now)
        return _found(tx, slug)


def raise_strangers(workspace: Workspace, asked: Sequence[Tracked], found: int) -> None:
    """Raise what names those of whom GitHub told nothing; the others are in the workspace."""
    failed = [each for each in asked if each.failed]
    names = ", ".join(each.given for each in failed)
    if not failed:
        return
    if found:
        raise PartlyFailed(f"{counted(len(failed), 'name')} can't be added to {workspace.slug}: {names}")
    if any(each.result is Result.UNKNOWN for each in failed):
        why = "; ".join(f"{each.given}: {each.reason}" if each.reason else each.given for each in failed)
        raise Unreachable(f"nothing was added, for GitHub did not say: try again ({why})")
    raise ConfigurationError(f"none of the names is a repository that this token sees: {names}")


def had_their_turn(db: Database, due: Sequence[store.DueWorkspace]) -> None:
    """Note that the events of workspaces that were due are fetched, and when each is due next."""
    now = datetime.now(UTC)
    with db.transaction() as tx:
        for each in due:
            store.keep_due(tx, each, now=now, next_due_at=following(each.every, each.begins_at, now))


def give_their_turn_back(db: Database, due: Sequence[store.DueWorkspace]) -> None:
    """Let the next run take workspaces of which this one could not do all."""
    with db.transaction() as tx:
        for each in due:
            store.give_turn_back(tx, each.id)


def _found(tx: Transaction, slug: str) -> Workspace:
    (*found,) = store.workspaces(tx, slug_of(slug))
    if not found:
        raise ConfigurationError(f"there is no workspace {slug_of(slug)}: gh-backfill workspace list shows them")
    return found[0]


def _locked(tx: Transaction, slug: str) -> Room:
    room = store.lock(tx, slug_of(slug))
    if room is None:
        raise ConfigurationError(f"there is no workspace {slug_of(slug)}: gh-backfill workspace list shows them")
    return room


def _changed(tx: Transaction, slug: str, wanted: Sequence[str], changed: set[str]) -> MembersChanged:
    return MembersChanged(
        workspace=_found(tx, slug),
        changed=tuple(each for each in wanted if each in changed),
        unchanged=tuple(each for each in wanted if each not in changed),
    )


def _owner(tx: Transaction, owner: str | None) -> str:
    """Return the user of the application who is meant."""
    if not (owner or "").strip():
        raise ConfigurationError(
            "a workspace of this database belongs to a user of its application: name one, --owner UUID"
        )
    found = store.user(tx, _uuid(owner or ""))
    if found is None:
        raise ConfigurationError(f"--owner {owner}: the application has no such user (app_users.id)")
    if found.is_login:
        raise ConfigurationError(f"--owner {owner} is the id of a login; that of its user is {found.id}")
    return found.id


def _local_owner(owner: str | None) -> str:
    return _uuid(owner) if (owner or "").strip() and owner else LOCAL_OWNER


def _uuid(text: str) -> str:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        raise ConfigurationError(f"--owner takes a UUID, not {text.strip()[:60]!r}") from None


def told(each: Workspace) -> str:
    """Say how many repositories a workspace has, of how many it may have, and when its events are fetched."""
    of = "" if each.most is None else f" of {each.most:,}"
    what = f"{each.repositories:,}{of} repositories" if of else counted(each.repositories, "repository")
    if each.every is None:
        return what
    return f"{what}; events of {counted(each.days or 0, 'day')} {each.every}"
