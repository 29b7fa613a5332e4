"""Pull requests with all that belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.github import NodeId, Person, Unreadable
from gh_backfill.models.labels import Label, Milestone, ReviewRequest


class PullRequestState(StrEnum):
    """GitHub's own three states, in the spelling of the database."""

    OPEN = "open"
    CLOSED = "closed"
    MERGED = "merged"


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
    node_id: NodeId | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comment:
    """A comment in the conversation of a pull request."""

    github_id: int
    author: Person
    body: str
    created_at: datetime
    updated_at: datetime
    node_id: NodeId | None = None


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
    milestone: Milestone | None = None
    labels: int = 0
    assignees: int = 0
    review_requests: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CompletePullRequest:
    """A pull request with everything that belongs to it, labels, assignees and requests in GitHub's order.

    `gap` says what GitHub counts but does not list; None where the counts agree.  A list that is not `whole` has less
    than GitHub counts.
    """

    pull_request: PullRequest
    reviews: tuple[Review, ...]
    review_comments: tuple[ReviewComment, ...]
    comments: tuple[Comment, ...]
    labels: tuple[Label, ...] = ()
    assignees: tuple[Person, ...] = ()
    review_requests: tuple[ReviewRequest, ...] = ()
    labels_whole: bool = True
    assignees_whole: bool = True
    review_requests_whole: bool = True
    gap: str | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def number(self) -> int:
        """Return its number."""
        return self.pull_request.number
