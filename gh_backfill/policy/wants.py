"""What can be asked to complete pull requests, what is answered, and how questions are packed into queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from gh_backfill.models import Comment, Listing, PullRequest, Review, ReviewComment, Unreadable
from gh_backfill.policy.cost import UNITS_OF_ONE_POINT


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreReviews:
    """The reviews of a pull request after `after`."""

    node_id: str
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class MoreComments:
    """The conversation comments of a pull request after `after`."""

    node_id: str
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfReview:
    """The review comments of one review."""

    node_id: str
    review_id: int
    after: str | None
    units: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Threads:
    """The review threads of a pull request, each with its first comments."""

    node_id: str
    after: str | None
    first: int

    @property
    def units(self) -> int:
        """Return one unit for the list and one for the comments of each thread."""
        return 1 + self.first


@dataclass(frozen=True, kw_only=True, slots=True)
class CommentsOfThread:
    """The comments of one thread after `after`."""

    node_id: str
    after: str | None
    units: int = 1


Want = MoreReviews | MoreComments | CommentsOfReview | Threads | CommentsOfThread

KINDS: Mapping[type[Want], str] = {
    MoreReviews: "review",
    MoreComments: "issue_comment",
    CommentsOfReview: "review_comment",
    Threads: "review_comment",
    CommentsOfThread: "review_comment",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Thread:
    """One thread as a query by thread answers it."""

    node_id: str
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


class NoAnswer(Enum):
    """Why a want got no answer: what it asked about is gone, or GitHub failed to say."""

    GONE = "gone"
    UNKNOWN = "unknown"


Answer = Listing[Review] | Listing[Comment] | Listing[ReviewComment] | Listing[Thread]


def pack(wants: Iterable[Want], *, units: int = UNITS_OF_ONE_POINT) -> list[tuple[Want, ...]]:
    """Pack wants into as few queries as possible, each of at most `units`; a larger want gets a query of its own.

    First-fit decreasing: at most 11/9 of the best packing and, with units of one to fill the rest, in practice it.
    """
    bins: list[list[Want]] = []
    room: list[int] = []
    for want in sorted(wants, key=lambda want: -want.units):
        for index, left in enumerate(room):
            if want.units <= left:
                bins[index].append(want)
                room[index] -= want.units
                break
        else:
            bins.append([want])
            room.append(units - want.units)
    return [tuple(each) for each in bins]
