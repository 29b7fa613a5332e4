"""The work: repositories that are captured, how far, by whom.  Ids are ours unless named otherwise; times are UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from gh_backfill.models.github import NodeId
from gh_backfill.models.pull_requests import PullRequestState

# The kind that every repository captures where nothing else is said, and that `progressive_backfill_state` is about.
PULL_REQUESTS = "pull_requests"
# Words for what is captured after the items, of which it is: profiles of people, files and commits of pull requests.
CONTRIBUTORS = "contributors"
FILES, COMMITS = "files", "commits"
AFTER_ITEMS = (CONTRIBUTORS, FILES, COMMITS)


def words_of(kind: str) -> str:
    """Return what messages call the items of a kind, by its name: the plural."""
    return kind.replace("_", " ")


class Phase(StrEnum):
    """What a stream is for.

    The walk through the whole history, the reading of what changed since that began, or, whatever the state of the
    backfill, of what changed since the last time.
    """

    HISTORY = "history"
    CATCH_UP = "catch_up"
    SYNC = "sync"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """Items of a kind whose backfill is complete: so many are here or known gaps, and so many GitHub counts.

    With `of_goal` only those of its goal are ever wanted, and they are here.
    """

    kind: str
    there: int
    total: int
    of_goal: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """How far a backfill goes, and which items it is about; nothing given means the whole history.

    The newest `max_items` of those that were created from `since` on and before `until`, and are in one of the
    `states` (none: in any).
    """

    max_items: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    states: tuple[PullRequestState, ...] = ()

    def __post_init__(self) -> None:
        """Let equal goals be equal: each state once and in one order, and none where all are named."""
        states = tuple(each for each in PullRequestState if each in self.states)
        object.__setattr__(self, "states", () if len(states) == len(PullRequestState) else states)

    @property
    def filtered(self) -> bool:
        """Say whether it leaves out other items than the oldest."""
        return bool(self.dated or self.states)

    @property
    def dated(self) -> bool:
        """Say whether it is about a span of time: nobody knows before the end how many items that has."""
        return self.since is not None or self.until is not None

    @property
    def words(self) -> str:
        """Say what is wanted: `the newest 200`, `all merged since 2026-01-01`, `everything`."""
        if self == Goal():
            return "everything"
        words = ["all" if self.max_items is None else f"the newest {self.max_items}"]
        words += [" or ".join(self.states)] if self.states else []
        span = [] if self.since is None else [f"since {_day(self.since)}"]
        span += [] if self.until is None else [f"before {_day(self.until)}"]
        return " ".join([*words, *([" and ".join(span)] if span else [])])


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRepository:
    """A repository as the database knows it, and how far its history has come.

    `begun` says that its walk has a place or is split; `free_parts` are the open parts that nobody works on.
    `vanished` says that its backfill failed because GitHub did not show it any more.  `gaps` are pull requests that
    GitHub counted and did not list, by two readings.  `aim` is the goal of its walk, for good with `only_newest` and
    else the first one; `goal` is how many that is as far as it is known (None: all), `open_ended` says that it is not
    known yet, and `captured` are those of the goal.  `initial` is the word for its initial backfill.  All of this is
    about its pull requests; `kinds` are the kinds of items that are captured of it, `unfinished` those beside pull
    requests that are not complete, and `finished` how many there are of those that are.  `after` is what is captured
    after the items.  `off_peak` are the hours in which plans take it, and `every_days` says that a history
    complete since `completed_at` is read again after so many.
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
    aim: Goal = field(default_factory=Goal)
    open_ended: bool = False
    only_newest: bool = False
    initial: str | None = None
    pushed_at: datetime | None = None
    kinds: tuple[str, ...] = (PULL_REQUESTS,)
    unfinished: tuple[str, ...] = ()
    finished: tuple[Finished, ...] = ()
    off_peak: str | None = None
    every_days: int | None = None
    completed_at: datetime | None = None
    after: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """Return how many of its pull requests are missing, as far as they are counted."""
        return max(0, (self.total or 0) - self.captured - self.gaps)

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"

    @property
    def lasting_goal(self) -> int | None:
        """Return how many of the newest are wanted at all; None for the whole history, now or later."""
        return self.goal if self.only_newest else None

    @property
    def lasting_aim(self) -> Goal:
        """Return what is wanted at all, now or later."""
        return self.aim if self.only_newest else Goal()


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One walk through a repository's items of a kind, as it stood when it was read.

    `page_size` is the next page's; what was learned on the way to it is in `policy.chunking.PageSize`.  A part of a
    split walk has its `numbers`, lowest and highest; its cursor is the next of them.  A sync belongs to no backfill.
    """

    id: str
    backfill_id: str | None
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

    @property
    def hurries(self) -> bool:
        """Say whether its next page is asked for with what the last one lacks: it is likely to be wanted."""
        return self.phase is Phase.HISTORY or (self.phase is Phase.SYNC and self.pass_number == 1)


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


def _day(moment: datetime) -> str:
    """Return the day, and the time of day where it is not midnight in UTC."""
    utc = moment.astimezone(UTC)
    return (
        f"{utc:%Y-%m-%d}"
        if utc == utc.replace(hour=0, minute=0, second=0, microsecond=0)
        else f"{utc:%Y-%m-%d %H:%M} UTC"
    )
