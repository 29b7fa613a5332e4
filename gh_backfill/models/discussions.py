"""Discussions with their comments, and the replies to these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.github import NodeId, Person, Unreadable


class DiscussionState(StrEnum):
    """Open or closed, in the spelling of the database."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Category:
    """The category that a discussion stands in."""

    node_id: NodeId
    name: str
    description: str | None
    emoji: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Discussion:
    """The discussion itself, with the counts GitHub gave beside it; `comments` counts those that are no replies."""

    node_id: NodeId
    github_id: int
    number: int
    title: str
    body: str
    category: Category
    state: DiscussionState
    state_reason: str | None
    locked: bool
    url: str
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    author: Person
    is_answered: bool
    answer_id: NodeId | None
    answer_chosen_at: datetime | None
    answer_chosen_by: str | None
    upvotes: int
    comments: int


@dataclass(frozen=True, kw_only=True, slots=True)
class DiscussionComment:
    """A comment of a discussion; a reply has a `parent`, which is GitHub's number of the comment that it replies to.

    GitHub keeps a comment without its text where one was deleted that has replies.
    """

    node_id: NodeId
    github_id: int
    author: Person
    body: str
    url: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    is_answer: bool
    upvotes: int
    replies: int
    parent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CompleteDiscussion:
    """A discussion with everything that belongs to it; a comment comes before the replies to it.

    `gap` says what GitHub counts but does not list; None where the counts agree.
    """

    discussion: Discussion
    comments: tuple[DiscussionComment, ...]
    gap: str | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def number(self) -> int:
        """Return its number."""
        return self.discussion.number
