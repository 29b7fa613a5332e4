"""Complete means complete: what a pull request still lacks, the cheapest way to ask for it, and when to stop asking.

A page brings each pull request with its first reviews and comments and with counts.  From those follows what is still
to be read (a *want*).  Wants of many pull requests are packed into queries of one point each, until nothing is left.
Review comments come by review (one unit each) or by thread (one unit and one more for each thread), whichever is
cheaper; by thread where some belong to no review.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from gh_backfill.models.github import GHOST, Listing, Named, NodeId, NotFound, Unknown, Unreadable
from gh_backfill.models.pull_requests import Comment, CompletePullRequest, Review, ReviewComment
from gh_backfill.policy.followed import Followed
from gh_backfill.policy.pull_requests.follow_ups import (
    KINDS,
    Answer,
    CommentsOfReview,
    CommentsOfThread,
    FollowUp,
    MoreComments,
    MoreReviews,
    PageItem,
    ThreadComments,
    Threads,
)
from gh_backfill.policy.pull_requests.listed import believe
from gh_backfill.policy.query_prices import LARGEST_FIRST

Kept = TypeVar("Kept", Review, Comment, ReviewComment)
Kind = TypeVar("Kind")


TRIES = 3
_NAMES: Mapping[type[FollowUp], str] = {
    MoreReviews: "reviews",
    MoreComments: "comments",
    CommentsOfReview: "comments of reviews",
    Threads: "threads",
    CommentsOfThread: "comments of threads",
}


class PullRequestCollector:
    """One pull request on its way to completeness; `wants` and `take` move it along."""

    def __init__(self, item: PageItem) -> None:
        self.pull_request = item.pull_request
        self._reviews: dict[int, Review] = {}
        self._comments: dict[int, Comment] = {}
        self._review_comments: dict[int, ReviewComment] = {}
        self._unreadable: list[Unreadable] = []
        self._open: list[FollowUp] = []
        self._failures: Counter[FollowUp] = Counter()
        self._reviews_asked: set[int] = set()
        self._by_review = False
        self._by_thread = False
        self._read_again = False
        self._listed: tuple[ReviewComment, ...] = ()
        self._lists: dict[tuple[type[FollowUp], NodeId], Followed] = {}
        node_id = item.pull_request.node_id
        self._keep(self._reviews, item.reviews, MoreReviews(node_id=node_id, after=None))
        self._keep(self._comments, item.comments, MoreComments(node_id=node_id, after=None))

    def wants(self) -> tuple[FollowUp, ...]:
        """Return what is to be asked next; nothing means that the pull request is complete, or as far as it gets."""
        if all(isinstance(want, MoreComments) for want in self._open):
            self._plan_review_comments()
        if not self._open and not self._read_again and self._gap():
            self._read_again = True
            self._ask_again_for_what_is_short()
        return tuple(self._open)

    def supply(self, review_comments: Sequence[ReviewComment]) -> None:
        """Hand in what a list has of this pull request; only what the counts still miss is asked for then.

        Of no effect once review comments were asked for.
        """
        self._listed = tuple(review_comments)

    def take(self, want: FollowUp, answer: Named[Answer]) -> None:
        """Take the answer to a want of ours.

        What can't be read is asked for again, at most `TRIES` times in all; then it is given up and reported.
        """
        self._open.remove(want)
        if isinstance(answer, NotFound | Unknown):
            if isinstance(answer, Unknown) and not self._try_again(want):
                self._unreadable.append(self._given_up(want))
            return
        if answer.unreadable and self._try_again(want):
            answer = replace(answer, unreadable=(), next=None)
        match want:
            case MoreReviews():
                self._keep(self._reviews, _only(Review, answer), want)
            case MoreComments():
                self._keep(self._comments, _only(Comment, answer), want)
            case CommentsOfReview() | CommentsOfThread():
                self._keep(self._review_comments, _only(ReviewComment, answer), want)
            case Threads():
                self._take_threads(want, _only(ThreadComments, answer))

    def shrink(self, want: FollowUp) -> None:
        """Follow a want of ours that is too much by itself: fewer threads at once, or else as one without an answer."""
        if isinstance(want, Threads) and want.first > 1:
            self._open[self._open.index(want)] = replace(want, first=want.first // 2)
        else:
            self.take(want, Unknown(reason="it is too much for GitHub by itself"))

    def complete(self) -> CompletePullRequest:
        """Return the pull request with all that was read, oldest first, and what remains unexplained."""
        return CompletePullRequest(
            pull_request=self.pull_request,
            reviews=tuple(sorted(self._reviews.values(), key=lambda review: review.github_id)),
            review_comments=tuple(sorted(self._review_comments.values(), key=lambda comment: comment.github_id)),
            comments=tuple(sorted(self._comments.values(), key=lambda comment: comment.github_id)),
            gap=self._gap(),
            unreadable=tuple(self._unreadable),
        )

    def _keep(self, held: dict[int, Kept], listing: Listing[Kept], asked: FollowUp) -> None:
        held.update((item.github_id, item) for item in listing.items)
        self._unreadable += (replace(each, number=self.pull_request.number) for each in listing.unreadable)
        if self._leads_on(asked, listing, [item.github_id for item in listing.items]):
            self._open.append(replace(asked, after=listing.next))

    def _leads_on(self, asked: FollowUp, listing: Answer, ids: Sequence[int | str]) -> bool:
        key = (type(asked), asked.node_id)
        followed = self._lists.setdefault(key, Followed(beginning=replace(asked, after=None)))
        if asked.after is None:
            followed.begin()
        return followed.take(ids, lost=len(listing.unreadable), total=listing.total, following=listing.next)

    def _take_threads(self, asked: Threads, listing: Listing[ThreadComments]) -> None:
        self._unreadable += (replace(each, number=self.pull_request.number) for each in listing.unreadable)
        for thread in listing.items:
            comments = CommentsOfThread(node_id=thread.node_id, after=None)
            if thread.comments.unreadable:
                self._open.append(comments)
            else:
                self._keep(self._review_comments, thread.comments, comments)
        if self._leads_on(asked, listing, [thread.node_id for thread in listing.items]):
            seen = asked.seen + asked.first
            first = min(asked.first, max(1, listing.total - seen))
            self._open.append(Threads(node_id=asked.node_id, after=listing.next, first=first, seen=seen))

    def _try_again(self, want: FollowUp) -> bool:
        self._failures[want] += 1
        again = self._failures[want] < TRIES
        if again:
            self._open.append(want)
        return again

    def _given_up(self, want: FollowUp) -> Unreadable:
        return Unreadable(
            kind=KINDS[type(want)],
            identity=want.node_id,
            reason=f"GitHub gave no answer, {TRIES} times",
            number=self.pull_request.number,
        )

    def _plan_review_comments(self) -> None:
        """Decide by review or by thread; and, when one way was not enough, take the other one too."""
        if not self._by_review and not self._by_thread and not self._listed_is_enough():
            if self._thread_is_better():
                self._ask_by_thread()
            else:
                self._by_review = True
        elif not self._by_thread and self._reviews_asked and self._some_are_missing():
            self._ask_by_thread()
        elif not self._by_review and len(self._review_comments) < self._in_reviews():
            self._by_review = True
        if self._by_review:
            self._ask_by_review()
        if not self._open and not self._by_thread and self._reviews_asked and self._some_are_missing():
            self._ask_by_thread()  # a list settled all reviews, but not what belongs to none

    def _listed_is_enough(self) -> bool:
        """Take what can be believed of the list; True where nothing of GitHub's counts is missing then."""
        if not self._listed:
            return False
        authors = [item.author for items in (self._reviews, self._comments) for item in items.values()]
        people = {person.github_id: person for person in (GHOST, self.pull_request.author, *authors)}
        believed = believe(self.pull_request, self._reviews, people, self._listed)
        self._listed = ()
        self._review_comments.update((comment.github_id, comment) for comment in believed.comments)
        self._reviews_asked |= believed.reviews
        self._by_review = self._by_thread = believed.whole
        return believed.whole

    def _ask_by_review(self) -> None:
        for review in self._reviews.values():
            if review.comments and review.github_id not in self._reviews_asked:
                self._reviews_asked.add(review.github_id)
                want = CommentsOfReview(node_id=review.node_id, review_id=review.github_id, after=None)
                self._open.append(want)

    def _ask_by_thread(self) -> None:
        self._by_thread = True
        threads = self.pull_request.review_threads
        if threads:
            first = min(LARGEST_FIRST, threads)
            self._open.append(Threads(node_id=self.pull_request.node_id, after=None, first=first))

    def _ask_again_for_what_is_short(self) -> None:
        """Read the lists again that ended before their count: GitHub cuts wide answers short without a word."""
        node_id = self.pull_request.node_id
        short: list[FollowUp] = [each.again() for each in self._lists.values() if each.short]
        if len(self._reviews) < self.pull_request.reviews:
            short.append(MoreReviews(node_id=node_id, after=None))
        if len(self._comments) < self.pull_request.comments:
            short.append(MoreComments(node_id=node_id, after=None))
        held = Counter(comment.review_id for comment in self._review_comments.values())
        short += (
            CommentsOfReview(node_id=review.node_id, review_id=review.github_id, after=None)
            for review in self._reviews.values()
            if held[review.github_id] < review.comments
        )
        self._open += dict.fromkeys(short)

    def _thread_is_better(self) -> bool:
        threads = self.pull_request.review_threads
        if not threads:
            return False
        held_by_reviews = self._in_reviews()
        if threads > held_by_reviews or (self._expected() or 0) > held_by_reviews:
            return True
        unasked = (review for review in self._reviews.values() if review.github_id not in self._reviews_asked)
        by_review = sum(-(-review.comments // LARGEST_FIRST) for review in unasked)
        by_thread = threads + -(-threads // LARGEST_FIRST)
        return by_thread < by_review

    def _some_are_missing(self) -> bool:
        threads = self.pull_request.review_threads
        held = self._review_comments
        roots = sum(comment.reply_to is None for comment in held.values())
        orphaned = any(comment.reply_to not in held for comment in held.values() if comment.reply_to is not None)
        return threads > roots or (threads > 0 and (orphaned or (self._expected() or 0) > len(held)))

    def _in_reviews(self) -> int:
        return sum(review.comments for review in self._reviews.values())

    def _expected(self) -> int | None:
        """Return how many review comments there are by GitHub's count of both kinds together."""
        total = self.pull_request.total_comments
        return None if total is None else total - self.pull_request.comments

    def _gap(self) -> str | None:
        expected = self._expected()
        counts = (
            ("reviews", self.pull_request.reviews, len(self._reviews)),
            ("comments", self.pull_request.comments, len(self._comments)),
            ("review comments", max(expected or 0, self._in_reviews()), len(self._review_comments)),
        )
        short = [f"{counted} {what} counted, {held} listed" for what, counted, held in counts if counted > held]
        return "; ".join(short or self._short_lists()) or None

    def _short_lists(self) -> list[str]:
        """Name the lists that ended before their own count, where the counts of the pull request say nothing of it."""
        found: dict[str, list[Followed]] = {}
        for (kind, _), followed in self._lists.items():
            if followed.short:
                found.setdefault(_NAMES[kind], []).append(followed)
        return [
            f"{sum(each.total for each in lists)} {name} counted, {sum(each.held for each in lists)} listed"
            for name, lists in found.items()
        ]


def _only(kind: type[Kind], answer: Answer) -> Listing[Kind]:
    """Narrow an answer to the kind that its want calls for."""
    items = tuple(item for item in answer.items if isinstance(item, kind))
    if len(items) != len(answer.items):
        raise TypeError(f"expected {kind.__name__} in the answer")
    return Listing(items=items, total=answer.total, next=answer.next, unreadable=answer.unreadable)
