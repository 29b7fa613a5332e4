"""Complete means complete: what a pull request still lacks, the cheapest way to ask for it, and when to stop asking.

A page brings each pull request with its first reviews and comments, and with counts.  What is still to be read then is
asked for by *follow-ups*; those of many pull requests are packed into queries of one point each, until nothing is left.
Review comments come by review (one unit each) or by thread (one unit and one more for each thread), whichever is
cheaper; by thread where some belong to no review.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from gh_backfill.models.github import GHOST, Listing, Named, NotFound, Unknown
from gh_backfill.models.pull_requests import Comment, CompletePullRequest, Review, ReviewComment
from gh_backfill.policy.items import FollowUp, only
from gh_backfill.policy.open_lists import OpenLists, short_counts
from gh_backfill.policy.pull_requests.follow_ups import (
    WORDS,
    CommentsOfReview,
    CommentsOfThread,
    MarkFollowUp,
    MoreComments,
    MoreReviews,
    PagePullRequest,
    PullRequestFollowUp,
    ThreadComments,
    Threads,
)
from gh_backfill.policy.pull_requests.listed import believe
from gh_backfill.policy.pull_requests.marks import PullRequestMarks
from gh_backfill.policy.query_prices import LARGEST_FIRST


class PullRequestCollector:
    """One pull request on its way to completeness; `follow_ups` and `take` move it along."""

    def __init__(self, item: PagePullRequest) -> None:
        self.pull_request = item.pull_request
        self._reviews: dict[int, Review] = {}
        self._comments: dict[int, Comment] = {}
        self._review_comments: dict[int, ReviewComment] = {}
        self._lists = OpenLists(number=item.number, words=WORDS)
        self._reviews_asked: set[int] = set()
        self._by_review = False
        self._by_thread = False
        self._read_again = False
        self._done = False
        self._listed: tuple[ReviewComment, ...] = ()
        node_id = item.pull_request.node_id
        self._lists.keep(self._reviews, item.reviews, MoreReviews(node_id=node_id, after=None))
        self._lists.keep(self._comments, item.comments, MoreComments(node_id=node_id, after=None))
        self._marks = PullRequestMarks(item.pull_request, self._lists)

    def follow_ups(self) -> tuple[FollowUp, ...]:
        """Return what is to be asked next; nothing means that the pull request is complete, or as far as it gets."""
        if self._done:  # asked again with each query until its whole page is complete
            return ()
        if all(isinstance(follow_up, MoreComments | MarkFollowUp) for follow_up in self._lists.follow_ups):
            self._plan_review_comments()
        if not self._lists.follow_ups and not self._read_again and self._gap():
            self._read_again = True
            self._ask_again_for_what_is_short()
        self._done = not self._lists.follow_ups
        return tuple(self._lists.follow_ups)

    def supply(self, review_comments: Sequence[ReviewComment]) -> None:
        """Hand in what a list has of this pull request; only what the counts still miss is asked for then.

        Of no effect once review comments were asked for.
        """
        self._listed = tuple(review_comments)

    def take(self, follow_up: FollowUp, answer: Named[Listing[object]]) -> None:
        """Take the answer to a follow-up of ours.

        What can't be read is asked for again, at most `TRIES` times in all; then it is given up and reported.
        """
        lists, ours = self._lists, _ours(follow_up)
        lists.follow_ups.remove(ours)
        if isinstance(answer, NotFound | Unknown):
            lists.unanswered(ours, answer)
            return
        answer = lists.taken(ours, answer)
        match ours:
            case MoreReviews():
                lists.keep(self._reviews, only(Review, answer), ours)
            case MoreComments():
                lists.keep(self._comments, only(Comment, answer), ours)
            case CommentsOfReview() | CommentsOfThread():
                lists.keep(self._review_comments, only(ReviewComment, answer), ours)
            case Threads():
                self._take_threads(ours, only(ThreadComments, answer))
            case _:
                self._marks.take(ours, answer)

    def shrink(self, follow_up: FollowUp) -> None:
        """Ask for fewer threads where a follow-up of ours is too much by itself; any other counts as unanswered."""
        if isinstance(follow_up, Threads) and follow_up.first > 1:
            self._lists.follow_ups[self._lists.follow_ups.index(follow_up)] = replace(
                follow_up, first=follow_up.first // 2
            )
        else:
            self.take(follow_up, Unknown(reason="it is too much for GitHub by itself"))

    def complete(self) -> CompletePullRequest:
        """Return the pull request with all that was read, oldest first, and what remains unexplained."""
        return CompletePullRequest(
            pull_request=self.pull_request,
            reviews=tuple(sorted(self._reviews.values(), key=lambda review: review.github_id)),
            review_comments=tuple(sorted(self._review_comments.values(), key=lambda comment: comment.github_id)),
            comments=tuple(sorted(self._comments.values(), key=lambda comment: comment.github_id)),
            labels=self._marks.labels,
            assignees=self._marks.assignees,
            review_requests=self._marks.requests,
            labels_whole=len(self._marks.labels) >= self.pull_request.labels,
            assignees_whole=len(self._marks.assignees) >= self.pull_request.assignees,
            review_requests_whole=len(self._marks.requests) >= self.pull_request.review_requests,
            gap=self._gap(),
            unreadable=tuple(self._lists.unreadable),
        )

    def _take_threads(self, asked: Threads, listing: Listing[ThreadComments]) -> None:
        self._lists.lose(listing.unreadable)
        for thread in listing.items:
            comments = CommentsOfThread(node_id=thread.node_id, after=None)
            if thread.comments.unreadable:
                self._lists.ask(comments)
            else:
                self._lists.keep(self._review_comments, thread.comments, comments)
        if self._lists.leads_on(asked, listing, [thread.node_id for thread in listing.items]):
            seen = asked.seen + asked.first
            first = min(asked.first, max(1, listing.total - seen))
            self._lists.ask(Threads(node_id=asked.node_id, after=listing.next, first=first, seen=seen))

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
        if not self._lists.follow_ups and not self._by_thread and self._reviews_asked and self._some_are_missing():
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
                follow_up = CommentsOfReview(node_id=review.node_id, review_id=review.github_id, after=None)
                self._lists.ask(follow_up)

    def _ask_by_thread(self) -> None:
        self._by_thread = True
        threads = self.pull_request.review_threads
        if threads:
            first = min(LARGEST_FIRST, threads)
            self._lists.ask(Threads(node_id=self.pull_request.node_id, after=None, first=first))

    def _ask_again_for_what_is_short(self) -> None:
        """Read the lists again that ended before their count: GitHub cuts wide answers short without a word."""
        node_id = self.pull_request.node_id
        short = [_for_less(each) for each in self._lists.short()]
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
        short += self._marks.short()
        self._lists.follow_ups += dict.fromkeys(short)

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
            *self._marks.counts(),
        )
        return "; ".join(short_counts(counts) or self._lists.short_words()) or None


def _ours(follow_up: FollowUp) -> PullRequestFollowUp:
    assert isinstance(follow_up, PullRequestFollowUp), "a follow-up of another kind of item"
    return follow_up


def _for_less(follow_up: FollowUp) -> FollowUp:
    """Return what asks for the whole list once more; threads, which may be too much at once, for half as many."""
    return replace(follow_up, first=max(1, follow_up.first // 2)) if isinstance(follow_up, Threads) else follow_up
