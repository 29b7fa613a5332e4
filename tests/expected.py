"""Rows as they should be stored, wherever they come from: a corpus, a synthetic world, a hand-made example."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final, Literal, TypeVar, Union

GHOST: Final = 10137


class Unknown(Enum):
    """The one value of a field that the source does not tell."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Value = TypeVar("Value")
Known = Union[Value, Literal[Unknown.UNKNOWN]]  # noqa: UP007 (a generic alias needs it)


@dataclass(frozen=True, kw_only=True, slots=True)
class PullRequest:
    """`state` is open, closed or merged; people are GitHub's ids, `GHOST` for a deleted account."""

    number: int
    github_id: Known[int] = UNKNOWN
    title: Known[str] = UNKNOWN
    body: Known[str | None] = UNKNOWN
    state: Known[str] = UNKNOWN
    draft: Known[bool] = UNKNOWN
    author: Known[int] = UNKNOWN
    merged_by: Known[int | None] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN
    closed_at: Known[datetime | None] = UNKNOWN
    merged_at: Known[datetime | None] = UNKNOWN
    additions: Known[int] = UNKNOWN
    deletions: Known[int] = UNKNOWN
    changed_files: Known[int] = UNKNOWN
    commits: Known[int] = UNKNOWN
    base_branch: Known[str] = UNKNOWN
    head_branch: Known[str] = UNKNOWN
    labels: Known[tuple[Label, ...]] = UNKNOWN
    assignees: Known[tuple[Assignee, ...]] = UNKNOWN
    requested_reviewers: Known[tuple[Reviewer, ...]] = UNKNOWN
    milestone: Known[Milestone | None] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A submitted review; `pull_request` is its number."""

    github_id: int
    pull_request: int
    author: Known[int] = UNKNOWN
    state: Known[str] = UNKNOWN
    body: Known[str | None] = UNKNOWN
    submitted_at: Known[datetime] = UNKNOWN
    commit_id: Known[str | None] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewComment:
    """A comment on the diff; `review_github_id` is None for those from before there were reviews."""

    github_id: int
    pull_request: int
    review_github_id: Known[int | None] = UNKNOWN
    in_reply_to: Known[int | None] = UNKNOWN
    author: Known[int] = UNKNOWN
    body: Known[str] = UNKNOWN
    path: Known[str | None] = UNKNOWN
    position: Known[int | None] = UNKNOWN
    original_position: Known[int | None] = UNKNOWN
    diff_hunk: Known[str | None] = UNKNOWN
    commit_id: Known[str | None] = UNKNOWN
    original_commit_id: Known[str | None] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment in the conversation of a pull request."""

    github_id: int
    pull_request: int
    author: Known[int] = UNKNOWN
    body: Known[str] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A label of an issue or a pull request; `id` is its node id."""

    name: str
    id: Known[str] = UNKNOWN
    color: Known[str] = UNKNOWN
    description: Known[str | None] = UNKNOWN
    default: Known[bool] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignee:
    """A user whom an issue or a pull request is assigned to."""

    id: int
    login: Known[str] = UNKNOWN
    avatar_url: Known[str] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Reviewer:
    """Whose review is asked for: of a team nothing but its type is known, and of who is not shown not even that."""

    type: str | None
    id: int | None
    login: Known[str | None] = UNKNOWN
    avatar_url: Known[str | None] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Milestone:
    """The milestone of an issue or a pull request; `state` is open or closed, `due_on` the text that GitHub gives."""

    number: int
    title: Known[str] = UNKNOWN
    state: Known[str] = UNKNOWN
    description: Known[str | None] = UNKNOWN
    due_on: Known[str | None] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Issue:
    """`state` is open or closed; labels and assignees are in GitHub's order."""

    number: int
    github_id: Known[int] = UNKNOWN
    title: Known[str] = UNKNOWN
    body: Known[str | None] = UNKNOWN
    state: Known[str] = UNKNOWN
    author: Known[int] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN
    closed_at: Known[datetime | None] = UNKNOWN
    labels: Known[tuple[Label, ...]] = UNKNOWN
    assignees: Known[tuple[Assignee, ...]] = UNKNOWN
    milestone: Known[Milestone | None] = UNKNOWN
    comments_count: Known[int] = UNKNOWN
    is_pull_request: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueComment:
    """A comment on an issue; `issue` is its number, and no pull request has it."""

    github_id: int
    issue: int
    author: Known[int] = UNKNOWN
    body: Known[str] = UNKNOWN
    created_at: Known[datetime] = UNKNOWN
    updated_at: Known[datetime] = UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Repository:
    """A repository with all its pull requests and issues; `github_pull_requests` is the total that GitHub tells."""

    github_id: int
    full_name: str
    owner: Known[str] = UNKNOWN
    name: Known[str] = UNKNOWN
    is_private: Known[bool] = UNKNOWN
    is_fork: Known[bool] = UNKNOWN
    is_archived: Known[bool] = UNKNOWN
    description: Known[str | None] = UNKNOWN
    default_branch: Known[str] = UNKNOWN
    github_pull_requests: Known[int] = UNKNOWN
    pull_requests: tuple[PullRequest, ...] = ()
    reviews: tuple[Review, ...] = ()
    review_comments: tuple[ReviewComment, ...] = ()
    comments: tuple[Comment, ...] = ()
    issues: tuple[Issue, ...] = ()
    issue_comments: tuple[IssueComment, ...] = ()
