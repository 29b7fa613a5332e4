"""Values that GitHub tells, and what it says of itself.  Times are UTC; ids are GitHub's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, NewType, TypeVar, Union

# GitHub's own name for one of its objects: no login, number or UUID of ours goes where it belongs.
NodeId = NewType("NodeId", str)


Item_co = TypeVar("Item_co", covariant=True)


Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """An account: a user, bot, mannequin or organisation.  The id is its identity, the login is not.

    `node_id` is another name of the same identity, and not everybody tells it.
    """

    github_id: int
    login: str
    is_bot: bool = False
    name: str | None = None
    avatar_url: str | None = None
    node_id: NodeId | None = field(default=None, compare=False)


# GitHub shows whatever a deleted account wrote as https://github.com/ghost, whose id is this one.
GHOST = Person(github_id=10137, login="ghost", avatar_url="https://avatars.githubusercontent.com/u/10137?v=4")


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """An item that can't be stored, with its reason; it goes to the quarantine, its neighbours are stored.

    `created_at` is known where the rest of an item of a list is not.
    """

    kind: str
    identity: str
    reason: str
    number: int | None = None
    github_id: int | None = None
    payload: dict[str, object] = field(default_factory=dict)
    created_at: datetime | None = None


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
    """GitHub did not say.  What was known before holds, and it is to be asked again; `reason` says why.

    What is `passing` may be said a moment later; anything else somebody has to change first.
    """

    reason: str
    passing: bool = False


# What an answer says of a thing that was named: the thing, that there is none, or nothing.
Named = Union[Thing, NotFound, Unknown]  # noqa: UP007  (a generic alias needs it)


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository as GitHub describes it; `others` are the counts of its other items, by the names of their kinds."""

    node_id: NodeId
    github_id: int
    owner: str
    name: str
    is_private: bool
    pull_requests: int
    others: Mapping[str, int] = field(default_factory=dict)
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
