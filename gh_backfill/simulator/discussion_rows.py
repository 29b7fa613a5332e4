"""Rows of discussions, their comments and the categories they stand in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class CategoryRow:
    """A category; what stands in one that is `answerable` may have an answer."""

    repository_id: int
    id: int
    node_id: str
    name: str
    description: str | None
    emoji: str
    answerable: bool
    created_at: str


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DiscussionCommentRow:
    """A comment of a discussion, or a reply to the comment whose id is `reply_to`."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str = "NONE"
    body: str
    created_at: str
    updated_at: str
    deleted_at: str | None = None
    reply_to: int | None = None
    upvotes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DiscussionRow:
    """A discussion with its comments and all replies, by id; `answer` is the id of one of them."""

    repository_id: int
    number: int
    id: int
    node_id: str
    author: int | None
    association: str = "NONE"
    title: str
    body: str
    category: CategoryRow
    open: bool = True
    state_reason: str | None = None
    locked: bool = False
    created_at: str
    updated_at: str
    closed_at: str | None = None
    answer: int | None = None
    answer_chosen_at: str | None = None
    answer_chosen_by: int | None = None
    upvotes: int = 0
    comments: tuple[DiscussionCommentRow, ...] = ()

    @property
    def state(self) -> str:
        """GraphQL's state: OPEN or CLOSED."""
        return "OPEN" if self.open else "CLOSED"

    def replies(self, comment: int | None) -> tuple[DiscussionCommentRow, ...]:
        """Return the replies to a comment; those to none are the comments themselves."""
        return tuple(row for row in self.comments if row.reply_to == comment)
