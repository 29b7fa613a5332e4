"""What can be asked to complete pull requests, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gh_backfill.models.github import Listing, NodeId, Unreadable
from gh_backfill.models.pull_requests import Comment, PullRequest, Review, ReviewComment


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreReviews:
    """The reviews of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreComments:
    """The conversation comments of a pull request after `after`."""

    node_id: NodeId
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfReview:
    """The review comments of one review."""

    node_id: NodeId
    review_id: int
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Threads:
    """The review threads of a pull request after `after`, where `seen` were read, each with its first comments."""

    node_id: NodeId
    after: str | None
    first: int
    seen: int = 0

    @property
    def units(self) -> int:
        """Return one unit for the list and one for the comments of each thread."""
        return 1 + self.first


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfThread:
    """The comments of one thread after `after`."""

    node_id: NodeId
    after: str | None
    units: int = 1


FollowUp = MoreReviews | MoreComments | CommentsOfReview | Threads | CommentsOfThread


def by_id(want: FollowUp) -> bool:
    """Say whether a want may be asked for by an id in a list of ids; others need an alias of their own."""
    return isinstance(want, CommentsOfReview) and want.after is None


KINDS: Mapping[type[FollowUp], str] = {
    MoreReviews: "review",
    MoreComments: "issue_comment",
    CommentsOfReview: "review_comment",
    Threads: "review_comment",
    CommentsOfThread: "review_comment",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ThreadComments:
    """One thread as a query by thread answers it."""

    node_id: NodeId
    comments: Listing[ReviewComment]


@dataclass(frozen=True, kw_only=True, slots=True)
class PageItem:
    """A pull request as a page brings it."""

    pull_request: PullRequest
    reviews: Listing[Review]
    comments: Listing[Comment]


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One place of a page: the cursor that leads to it, and what was there, as far as it could be read."""

    after: str | None
    item: PageItem | None
    unreadable: tuple[Unreadable, ...]

    @property
    def number(self) -> int | None:
        """Return the number of the pull request that was there, as far as it is known."""
        if self.item is not None:
            return self.item.pull_request.number
        return next((each.number for each in self.unreadable if each.number is not None), None)


Answer = Listing[Review] | Listing[Comment] | Listing[ReviewComment] | Listing[ThreadComments]
