"""Complete means complete, for any shape of pull request, against a small model of what GitHub answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.models.github import GHOST, Listing, NodeId, NotFound, Unknown, Unreadable
from gh_backfill.models.pull_requests import (
    Comment,
    CompletePullRequest,
    PullRequest,
    PullRequestState,
    Review,
    ReviewComment,
)
from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.packing import next_query
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector
from gh_backfill.policy.pull_requests.follow_ups import (
    CommentsOfReview,
    CommentsOfThread,
    MoreComments,
    MoreReviews,
    PagePullRequest,
    ThreadComments,
    Threads,
)
from gh_backfill.policy.query_prices import UNITS_OF_ONE_POINT, Prices

LOST = Unreadable(kind="review_comment", identity="x", reason="GitHub could not read it")
SILENCE = Unknown(reason="GitHub left it out")
NOW = datetime(2026, 3, 1, tzinfo=UTC)
Kind = TypeVar("Kind")


@dataclass
class World:
    """One pull request as GitHub has it: threads are lists of comments, the first of each is its root."""

    reviews: list[Review]
    comments: list[Comment]
    threads: list[list[ReviewComment]]
    counted_comments: int | None = None

    def item(self) -> PagePullRequest:
        held = sum(len(thread) for thread in self.threads)
        pull_request = PullRequest(
            node_id=NodeId("PR"),
            github_id=1,
            number=1,
            title="t",
            body="b",
            state=PullRequestState.OPEN,
            draft=False,
            url="https://github.com/o/r/pull/1",
            created_at=NOW,
            updated_at=NOW,
            closed_at=None,
            merged_at=None,
            additions=0,
            deletions=0,
            changed_files=0,
            commits=0,
            base_branch="main",
            head_branch="topic",
            author=GHOST,
            merged_by=None,
            reviews=len(self.reviews),
            comments=len(self.comments),
            review_threads=len(self.threads),
            total_comments=held + len(self.comments) if self.counted_comments is None else self.counted_comments,
        )
        return PagePullRequest(pull_request=pull_request, reviews=part(self.reviews), comments=part(self.comments))

    def answer(self, follow_up: FollowUp) -> Listing[object]:
        match follow_up:
            case MoreReviews():
                return part(self.reviews, follow_up.after)
            case MoreComments():
                return part(self.comments, follow_up.after)
            case CommentsOfReview(review_id=review_id):
                listed = [each for thread in self.threads for each in thread if each.review_id == review_id]
                return part(listed, follow_up.after)
            case Threads(first=first):
                threads = [
                    ThreadComments(node_id=NodeId(str(n)), comments=part(each)) for n, each in enumerate(self.threads)
                ]
                return part(threads, follow_up.after, first)
            case CommentsOfThread(node_id=node_id):
                return part(self.threads[int(node_id)], follow_up.after)
        raise AssertionError(f"nobody asks a pull request for that: {follow_up}")


def part(items: Sequence[Kind], after: str | None = None, first: int = 100) -> Listing[Kind]:
    start = int(after or 0)
    more = start + first < len(items)
    return Listing(
        items=tuple(items[start : start + first]), total=len(items), next=str(start + first) if more else None
    )


def review(number: int, comments: int) -> Review:
    return Review(
        node_id=NodeId(f"R{number}"),
        github_id=number,
        author=GHOST,
        state="COMMENTED",
        body="",
        submitted_at=NOW,
        commit_id=None,
        comments=comments,
    )


def review_comment(number: int, review_id: int | None, reply_to: int | None) -> ReviewComment:
    return ReviewComment(
        github_id=number,
        review_id=review_id,
        reply_to=reply_to,
        author=GHOST,
        body="",
        path=None,
        position=None,
        original_position=None,
        diff_hunk=None,
        commit_id=None,
        original_commit_id=None,
        created_at=NOW,
        updated_at=NOW,
    )


def world(threads: Sequence[Sequence[int | None]], *, empty_reviews: int = 0, comments: int = 0) -> World:
    """Make a world from the review of each comment of each thread; None is a comment of no review."""
    number = 0
    listed: list[list[ReviewComment]] = []
    held: dict[int, int] = {}
    for thread in threads:
        listed.append([])
        for review_id in thread:
            number += 1
            root = listed[-1][0].github_id if listed[-1] else None
            listed[-1].append(review_comment(number, review_id, root))
            if review_id is not None:
                held[review_id] = held.get(review_id, 0) + 1
    reviews = [review(each, count) for each, count in held.items()]
    reviews += [review(1_000_000 + each, 0) for each in range(empty_reviews)]
    conversation = [
        Comment(github_id=each, author=GHOST, body="", created_at=NOW, updated_at=NOW) for each in range(comments)
    ]
    return World(reviews, conversation, listed)


def read(worlds: Sequence[World]) -> tuple[list[CompletePullRequest], list[int]]:
    """Read worlds the way a capture does; returns what came out and the units of each query."""
    collectors = [PullRequestCollector(each.item()) for each in worlds]
    of = {id(collector): each for collector, each in zip(collectors, worlds, strict=True)}
    units: list[int] = []
    for _ in range(1_000):
        owners = {id(follow_up): collector for collector in collectors for follow_up in collector.follow_ups()}
        follow_ups = [collector.follow_ups() for collector in collectors]
        query = next_query([chain.from_iterable(follow_ups)], Prices(), units=UNITS_OF_ONE_POINT)
        if not query:
            return [collector.complete() for collector in collectors], units
        for follow_up in query.follow_ups:
            collector = owners[id(follow_up)]
            collector.take(follow_up, of[id(collector)].answer(follow_up))
        units.append(query.units)
    raise AssertionError("it never ends")


def ids(complete: CompletePullRequest) -> tuple[list[int], list[int], list[int]]:
    return (
        [each.github_id for each in complete.reviews],
        [each.github_id for each in complete.review_comments],
        [each.github_id for each in complete.comments],
    )


def all_ids(each: World) -> tuple[list[int], list[int], list[int]]:
    return (
        sorted(review.github_id for review in each.reviews),
        sorted(comment.github_id for thread in each.threads for comment in thread),
        sorted(comment.github_id for comment in each.comments),
    )


threads_of_reviews = st.lists(st.lists(st.one_of(st.none(), st.integers(1, 40)), min_size=1, max_size=12), max_size=130)


@settings(max_examples=60, deadline=None)
@given(threads_of_reviews, st.integers(0, 250), st.integers(0, 250))
def test_whatever_the_shape_everything_is_read_and_no_gap_is_claimed(
    threads: list[list[int | None]], empty_reviews: int, comments: int
) -> None:
    each = world(threads, empty_reviews=empty_reviews, comments=comments)
    (complete,), units = read([each])
    assert ids(complete) == all_ids(each)
    assert complete.gap is None
    assert all(query <= UNITS_OF_ONE_POINT for query in units)


def test_a_pull_request_without_anything_asks_for_nothing() -> None:
    (complete,), units = read([world([])])
    assert (ids(complete), units) == (([], [], []), [])


@pytest.mark.parametrize("size", [1, 99, 100, 101, 337, 440])
def test_every_list_is_followed_to_its_end(size: int) -> None:
    each = world([[1] * size], empty_reviews=size, comments=size)
    (complete,), _ = read([each])
    assert ids(complete) == all_ids(each)


def test_comments_come_by_thread_where_that_is_cheaper() -> None:
    long_thread = world([list(range(1, 31))])
    _, units = read([long_thread])
    assert units == [2]


def test_comments_come_by_review_where_that_is_cheaper() -> None:
    many_threads = world([[1]] * 30)
    _, units = read([many_threads])
    assert units == [1]


def test_comments_of_no_review_are_found_though_every_review_was_read() -> None:
    each = world([[1, None, 1], [None, None], [2]])
    (complete,), _ = read([each])
    assert ids(complete) == all_ids(each)


def test_a_lone_reply_of_no_review_is_found_by_the_count_of_both_kinds_together() -> None:
    each = world([[1, None]] + [[2]] * 50)
    (complete,), _ = read([each])
    assert ids(complete) == all_ids(each)


def test_what_github_counts_and_does_not_list_is_a_gap_and_never_complete() -> None:
    each = world([[1], [1]])
    each.counted_comments = 5
    (complete,), _ = read([each])
    assert complete.gap == "5 review comments counted, 2 listed"


def test_a_list_that_ends_before_its_count_is_read_again_alone() -> None:
    each = world([[1], [2]], empty_reviews=2, comments=3)
    item = each.item()
    cut = replace(
        item,
        comments=replace(item.comments, items=item.comments.items[:2]),
        reviews=replace(item.reviews, items=item.reviews.items[:1]),
    )
    collector = PullRequestCollector(cut)
    while follow_ups := collector.follow_ups():
        collector.take(follow_ups[0], each.answer(follow_ups[0]))
    assert ids(collector.complete()) == all_ids(each)
    assert collector.complete().gap is None


def test_a_list_that_ends_before_its_count_again_is_a_gap() -> None:
    each = world([], comments=3)
    item = each.item()
    collector = PullRequestCollector(replace(item, comments=replace(item.comments, items=item.comments.items[:2])))
    (follow_up,) = collector.follow_ups()
    collector.take(follow_up, replace(part(each.comments[:2]), total=3))
    assert collector.follow_ups() == ()
    assert collector.complete().gap == "3 comments counted, 2 listed"


def test_threads_that_came_short_are_asked_for_again_in_halves() -> None:
    each = world([[None]] * 9)
    collector = PullRequestCollector(each.item())
    (follow_up,) = collector.follow_ups()
    assert isinstance(follow_up, Threads)
    collector.take(follow_up, replace(each.answer(follow_up), items=each.answer(follow_up).items[:3]))
    assert collector.follow_ups() == (replace(follow_up, first=4),)


def test_what_cannot_be_read_is_asked_for_again_and_kept_when_it_can() -> None:
    each = world([[1]])
    collector = PullRequestCollector(each.item())
    (follow_up,) = collector.follow_ups()
    collector.take(follow_up, SILENCE)
    assert collector.follow_ups() == (follow_up,)
    spoilt: Listing[ReviewComment] = Listing(items=(), total=1, next=None, unreadable=(LOST,))
    collector.take(follow_up, spoilt)
    assert collector.follow_ups() == (follow_up,)
    collector.take(follow_up, each.answer(follow_up))
    complete = collector.complete()
    assert (ids(complete), complete.unreadable) == (all_ids(each), ())


@pytest.mark.parametrize("silent", [True, False])
def test_what_stays_unreadable_is_given_up_after_three_tries_and_reported(silent: bool) -> None:
    each = world([[1]])
    collector = PullRequestCollector(each.item())
    asked = 0
    while follow_ups := collector.follow_ups():
        asked += 1
        spoilt: Listing[ReviewComment] = Listing(items=(), total=1, next=None, unreadable=(LOST,))
        collector.take(follow_ups[0], SILENCE if silent else spoilt)
        assert asked < 10
    complete = collector.complete()
    assert {(lost.kind, lost.number) for lost in complete.unreadable} == {("review_comment", 1)}
    assert complete.gap == "1 review comments counted, 0 listed"


def test_what_is_gone_meanwhile_ends_the_asking_and_leaves_a_gap() -> None:
    collector = PullRequestCollector(world([[1]]).item())
    (follow_up,) = collector.follow_ups()
    collector.take(follow_up, NotFound())
    while follow_ups := collector.follow_ups():
        collector.take(follow_ups[0], NotFound())
    assert collector.complete().gap == "1 review comments counted, 0 listed"


def test_many_pull_requests_share_their_queries() -> None:
    worlds = [world([[1], [2]]) for _ in range(74)]
    completes, units = read(worlds)
    assert [ids(complete) for complete in completes] == [all_ids(each) for each in worlds]
    assert units == [148]
