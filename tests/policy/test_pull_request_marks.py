"""Marks of a pull request are asked for where there are some, beside what else it lacks, as many as counted."""

from __future__ import annotations

from typing import Any

from gh_backfill.models.github import Listing, NodeId, Unknown
from gh_backfill.models.labels import Label, ReviewRequest
from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.packing import next_query
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector
from gh_backfill.policy.pull_requests.follow_ups import (
    AssigneesOfPullRequest,
    CommentsOfReview,
    LabelsOfPullRequest,
    PagePullRequest,
    ReviewRequestsOfPullRequest,
)
from gh_backfill.policy.query_prices import Prices
from tests.examples import ADA, pull_request, review

BUG = Label(node_id=NodeId("LA_1"), name="bug", color="f00", description=None, default=True)


def listing(*items: object, total: int | None = None) -> Listing[Any]:
    return Listing(items=items, total=len(items) if total is None else total, next=None)


def collector(**counts: int) -> PullRequestCollector:
    return PullRequestCollector(
        PagePullRequest(pull_request=pull_request(**counts), reviews=listing(), comments=listing())
    )


def test_what_a_pull_request_has_none_of_is_not_asked_for() -> None:
    bare = collector()
    assert bare.follow_ups() == ()
    done = bare.complete()
    assert (done.labels, done.assignees, done.review_requests, done.gap) == ((), (), (), None)


def test_each_list_that_has_some_is_asked_for_once() -> None:
    asked = collector(labels=2, assignees=1, review_requests=1).follow_ups()
    assert [type(each) for each in asked] == [LabelsOfPullRequest, AssigneesOfPullRequest, ReviewRequestsOfPullRequest]
    assert [each.units for each in asked] == [1, 1, 1]


def test_marks_keep_nothing_else_waiting() -> None:
    shown = pull_request(labels=1, reviews=1, total_comments=1)
    waiting = PullRequestCollector(
        PagePullRequest(pull_request=shown, reviews=listing(review(1, comments=1)), comments=listing())
    )
    assert {type(each) for each in waiting.follow_ups()} == {LabelsOfPullRequest, CommentsOfReview}


def test_many_pull_requests_have_their_lists_in_one_query_of_a_point() -> None:
    follow_ups: list[FollowUp] = [LabelsOfPullRequest(node_id=NodeId(str(n)), after=None) for n in range(80)]
    follow_ups += [AssigneesOfPullRequest(node_id=NodeId(str(n)), after=None) for n in range(60)]
    query = next_query([follow_ups], Prices())
    assert (len(query.follow_ups), query.counted.ids, Prices().points(query.counted)) == (140, 2, 1)


def test_a_list_that_is_short_is_asked_for_once_more_and_then_is_a_gap() -> None:
    short = collector(labels=2)
    for _ in range(2):
        (asked,) = short.follow_ups()
        short.take(asked, listing(BUG, total=2))
    assert short.follow_ups() == ()
    done = short.complete()
    assert (done.labels_whole, done.gap) == (False, "2 labels counted, 1 listed")


def test_whoever_is_not_shown_is_counted_and_no_gap() -> None:
    asked_of = collector(review_requests=2)
    (asked,) = asked_of.follow_ups()
    hidden = ReviewRequest(node_id=NodeId("RR_1"), type=None, person=None)
    asked_of.take(asked, listing(hidden, ReviewRequest(node_id=NodeId("RR_2"), type="User", person=ADA)))
    done = asked_of.complete()
    assert (done.review_requests_whole, done.gap, len(done.review_requests)) == (True, None, 2)


def test_a_list_that_never_comes_is_given_up_and_reported_with_its_number() -> None:
    silent = collector(assignees=1)
    for _ in range(10):
        for asked in silent.follow_ups():
            silent.take(asked, Unknown(reason="GitHub left it out"))
    done = silent.complete()
    assert {(each.kind, each.number) for each in done.unreadable} == {("assignee", 1)}
    assert (done.assignees_whole, done.gap) == (False, "1 assignees counted, 0 listed")
