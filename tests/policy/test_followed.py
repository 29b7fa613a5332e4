"""A list is followed as long as it leads on."""

from __future__ import annotations

from gh_backfill.models.github import NodeId
from gh_backfill.policy.followed import Followed
from gh_backfill.policy.pull_requests.follow_ups import MoreReviews

LIST = MoreReviews(node_id=NodeId("PR"), after=None)


def test_a_list_is_followed_to_its_end_and_then_holds_what_it_counts() -> None:
    followed = Followed(beginning=LIST)
    assert followed.take([1, 2], lost=0, total=5, following="a")
    assert followed.take([3], lost=1, total=5, following="b")
    assert followed.short
    assert not followed.take([5], lost=0, total=5, following=None)
    assert not followed.short


def test_a_cursor_that_was_there_and_a_page_that_brings_nothing_end_a_list() -> None:
    for ids, following in (([3], "a"), ([3], "b"), ([], "c"), ([1, 2], "c")):
        followed = Followed(beginning=LIST)
        followed.take([1], lost=0, total=9, following="a")
        followed.take([2], lost=0, total=9, following="b")
        assert not followed.take(ids, lost=0, total=9, following=following)
        assert followed.short


def test_a_list_that_begins_again_keeps_what_it_has_and_may_pass_the_same_cursors() -> None:
    followed = Followed(beginning=LIST)
    followed.take([1, 2], lost=0, total=4, following="a")
    followed.take([], lost=0, total=4, following="b")
    followed.begin()
    assert followed.take([1, 2], lost=0, total=4, following="a")
    assert not followed.take([3, 4], lost=0, total=4, following=None)
    assert (followed.held, followed.short) == (4, False)
