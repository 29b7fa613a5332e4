"""GitHub's JSON becomes our values, or is reported as unreadable; it never ends a page."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gh_backfill.clients import parsing, sense
from gh_backfill.clients.damage import MARK
from gh_backfill.clients.pull_requests import QUERIES, review, review_comment
from gh_backfill.models.github import GHOST, Person
from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.policy.pull_requests.follow_ups import PagePullRequest

LARGE = 2**31 + 7
TIME = "2026-03-01T12:00:00Z"
ADA: dict[str, Any] = {
    "__typename": "User",
    "login": "ada",
    "avatarUrl": "https://avatars.example/1",
    "databaseId": 1001,
    "name": "Ada",
}
COMMENT: dict[str, Any] = {
    "id": "IC_1",
    "fullDatabaseId": str(LARGE),
    "author": ADA,
    "body": "Thanks.",
    "createdAt": TIME,
    "updatedAt": TIME,
}
REVIEW: dict[str, Any] = {
    "id": "PRR_1",
    "fullDatabaseId": str(LARGE + 1),
    "author": ADA,
    "state": "APPROVED",
    "body": "",
    "submittedAt": TIME,
    "createdAt": TIME,
    "commit": {"oid": "c0ffee"},
    "comments": {"totalCount": 2},
}
REVIEW_COMMENT: dict[str, Any] = {
    **COMMENT,
    "id": "PRRC_1",
    "path": "a.py",
    "position": 1,
    "originalPosition": 1,
    "diffHunk": "@@",
    "commit": {"oid": "c0ffee"},
    "originalCommit": {"oid": "c0ffee"},
    "replyTo": {"fullDatabaseId": str(LARGE)},
}
END = {"hasNextPage": False, "endCursor": "x"}
PULL: dict[str, Any] = {
    "id": "PR_1",
    "fullDatabaseId": str(LARGE),
    "number": 1,
    "title": "t",
    "body": "b",
    "state": "MERGED",
    "isDraft": False,
    "url": "https://github.com/o/r/pull/1",
    "createdAt": TIME,
    "updatedAt": TIME,
    "closedAt": TIME,
    "mergedAt": TIME,
    "merged": True,
    "additions": 1,
    "deletions": 1,
    "changedFiles": 1,
    "baseRefName": "main",
    "headRefName": "topic",
    "author": ADA,
    "mergedBy": ADA,
    "commits": {"totalCount": 1},
    "allReviews": {"totalCount": 1},
    "allComments": {"totalCount": 1},
    "reviewThreads": {"totalCount": 0},
    "totalCommentsCount": 1,
    "milestone": {"number": 2, "title": "2.0", "state": "OPEN", "description": "Soon", "dueOn": TIME},
    "labels": {"totalCount": 3},
    "assignees": {"totalCount": 1},
    "reviewRequests": {"totalCount": 2},
    "reviews": {"totalCount": 1, "pageInfo": END, "nodes": [REVIEW]},
    "comments": {"totalCount": 1, "pageInfo": END, "nodes": [COMMENT]},
}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (None, GHOST),
        (ADA, Person(github_id=1001, login="ada", name="Ada", avatar_url="https://avatars.example/1")),
        (
            {"__typename": "Bot", "login": "dependabot", "avatarUrl": None, "databaseId": 49699333},
            Person(github_id=49699333, login="dependabot[bot]", is_bot=True),
        ),
        (
            {"__typename": "Bot", "login": "a[bot]", "avatarUrl": None, "databaseId": 5},
            Person(github_id=5, login="a[bot]", is_bot=True),
        ),
        (
            {"__typename": "Mannequin", "login": "old_name", "avatarUrl": None, "databaseId": 6},
            Person(github_id=6, login="old_name"),
        ),
        (
            {"__typename": "Organization", "login": "octo-org", "avatarUrl": None, "databaseId": LARGE},
            Person(github_id=LARGE, login="octo-org"),
        ),
    ],
)
def test_whoever_acts_is_a_person_with_the_login_that_people_know(
    node: dict[str, Any] | None, expected: Person
) -> None:
    assert parsing.person(node) == expected


def test_ids_over_two_to_the_31_arrive_as_text_and_are_numbers() -> None:
    assert parsing.comment(COMMENT).github_id == LARGE
    assert review_comment(REVIEW_COMMENT).reply_to == LARGE


def test_a_whole_pull_request_is_read() -> None:
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": PULL}, "before", "after before")
    assert isinstance(slot.item, PagePullRequest)
    assert (slot.after, slot.unreadable, slot.item.pull_request.state) == ("before", (), PullRequestState.MERGED)
    assert [each.github_id for each in slot.item.reviews.items] == [LARGE + 1]


@pytest.mark.parametrize("field", ["body", "closedAt", "mergedAt", "author", "mergedBy", "totalCommentsCount"])
def test_every_nullable_field_of_a_pull_request_may_be_null(field: str) -> None:
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": {**PULL, field: None}}, None, "after None")
    assert slot.item is not None
    assert slot.unreadable == ()


@pytest.mark.parametrize(
    "field", ["path", "position", "originalPosition", "diffHunk", "commit", "originalCommit", "replyTo"]
)
def test_every_nullable_field_of_a_review_comment_may_be_null(field: str) -> None:
    assert review_comment({**REVIEW_COMMENT, field: None}).github_id == LARGE


def test_a_review_comment_of_no_review_is_one() -> None:
    assert review_comment({**REVIEW_COMMENT, "pullRequestReview": None}).review_id is None


@pytest.mark.parametrize(("field", "value"), [("fullDatabaseId", None), ("state", "APPLAUDED"), ("comments", None)])
def test_a_child_that_can_not_be_read_leaves_its_neighbours(field: str, value: object) -> None:
    nodes = [{**REVIEW, field: value}, {**REVIEW, "fullDatabaseId": "7"}]
    found = parsing.listing({"totalCount": 2, "pageInfo": END, "nodes": nodes}, "review", review, 1)
    assert [each.github_id for each in found.items] == [7]
    (lost,) = found.unreadable
    assert (lost.kind, lost.identity, lost.number) == ("review", "PRR_1", 1)
    assert lost.reason


def test_an_unknown_state_of_a_pull_request_is_no_guess() -> None:
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": {**PULL, "state": "DRAFTED"}}, None, "after None")
    assert slot.item is None
    assert (slot.unreadable[0].number, slot.unreadable[0].identity) == (1, "PR_1")


def test_what_is_marked_is_not_believed() -> None:
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": PULL, MARK: "GitHub could not read it"}, None, "after None")
    assert slot.item is None
    assert slot.unreadable[0].reason == "GitHub could not read it"
    child = {**COMMENT, "author": None, MARK: "GitHub could not read it"}
    found = parsing.listing({"totalCount": 1, "pageInfo": END, "nodes": [child]}, "issue_comment", parsing.comment)
    assert found.items == ()
    assert MARK not in found.unreadable[0].payload


def test_nothing_at_all_at_a_place_is_reported_with_the_way_to_it() -> None:
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": None}, "before", "after before")
    assert (slot.item, slot.unreadable[0].identity) == (None, "after before")


JUNK: st.SearchStrategy[object] = st.one_of(st.none(), st.integers(), st.text(max_size=3), st.just([]), st.just({}))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        found += [each for key, child in value.items() for each in places(child, (*path, key))]
    elif isinstance(value, list):
        found += [each for index, child in enumerate(value) for each in places(child, (*path, index))]
    return found


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(places(PULL)), JUNK, st.booleans())
def test_whatever_is_wrong_with_a_pull_request_is_reported_and_never_raised(
    path: tuple[Any, ...], junk: object, missing: bool
) -> None:
    node = copy.deepcopy(PULL)
    holder: Any = node
    for key in path[:-1]:
        holder = holder[key]
    if missing and isinstance(holder, dict):
        del holder[path[-1]]
    else:
        holder[path[-1]] = junk
    slot = parsing.slot(QUERIES, {"cursor": "c", "node": node}, "before", "after before")
    assert slot.item is not None or slot.unreadable != ()


def test_who_is_read_again_is_the_same_person_and_another_one_never_is() -> None:
    assert parsing.person(ADA) is parsing.person(copy.deepcopy(ADA))
    one = parsing.person({**ADA, "databaseId": 1})
    assert parsing.person({**ADA, "databaseId": 1, "login": "ada-2"}) == replace(one, login="ada-2")
    assert parsing.person({**ADA, "databaseId": "1"}) == one
    for strange in (True, 1.0, [1]):
        with pytest.raises(sense.UNREADABLE):
            parsing.person({**ADA, "databaseId": strange})
