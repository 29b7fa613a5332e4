"""Repositories in the database: store what GitHub says, find them by any name, list candidates and their state."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from gh_backfill import hidden
from gh_backfill.models.github import Repository
from gh_backfill.models.work import AFTER_ITEMS, PULL_REQUESTS, Finished, Goal, TrackedRepository
from gh_backfill.policy.goals import goal_words
from gh_backfill.policy.ledger import SILENT
from gh_backfill.policy.names import key
from gh_backfill.policy.progress import percent, within
from gh_backfill.policy.schedule import DEFAULT_PRIORITY, Priority
from gh_backfill.resources import sql
from gh_backfill.store import goals
from gh_backfill.store.db import Row, Statement, Transaction

_SQL = sql("repositories")
# What `Repository` calls otherwise than the table does.
_COLUMNS = {
    "stars": "stargazers_count",
    "forks": "forks_count",
    "created_at": "github_created_at",
    "updated_at": "github_updated_at",
    "pushed_at": "github_pushed_at",
    "pull_requests": "github_pull_requests",
}
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRepository:
    """A repository that the database has."""

    id: str
    github_id: int
    full_name: str


Known = TypeVar("Known", NamedRepository, TrackedRepository)


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A repository on the list: `added` was not on it before, `held_reason` is why a person holds its backfill.

    `aim` is the goal of a backfill that was opened once, and `goal` its number (None: everything).  `kinds`,
    `only_newest` and `priority` are what the list said before.
    """

    id: str
    github_id: int
    added: bool
    held_reason: str | None
    has_stream: bool
    goal: int | None
    aim: Goal
    kinds: Sequence[str] | None = None
    only_newest: bool = False
    priority: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherKind:
    """How far the items of another kind than pull requests have come; `total` is None while GitHub has told none.

    `gaps` are items that are not whole: `unlisted` of them are counted by GitHub and not listed at all.
    """

    kind: str
    status: str
    captured: int
    total: int | None
    held: bool
    unlisted: int
    gaps: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """How far the history of one repository has come; times are UTC, points are GitHub's.

    `gaps` are pull requests that are not whole: `unlisted` of them are counted by GitHub and not listed at all.  `aim`
    is what is wanted, and `goal` how many that is as far as it is known (None: all); `open_ended` says that it is not
    known yet, and `only_newest` that the rest of the history never is.  `captured` are those that are here of what is
    wanted.  `points` and `requests` went into pages that are stored, `spent_points` and `spent_requests` are those of
    all jobs (None where they were not asked for): also what came to nothing, and other kinds of items.
    """

    id: str
    full_name: str
    is_private: bool
    total: int | None
    goal: int | None
    aim: Goal
    open_ended: bool
    total_at: datetime | None
    captured: int
    status: str | None
    held: bool
    held_reason: str | None
    held_by: str | None
    pause_reason: str | None
    resume_at: datetime | None
    last_error: str | None
    points: int | None
    requests: int | None
    completed_at: datetime | None
    chunk_number: int | None
    chunk_status: str | None
    chunk_at: datetime | None
    unlisted: int
    gaps: int
    quarantined: int
    initial: str | None = None
    only_newest: bool = False
    spent_points: int | None = None
    spent_requests: int | None = None
    others: Sequence[OtherKind] = ()

    @property
    def percent(self) -> float | None:
        """Return how much of what is wanted is here, never over 100; None while GitHub's count is unknown."""
        return None if self.wanted is None else percent(self.captured, self.wanted)

    @property
    def aim_words(self) -> str:
        """Say what is wanted: `the newest 200, and no more`."""
        return goal_words(self.aim, only_newest=self.only_newest)

    @property
    def wanted(self) -> int | None:
        """Return how many pull requests the goal is about; None while that, or GitHub's count, is unknown."""
        return None if self.total is None or self.open_ended else within(self.total, self.goal)


def store(tx: Transaction, repositories: Sequence[Repository]) -> dict[int, str]:
    """Store what GitHub says of repositories; returns our id of each by GitHub's.

    The id decides: a renamed repository keeps its row, and a name that changed hands moves to its new owner.
    """
    rows = [_row(repository) for repository in {each.github_id: each for each in repositories}.values()]
    if not rows:
        return {}
    renamed = _free_names(tx, rows)
    stored = {row["github_id"]: row["id"] for row in tx.rows(_SQL["upsert"], rows=rows)}
    _rename_copies(tx, renamed)
    return stored


def store_as_named(tx: Transaction, repositories: Sequence[Repository]) -> None:
    """Store what GitHub says of repositories whose names are the ones they have here, or are nobody's."""
    rows = [_row(repository) for repository in {each.github_id: each for each in repositories}.values()]
    if rows:
        tx.later(_SQL["upsert"], rows=rows)


def track(
    tx: Transaction,
    repositories: Sequence[Repository],
    *,
    kinds: Sequence[str] | None = None,
    only_newest: bool | None = None,
    priority: Priority | None = None,
) -> list[Entry]:
    """Track stored repositories, and return what each of them is on the list.

    `kinds` of items are captured of them from now on, `only_newest` says that their goal stays what it is, and
    `priority` how often they are looked at; None leaves to each what was said before.
    """
    rows = [{"owner": each.owner, "name": each.name, "github_id": each.github_id} for each in repositories]
    if not rows:
        return []
    tx.later(_SQL["free_tracked_names"], rows=rows)
    tracked = tx.rows(
        _SQL["track"],
        github_ids=tuple(each.github_id for each in repositories),
        kinds=None if kinds is None else tuple(kinds),
        only_newest=only_newest,
        priority=priority,
        unsaid=DEFAULT_PRIORITY,
    )
    return [Entry(**goals.with_aim(row)) for row in tracked]


def begin_initial(tx: Transaction, ids: Sequence[str]) -> None:
    """Note that the initial backfill of these repositories is to come."""
    if ids:
        tx.later(_SQL["begin_initial"], ids=tuple(ids))


def candidates(
    tx: Transaction, *, asked: Sequence[str] = (), kinds: Sequence[str] = (PULL_REQUESTS,)
) -> list[TrackedRepository]:
    """Return what is tracked, has an open backfill, or is asked for by any of its names, as `find` takes them.

    `kinds` are captured of those for which nothing else was said.
    """
    rows = tx.rows(_SQL["candidates"], **_by_any_name(asked), kinds=tuple(kinds))
    return [_tracked(goals.with_aim(row)) for row in rows]


def find(tx: Transaction, names: Sequence[str]) -> dict[str, NamedRepository | None]:
    """Find repositories by our id, GitHub's id, an address or `owner/name` in any case; None for what is not here."""
    if not names:
        return {}
    rows = tx.rows(_SQL["find"], **_by_any_name(names))
    return named(names, [NamedRepository(**row) for row in rows])


def named(names: Sequence[str], among: Iterable[Known]) -> dict[str, Known | None]:
    """Return which of these repositories each name means, as `find` takes it; None for what is not among them."""
    by_name = {name: each for each in among for name in (each.id, str(each.github_id), each.full_name.lower())}
    return {given: by_name.get((key(given) or given.strip()).lower()) for given in names}


def follow(tx: Transaction, repository_id: str, *, full_name: str, is_private: bool, total: int | None) -> bool:
    """Take over the name, the privacy and the number of pull requests that GitHub shows now; True if they are news.

    `total` is None where GitHub was not asked about them.  A new name is taken from whoever had it here, and is written
    wherever the old one was copied to.
    """
    hidden.repository(full_name, repository_id, is_private=is_private)
    row = tx.row(_SQL["follow"], id=repository_id, full_name=full_name, is_private=is_private, total=total)
    if row is not None and row["renamed"]:
        renamed = _free_names(tx, [{"github_id": row["github_id"], "full_name": full_name}])
        tx.run(_SQL["rename"], id=repository_id, full_name=full_name)
        _rename_copies(tx, renamed)
    return row is not None


def shown(repository_id: str) -> Statement:
    """Return the statement that tells what is shown of a repository; `is_news` reads its rows."""
    return _SQL["shown"], {"id": repository_id}


def is_news(shown: Sequence[Row], full_name: str, is_private: bool, total: int | None) -> bool:
    """Say whether `follow` has anything to take over; a private name is kept out of what is said in any case."""
    (row,) = shown
    hidden.repository(full_name, str(row["id"]), is_private=is_private)
    known = row["github_pull_requests"]
    now = (full_name, is_private, known if total is None else total)
    return now != (row["full_name"], row["is_private"], known)


def status(tx: Transaction, ids: Sequence[str] | None = None, *, spent: bool = False) -> list[Status]:
    """Return the state of these repositories, or of all that are tracked or were ever backfilled.

    With `spent` also what their jobs spent.  An initial backfill at which nobody works any more is pending again.
    """
    rows = tx.rows(_SQL["status"], ids=None if ids is None else tuple(ids), spent=spent, alive=SILENT)
    return [
        Status(**{**goals.with_aim(row), "others": tuple(OtherKind(**each) for each in row["others"])}) for row in rows
    ]


def _tracked(row: Row) -> TrackedRepository:
    """Tell kinds of items, which have backfills, from what comes after them."""
    lists = {name: tuple(each for each in row[name] if each not in AFTER_ITEMS) for name in ("kinds", "unfinished")}
    finished = tuple(Finished(**each) for each in row["finished"])
    later = tuple(each for each in AFTER_ITEMS if each in row["kinds"])
    own = {"free_parts": tuple(row["free_parts"]), "finished": finished, "after": later}
    return TrackedRepository(**{**row, **lists, **own})


def _by_any_name(names: Iterable[str]) -> Row:
    wanted = [key(name) or name.strip() for name in names]
    return {
        "ids": tuple(name for name in wanted if _UUID.fullmatch(name)),
        "github_ids": tuple(int(name) for name in wanted if name.isdecimal() and len(name) < 19),
        "names": tuple(name.lower() for name in wanted if "/" in name and name.isascii() and "\0" not in name),
    }


def _free_names(tx: Transaction, rows: list[Row]) -> list[str]:
    """Free the names that belong to other repositories now; returns our ids of all whose name changes by that."""
    renamed = {row["id"] for row in tx.rows(_SQL["renamed"], rows=rows)}
    freed = {row["id"] for row in tx.rows(_SQL["free_names"], rows=rows)}
    return sorted(renamed | freed)


def _rename_copies(tx: Transaction, ids: Sequence[str]) -> None:
    if ids:
        for copy in ("free_tracked_copies", "rename_tracked", "rename_pull_requests"):
            tx.run(_SQL[copy], ids=tuple(ids))
        tx.run(sql("events")["rename_events"], ids=tuple(ids))


def _row(repository: Repository) -> Row:
    own = (each.name for each in fields(repository) if each.name != "others")
    return {**{_COLUMNS.get(name, name): getattr(repository, name) for name in own}, "full_name": repository.full_name}
