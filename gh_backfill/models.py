"""The values that travel between the layers.  Times are UTC; ids are GitHub's unless a name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Generic, Literal, NewType, TypeVar, Union

# GitHub's own name for one of its objects: no login, number or UUID of ours goes where it belongs.
NodeId = NewType("NodeId", str)
Item_co = TypeVar("Item_co", covariant=True)
Thing = TypeVar("Thing")


class PullRequestState(StrEnum):
    """GitHub's own three states, in the spelling of the database."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An account: a user, bot, mannequin or organisation.  The id is its identity, the login is not."""

    github_id: int
    login: str
    is_bot: bool = False
    name: str | None = None
    avatar_url: str | None = None


# GitHub shows whatever a deleted account wrote as https://github.com/ghost, whose id is this one.
GHOST = Person(github_id=10137, login="ghost", avatar_url="https://avatars.githubusercontent.com/u/10137?v=4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """One review; `comments` is how many review comments GitHub says it holds."""

    node_id: NodeId
    github_id: int
    author: Person
    state: str
    body: str
    submitted_at: datetime | None
    commit_id: str | None
    comments: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewComment:
    """A comment on the diff.  `review_id` is None for those from before there were reviews (September 2016)."""

    github_id: int
    review_id: int | None
    reply_to: int | None
    author: Person
    body: str
    path: str | None
    position: int | None
    original_position: int | None
    diff_hunk: str | None
    commit_id: str | None
    original_commit_id: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment in the conversation of a pull request."""

    github_id: int
    author: Person
    body: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """The pull request itself, with the counts GitHub gave beside it (None: GitHub did not say)."""

    node_id: NodeId
    github_id: int
    number: int
    title: str
    body: str | None
    state: PullRequestState
    draft: bool
    url: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    merged_at: datetime | None
    additions: int
    deletions: int
    changed_files: int
    commits: int
    base_branch: str
    head_branch: str
    author: Person
    merged_by: Person | None
    reviews: int
    comments: int
    review_threads: int
    total_comments: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """An item that can't be stored, with its reason; it goes to the quarantine, its neighbours are stored."""

    kind: str
    identity: str
    reason: str
    number: int | None = None
    github_id: int | None = None
    payload: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletePullRequest:
    """A pull request with everything that belongs to it.

    `gap` says what GitHub counts but does not list; None where the counts agree.
    """

    pull_request: PullRequest
    reviews: tuple[Review, ...]
    review_comments: tuple[ReviewComment, ...]
    comments: tuple[Comment, ...]
    gap: str | None = None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing(Generic[Item_co]):
    """One page of a connection, with what of it could not be read.  `next` is the cursor of the page that follows."""

    items: tuple[Item_co, ...]
    total: int
    next: str | None
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """What GitHub said about the points of one hour."""

    limit: int
    remaining: int
    reset_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent:
    """What was asked cost: points, requests (retries included), and the seconds that its answers took."""

    points: int = 0
    requests: int = 0
    seconds: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        """Add each of the three: requests to GitHub come one after the other, so their seconds add up, too."""
        return Spent(
            points=self.points + other.points,
            requests=self.requests + other.requests,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class NotFound:
    """GitHub's own NOT_FOUND for exactly what was named: it is not there (any more), or not for us."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown:
    """GitHub did not say.  What was known before holds, and it is to be asked again; `reason` says why."""

    reason: str


# What an answer says of a thing that was named: the thing, that there is none, or nothing.
Named = Union[Thing, NotFound, Unknown]  # noqa: UP007  (a generic alias needs it)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository as GitHub describes it."""

    node_id: NodeId
    github_id: int
    owner: str
    name: str
    is_private: bool
    pull_requests: int
    description: str | None = None
    homepage: str | None = None
    language: str | None = None
    license: str | None = None
    default_branch: str | None = None
    avatar_url: str | None = None
    is_fork: bool = False
    is_archived: bool = False
    is_disabled: bool = False
    is_template: bool = False
    has_issues: bool = True
    has_projects: bool = True
    has_wiki: bool = True
    has_discussions: bool = False
    stars: int = 0
    forks: int = 0
    size: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    pushed_at: datetime | None = None

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrackedRepository:
    """A repository as the database knows it, and how far its history has come.

    `begun` says that its walk has a place or is split; `free_parts` are the open parts that nobody works on.
    `vanished` says that its backfill failed because GitHub did not show it any more.  `gaps` are pull requests that
    GitHub counted and did not list, by two readings.  `goal` is how many of the newest are wanted.
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

    @property
    def full_name(self) -> str:
        """Return `owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Goal:
    """How far a backfill goes; nothing given means the whole history."""

    max_items: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stream:
    """One walk through a repository's pull requests, locked by the transaction that read it.

    `page_size` is the next page's; what was learned on the way to it is in `policy.chunking.PageSize`.  A part of a
    split walk has its `numbers`, lowest and highest; its cursor is the next of them.
    """

    id: str
    state_id: str
    repository_id: str
    kind: Literal["history", "catch_up"]
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
    page_size: int
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
