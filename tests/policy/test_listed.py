"""A list of review comments spares queries, and never makes a pull request complete that is not."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.models.github import Person
from gh_backfill.models.pull_requests import CompletePullRequest, ReviewComment
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector
from tests.policy.test_completeness import World, all_ids, ids, threads_of_reviews, world

STRANGER = Person(github_id=5, login="stranger")


def read(each: World, listed: list[ReviewComment]) -> tuple[CompletePullRequest, int]:
    """Read a world with the help of a list; returns what came out and the units it took."""
    collector = PullRequestCollector(each.item())
    collector.supply(listed)
    units = 0
    while follow_ups := collector.follow_ups():
        for follow_up in follow_ups:
            units += follow_up.units
            collector.take(follow_up, each.answer(follow_up))
    return collector.complete(), units


def comments(each: World) -> list[ReviewComment]:
    return [comment for thread in each.threads for comment in thread]


@settings(max_examples=60, deadline=None)
@given(threads_of_reviews)
def test_a_list_that_fits_the_counts_leaves_nothing_to_ask(threads: list[list[int | None]]) -> None:
    each = world(threads)
    complete, units = read(each, comments(each))
    assert (ids(complete), complete.gap, units) == (all_ids(each), None, 0)


@settings(max_examples=100, deadline=None)
@given(threads_of_reviews, st.integers(0, 150), st.randoms(use_true_random=False))
def test_whatever_a_list_lacks_has_too_much_or_tells_of_strangers_the_outcome_is_that_of_graphql(
    threads: list[list[int | None]], empty_reviews: int, chance: Random
) -> None:
    each = world(threads, empty_reviews=empty_reviews)
    listed = [comment for comment in comments(each) if chance.random() < 0.7]
    if listed and chance.random() < 0.5:
        gone = chance.choice(listed)
        listed.append(replace(gone, github_id=999_999, review_id=chance.choice([gone.review_id, 77])))
    if listed and chance.random() < 0.5:
        listed[0] = replace(listed[0], author=STRANGER)
    complete, _ = read(each, listed)
    alone, _ = read(each, [])
    if 999_999 not in ids(complete)[1]:  # an exchange that no count shows: the date of the pull request does
        assert (ids(complete), complete.gap) == (all_ids(each), None)
        assert complete == alone


def test_only_the_review_whose_comments_do_not_add_up_is_asked_for() -> None:
    each = world([[1], [1], [1], [2], [2], [3]])
    complete, units = read(each, [comment for comment in comments(each) if comment.github_id != 6])
    assert (ids(complete), units) == (all_ids(each), 1)


@pytest.mark.parametrize("total_known", [True, False])
def test_what_belongs_to_no_review_is_found_by_thread_though_the_list_settles_all_reviews(total_known: bool) -> None:
    each = world([[1, 1, 1], [None]])
    item = each.item()
    total = item.pull_request.total_comments if total_known else None
    collector = PullRequestCollector(replace(item, pull_request=replace(item.pull_request, total_comments=total)))
    collector.supply([comment for comment in comments(each) if comment.review_id is not None])
    (follow_up,) = collector.follow_ups()
    collector.take(follow_up, each.answer(follow_up))
    assert (collector.follow_ups(), ids(collector.complete())) == ((), all_ids(each))
