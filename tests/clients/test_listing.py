"""REST's list of review comments is walked past its end, and what it can't tell is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import responses

from gh_backfill.clients import credentials, listing
from gh_backfill.clients.gate import OwnGate
from gh_backfill.clients.listing import ListedPage
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.errors import BadCredentials, Gone, RateLimited, Unexpected, Unreachable
from gh_backfill.models.github import GHOST
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.server import Simulator, running

NAME = "octo/engine"
PATH = f"https://api.example.com/repos/{NAME}/pulls/comments"
# The largest review of this world has 306 comments, all of one second.
ENDS_AFTER = 500


@pytest.fixture(scope="module")
def github() -> Iterator[Simulator]:
    with running(load(recipes=[f"{NAME}:400"]), Options(longest_list=ENDS_AFTER)) as simulator:
        yield simulator


def rest(url: str, slept: list[float] | None = None, token: str = "tok") -> RestPages:
    gate = OwnGate()
    return RestPages(url, credentials.fixed(token), lambda: gate, sleep=([] if slept is None else slept).append)


def ids(pages: list[ListedPage]) -> list[int]:
    return [each.comment.github_id for page in pages for each in page.comments]


def all_ids(github: Simulator) -> set[int]:
    home = github.world.repository(*NAME.split("/"))
    assert home is not None
    return {key.id for key in github.world.shelves[home.id].review_comments("updated_at")}


def test_new_windows_lead_past_the_end_of_the_list_and_little_comes_twice(github: Simulator) -> None:
    way = rest(github.url)
    found = ids(list(listing.review_comments(way, NAME, most_pages=ENDS_AFTER // 100)))
    assert set(found) == all_ids(github)
    assert len(found) > 4 * ENDS_AFTER
    assert way.requests <= -(-len(all_ids(github)) // 100) + 8


def test_a_list_that_ends_earlier_than_we_know_is_walked_on_all_the_same(github: Simulator) -> None:
    assert set(ids(list(listing.review_comments(rest(github.url), NAME)))) == all_ids(github)


def test_since_leaves_out_what_was_updated_before(github: Simulator) -> None:
    since = datetime(2022, 1, 1, tzinfo=UTC)
    pages = list(listing.review_comments(rest(github.url), NAME, since))
    assert 0 < len(set(ids(pages))) < len(all_ids(github))
    assert min(each.comment.updated_at for page in pages for each in page.comments) >= since - listing.OVERLAP


def test_more_comments_in_one_second_than_a_window_holds_is_said(github: Simulator) -> None:
    with pytest.raises(Unexpected, match=r"updated at 2024-06-27T10:07:18\+00:00 than GitHub lists"):
        list(listing.review_comments(rest(github.url), NAME, most_pages=2))


def row(**fields: Any) -> dict[str, Any]:
    return {
        "id": 5_000_000_001,
        "pull_request_review_id": 7,
        "pull_request_url": "https://api.github.com/repos/octo/engine/pulls/12",
        "user": {"login": "ann", "id": 11, "type": "User", "avatar_url": "https://a/11"},
        "body": "text",
        "path": "a.py",
        "diff_hunk": "@@",
        "position": None,
        "original_position": 3,
        "commit_id": "c",
        "original_commit_id": "o",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-02T00:00:00Z",
    } | fields


def listed(*rows: object) -> ListedPage:
    with responses.RequestsMock() as mocked:
        mocked.get(PATH, body=json.dumps(rows))
        (page,) = listing.review_comments(rest("https://api.example.com"), NAME)
    return page


def test_a_row_is_read_with_the_number_of_its_pull_request() -> None:
    (found,) = listed(row(in_reply_to_id=4)).comments
    comment = found.comment
    assert (found.number, comment.github_id, comment.review_id, comment.reply_to) == (12, 5_000_000_001, 7, 4)
    assert (comment.position, comment.original_position, comment.commit_id) == (None, 3, "c")
    assert comment.updated_at == datetime(2020, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize("user", [None, {"login": "ghost", "id": 10137, "type": "User"}])
def test_deleted_authors_are_the_ghost_in_both_of_their_shapes(user: object) -> None:
    (found,) = listed(row(user=user)).comments
    assert found.comment.author == GHOST


@pytest.mark.parametrize(
    "fields",
    [{"subject_type": "file"}, {"original_position": None}, {"body": "a\x00b"}, {"body": "\ud800"}, {"body": None}],
    ids=["whole file", "no original position", "NUL", "half a character", "no body"],
)
def test_what_graphql_may_tell_in_another_way_is_left_to_it(fields: dict[str, Any]) -> None:
    page = listed(row(**fields), row(id=2))
    assert ([each.comment.github_id for each in page.comments], page.left_out) == ([2], 1)


@pytest.mark.parametrize("fault", ["502_html", "504", "reset", "truncated"])
def test_passing_faults_are_tried_again(github: Simulator, fault: str) -> None:
    github.faults.add(Fault(name=fault, count=2, match={"path": "pulls/comments"}))
    slept: list[float] = []
    page = rest(github.url, slept).get(f"/repos/{NAME}/pulls/comments", {})
    assert (len(page.rows), len(slept)) == (30, 2)


def test_a_secondary_limit_is_waited_for_as_long_as_github_says(github: Simulator) -> None:
    github.faults.add(Fault(name="secondary_a", count=1, match={"path": "pulls/comments"}))
    with pytest.raises(RateLimited) as told:
        rest(github.url).get(f"/repos/{NAME}/pulls/comments", {})
    assert (told.value.resume_at - datetime.now(UTC)).total_seconds() > 50


def test_used_up_requests_end_the_list_and_the_message_speaks_of_requests(github: Simulator) -> None:
    github.ledger.set("poor", "core", remaining=0)
    with pytest.raises(RateLimited, match="requests"):
        rest(github.url, token="poor").get(f"/repos/{NAME}/pulls/comments", {})


def test_a_repository_that_is_gone_and_a_bad_token_are_told_apart(github: Simulator) -> None:
    with pytest.raises(Gone):
        rest(github.url).get("/repos/no/where/pulls/comments", {})
    with responses.RequestsMock() as mocked:
        mocked.get(PATH, status=401, json={"message": "Bad credentials"})
        with pytest.raises(BadCredentials):
            list(listing.review_comments(rest("https://api.example.com"), NAME))


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="can't be reached"):
        rest("http://127.0.0.1:9").get("/x", {})


def test_a_list_that_says_it_goes_on_and_does_not_ends_with_an_error(github: Simulator) -> None:
    github.faults.add(Fault(name="empty_list", skip=2, match={"path": "pulls/comments"}))
    way = rest(github.url)
    pages: list[ListedPage] = []
    with pytest.raises(Unexpected, match="does not lead on after page 3"):
        pages.extend(listing.review_comments(way, NAME))
    github.faults.clear()
    assert way.requests == 3
