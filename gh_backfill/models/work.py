"""The work: repositories that are captured, how far, by whom.  Ids are ours unless named otherwise; times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.github import NodeId

# The kind that every repository captures where nothing else is said, and that `progressive_backfill_state` is about.
PULL_REQUESTS = "pull_requests"


def words_of(kind: str) -> str:
    """Return what messages call the items of a kind, by its name: the plural."""
    return kind.replace("_", " ")


class Phase(StrEnum):
    """What a stream is for: the walk through the whole history, or the reading of what changed since it began."""

    HISTORY = "history"
    CATCH_UP = "catch_up"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """Items of a kind whose backfill is complete: so many are here or known gaps, and so many GitHub counts."""

    kind: str
    there: int
    total: int


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRepository:
    """A repository as the database knows it, and how far its history has come.

    `begun` says that its walk has a place or is split; `free_parts` are the open parts that nobody works on.
    `vanished` says that its backfill failed because GitHub did not show it any more.  `gaps` are pull requests that
    GitHub counted and did not list, by two readings.  `goal` is how many of the newest are wanted: first, or with
    `only_newest` at all; `initial` is the word for its initial backfill.  All of this is about its pull requests;
    `kinds` are the kinds of items that are captured of it, `unfinished` those beside pull requests that are not
    complete, and `finished` how many there are of those that are.
    """

    id: str
    github_id: int
    owner: str
    name: str
    node_id: NodeId | None
    is_private: bool
    total: int | None
    captured: int
    status: str | None
    pause_reason: str | None
    resume_at: datetime | None
    planned_at: datetime | None
    tracked_at: datetime | None
    leased: bool
    has_stream: bool
    held: bool = False
    held_reason: str | None = None
    held_by: str | None = None
    begun: bool = False
    free_parts: tuple[int, ...] = ()
    vanished: bool = False
    gaps: int = 0
    goal: int | None = None
    only_newest: bool = False
    initial: str | None = None
    pushed_at: datetime | None = None
    kinds: tuple[str, ...] = (PULL_REQUESTS,)
    unfinished: tuple[str, ...] = ()
    finished: tuple[Finished, ...] = ()

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def lasting_goal(self) -> int | None:
        """Return how many of the newest are wanted at all; None for the whole history, now or later."""
        return self.goal if self.only_newest else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """How far a backfill goes; nothing given means the whole history."""

    max_items: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One walk through a repository's items of a kind, as it stood when it was read.

    `page_size` is the next page's; what was learned on the way to it is in `policy.chunking.PageSize`.  A part of a
    split walk has its `numbers`, lowest and highest; its cursor is the next of them.
    """

    id: str
    backfill_id: str
    repository_id: str
    phase: Phase
    goal: Goal
    cursor: str | None
    pass_number: int
    read_down_to: datetime | None
    watermark: datetime | None
    page_size: int | None
    page_worked: int
    page_too_big: int | None
    pages_clean: int
    items_done: int
    part: int = 0
    numbers: tuple[int, int] | None = None
    kind: str = PULL_REQUESTS


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A chunk that is ours until its lease is over, or until somebody raises its attempt.

    `attempt` counts claims, also those given back unharmed; `failures` counts the claims that ended in an error.
    """

    chunk_id: str
    chunk_number: int
    attempt: int
    failures: int = 0
    after: str | None
    stream: Stream


@dataclass(frozen=True, kw_only=True, slots=True)
class RowCounts:
    """What a commit did to the rows of one or several tables."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0

    def __add__(self, other: RowCounts) -> RowCounts:
        """Add count by count."""
        return RowCounts(
            inserted=self.inserted + other.inserted,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            quarantined=self.quarantined + other.quarantined,
        )

    @property
    def total(self) -> int:
        """Return the number of rows that were sent."""
        return self.inserted + self.updated + self.unchanged + self.quarantined
