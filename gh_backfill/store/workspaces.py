"""Workspaces in the database: which repositories belong together, and when their events are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from gh_backfill.policy.workspaces import Every
from gh_backfill.resources import sql
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.pages import readers

_SQL = sql("workspaces")
_APPLICATION = sql("application")


@dataclass(frozen=True, kw_only=True, slots=True)
class Workspace:
    """A workspace; `most` is how many repositories it may have (None: any number), `every` its schedule if it has one.

    With its schedule, the events of the last `days` are fetched again, at `next_due_at` the next time.
    """

    id: str
    slug: str
    name: str
    description: str | None
    owner_id: str
    is_private: bool
    most: int | None
    repositories: int
    every: Every | None
    days: int | None
    begins_at: datetime | None
    next_due_at: datetime | None
    last_run_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspaceMember:
    """A repository of a workspace, with GitHub's counts as we last saw them."""

    id: str
    github_id: int
    full_name: str
    is_private: bool
    stars: int | None
    forks: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkspacePerson:
    """Somebody who opened, reviewed or said something in the repositories of a workspace, and how often."""

    username: str
    is_bot: bool
    pull_requests: int
    reviews: int
    issues: int
    comments: int
    repositories: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """A workspace whose row is locked: it has so many repositories, and may have `most` (None: any number)."""

    id: str
    most: int | None
    repositories: int

    def takes(self, more: int) -> bool:
        """Say whether so many more fit."""
        return self.most is None or self.repositories + more <= self.most


@dataclass(frozen=True, kw_only=True, slots=True)
class DueWorkspace:
    """A workspace whose turn has come, at `due_at`; its schedule began at `begins_at`."""

    id: str
    slug: str
    is_private: bool
    every: Every
    days: int
    begins_at: datetime
    due_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A user of the application; `is_login` says that the id of the login was given in place of the user's."""

    id: str
    is_login: bool


def workspaces(tx: Transaction, slug: str | None = None, *, public_only: bool = False) -> list[Workspace]:
    """Return the workspaces, or the one of a slug, by slug; with `public_only` what everybody may see of them."""
    return [_read(row) for row in tx.rows(_SQL["workspaces"], slug=slug, **readers(public_only))]


def members(tx: Transaction, workspace_id: str, *, public_only: bool = False) -> list[WorkspaceMember]:
    """Return the repositories of a workspace, by name."""
    return [WorkspaceMember(**row) for row in tx.rows(_SQL["members"], id=workspace_id, **readers(public_only))]


def workspaces_of(tx: Transaction, repository_id: str, *, public_only: bool = False) -> list[tuple[str, str]]:
    """Return the slug and the name of each workspace that has a repository."""
    rows = tx.rows(_SQL["workspaces_of"], repository_id=repository_id, **readers(public_only))
    return [(row["slug"], row["name"]) for row in rows]


def people(
    tx: Transaction, repository_ids: Sequence[str], since: date, *, most: int
) -> tuple[list[WorkspacePerson], int]:
    """Return who did most in these repositories since a day (UTC), and how many people did anything."""
    if not repository_ids:
        return [], 0
    begins = datetime.combine(since, time.min, UTC)
    rows = tx.rows(_SQL["workspace_people"], ids=tuple(repository_ids), begins=begins, most=most)
    found = [{name: value for name, value in row.items() if name != "everybody"} for row in rows]
    return [WorkspacePerson(**each) for each in found], rows[0]["everybody"] if rows else 0


def hosted(tx: Transaction) -> bool:
    """Say whether an application with users of its own lives in this database."""
    row = tx.row(_APPLICATION["has_users"])
    return row is not None and bool(row["hosted"])


def user(tx: Transaction, user_id: str) -> User | None:
    """Return the user of an id, of the application's table or of its logins; None where there is none."""
    row = tx.row(_APPLICATION["user"], id=user_id)
    return None if row is None else User(id=row["id"], is_login=bool(row["is_login"]))


def slug_taken(tx: Transaction, slug: str) -> bool | None:
    """Say whether a workspace has this slug; False: a deleted one has it, None: nobody."""
    row = tx.row(_SQL["slug_taken"], slug=slug)
    return None if row is None else bool(row["is_active"])


def create(
    tx: Transaction, *, slug: str, name: str, description: str | None, owner_id: str, private: bool, most: int | None
) -> bool:
    """Create a workspace; False where the slug is taken.  Without `most` the application's own limit holds."""
    visibility = "private" if private else "public"
    row = tx.row(
        _SQL["insert_workspace"],
        slug=slug,
        name=name,
        description=description,
        owner_id=owner_id,
        visibility=visibility,
    )
    if row is not None and most is not None:
        tx.run(_SQL["set_limit"], id=row["id"], most=most)
    return row is not None


def lock(tx: Transaction, slug: str) -> Room | None:
    """Lock a workspace until the transaction ends; None where there is none."""
    row = tx.row(_SQL["lock_workspace"], slug=slug)
    if row is None:
        return None
    counted = tx.row(_SQL["count_members"], id=row["id"])
    assert counted is not None
    return Room(**row, **counted)


def add(tx: Transaction, workspace_id: str, repository_ids: Sequence[str]) -> set[str]:
    """Add repositories to a locked workspace; returns our ids of those that it did not have."""
    rows = tx.rows(_SQL["insert_members"], id=workspace_id, repository_ids=tuple(repository_ids))
    tx.run(_SQL["recount_members"], id=workspace_id)
    return {row["repository_id"] for row in rows}


def remove(tx: Transaction, workspace_id: str, repository_ids: Sequence[str]) -> set[str]:
    """Remove repositories from a locked workspace; returns our ids of those that it had."""
    rows = tx.rows(_SQL["delete_members"], id=workspace_id, repository_ids=tuple(repository_ids))
    tx.run(_SQL["recount_members"], id=workspace_id)
    return {row["repository_id"] for row in rows}


def delete(tx: Transaction, workspace_id: str, *, hosted: bool) -> None:
    """Delete a locked workspace; an application's stays as a deleted one of its own, with what hangs on it."""
    tx.run(_SQL["delete_workspace_schedule"], id=workspace_id)
    tx.run(_SQL["deactivate" if hosted else "delete_workspace"], id=workspace_id)


def schedule(tx: Transaction, workspace_id: str, every: Every | None, days: int, begins_at: datetime) -> None:
    """Say when the events of a workspace are fetched, for the first time at `begins_at`; None: never by itself."""
    if every is None:
        tx.run(_SQL["delete_workspace_schedule"], id=workspace_id)
    else:
        tx.run(_SQL["set_workspace_schedule"], id=workspace_id, every=every, days=days, begins_at=begins_at)


def claim_due(tx: Transaction, now: datetime, until: datetime) -> list[DueWorkspace]:
    """Take the workspaces whose turn has come; nobody else takes them before `until`."""
    rows = tx.rows(_SQL["claim_due"], now=now, until=until)
    return sorted((DueWorkspace(**{**row, "every": Every(row["every"])}) for row in rows), key=lambda each: each.slug)


def due_now(tx: Transaction, now: datetime) -> list[DueWorkspace]:
    """Return the workspaces whose turn has come, without taking them."""
    return [
        DueWorkspace(
            id=each.id,
            slug=each.slug,
            is_private=each.is_private,
            every=each.every,
            days=each.days,
            begins_at=each.begins_at,
            due_at=each.next_due_at,
        )
        for each in workspaces(tx)
        if each.every is not None and each.days is not None and each.begins_at is not None
        if each.next_due_at is not None and each.next_due_at <= now
    ]


def keep_due(tx: Transaction, each: DueWorkspace, *, now: datetime, next_due_at: datetime) -> None:
    """Note that a workspace had its turn, and when the next one comes."""
    params = {"id": each.id, "due_at": each.due_at, "every": each.every}
    tx.run(_SQL["keep_due"], now=now, next_due_at=next_due_at, **params)


def give_turn_back(tx: Transaction, workspace_id: str) -> None:
    """Let the next one take the turn of a workspace, of which this one could not do all."""
    tx.run(_SQL["give_turn_back"], id=workspace_id)


def followed(tx: Transaction, asked_since: datetime) -> list[str]:
    """Return our ids of what any workspace has and nobody asked about since then, each once."""
    return [row["id"] for row in tx.rows(_SQL["refreshable"], asked_since=asked_since)]


def _read(row: Row) -> Workspace:
    return Workspace(**{**row, "every": None if row["every"] is None else Every(row["every"])})
