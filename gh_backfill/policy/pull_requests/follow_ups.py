"""Questions that complete pull requests, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from gh_backfill.models.github import Listing, NodeId, Unreadable
from gh_backfill.models.pull_requests import Comment, PullRequest, Review, ReviewComment
from gh_backfill.policy.items import AN_ALIAS, FollowUp
from gh_backfill.policy.open_lists import ListWords
from gh_backfill.policy.query_prices import LARGEST_FIRST
from gh_backfill.policy.surcharges import Counted

_LIST_OF_IDS = Counted(ids=1)
# Lists of ids that stand beside another one have a name of their own.
_NAMED_IDS = Counted(ids=1, aliases=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreReviews:
    """The reviews of a pull request after `after`; of each there may be, its comments are counted."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    by_ids: ClassVar[None] = None
    alone: ClassVar[Counted] = Counted(aliases=1, counts=LARGEST_FIRST)

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreComments:
    """The conversation comments of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    by_ids: ClassVar[None] = None
    alone: ClassVar[Counted] = AN_ALIAS

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfReview:
    """The review comments of one review."""

    node_id: NodeId
    review_id: int
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the one list of ids of a query, in which its first page may stand."""
        return _LIST_OF_IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class Threads:
    """The review threads of a pull request after `after`, where `seen` were read, each with its first comments."""

    node_id: NodeId
    after: str | None
    first: int
    seen: int = 0
    by_ids: ClassVar[None] = None
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def units(self) -> int:
        """Return one unit for the list and one for the comments of each thread."""
        return 1 + self.first

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfThread:
    """The comments of one thread after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    by_ids: ClassVar[None] = None
    alone: ClassVar[Counted] = AN_ALIAS

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class LabelsOfPullRequest:
    """The labels of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _NAMED_IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class AssigneesOfPullRequest:
    """The assignees of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _NAMED_IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewRequestsOfPullRequest:
    """The requests for a review of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: ClassVar[int] = 1
    alone: ClassVar[Counted] = AN_ALIAS

    @property
    def by_ids(self) -> Counted | None:
        """Return the list of ids in which its first page may stand."""
        return _NAMED_IDS if self.after is None else None

    def at(self, after: str | None) -> Self:
        """Return the same from another place on."""
        return replace(self, after=after)


MarkFollowUp = LabelsOfPullRequest | AssigneesOfPullRequest | ReviewRequestsOfPullRequest
PullRequestFollowUp = MoreReviews | MoreComments | CommentsOfReview | Threads | CommentsOfThread | MarkFollowUp

WORDS: Mapping[type[FollowUp], ListWords] = {
    MoreReviews: ListWords(item="review", items="reviews"),
    MoreComments: ListWords(item="issue_comment", items="comments"),
    CommentsOfReview: ListWords(item="review_comment", items="comments of reviews"),
    Threads: ListWords(item="review_comment", items="threads"),
    CommentsOfThread: ListWords(item="review_comment", items="comments of threads"),
    LabelsOfPullRequest: ListWords(item="label", items="labels", shared=True),
    AssigneesOfPullRequest: ListWords(item="assignee", items="assignees", shared=True),
    ReviewRequestsOfPullRequest: ListWords(item="requested_reviewer", items="requested reviewers"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadComments:
    """One thread as a query by thread answers it."""

    node_id: NodeId
    comments: Listing[ReviewComment]


@dataclass(frozen=True, kw_only=True, slots=True)
class PagePullRequest:
    """A pull request as a page brings it."""

    pull_request: PullRequest
    reviews: Listing[Review]
    comments: Listing[Comment]

    @property
    def number(self) -> int:
        """Return its number."""
        return self.pull_request.number

    @property
    def created_at(self) -> datetime:
        """Return when it was created."""
        return self.pull_request.created_at

    @property
    def updated_at(self) -> datetime:
        """Return when it was changed last."""
        return self.pull_request.updated_at

    @property
    def state(self) -> str:
        """Return the state it is in."""
        return self.pull_request.state

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return the reviews and comments that could not be read."""
        return (*self.reviews.unreadable, *self.comments.unreadable)
