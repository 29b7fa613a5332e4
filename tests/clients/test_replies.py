"""What an answer of GitHub means, shape by shape."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses

from gh_backfill.clients import damage, replies
from gh_backfill.errors import Denied, GitHubError, RateLimited, TooBig, Unexpected, Unreachable

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "http://127.0.0.1/graphql"
IN_20_MINUTES = NOW + timedelta(minutes=20)
HEADERS = {
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4290",
    "x-ratelimit-reset": str(int(IN_20_MINUTES.timestamp())),
    "x-ratelimit-resource": "graphql",
    "Date": "Sun, 01 Mar 2026 11:59:58 GMT",
}
SECONDARY = {"message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."}
TIMEOUT = (
    "Something went wrong while executing your query on 2026-03-01T11:59:57+00:00. "
    "This may be the result of a timeout, or it could be a GitHub bug."
)


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> requests.Response:
    text = body if isinstance(body, str) else json.dumps(body)
    with responses.RequestsMock() as server:
        server.post(ADDRESS, status=status, body=text, headers=HEADERS if headers is None else headers)
        return requests.post(ADDRESS, timeout=1)


def error(status: int, body: object, headers: dict[str, str] | None = None) -> GitHubError:
    with pytest.raises(GitHubError) as caught:
        replies.read(answer(status, body, headers), NOW)
    return caught.value


def errors(**fields: object) -> dict[str, object]:
    return {"errors": [{"message": "m", **fields}]}


@pytest.mark.parametrize(
    "body",
    [
        errors(type="RATE_LIMITED", message="API rate limit exceeded for installation ID 1."),
        errors(type="RATE_LIMIT", code="graphql_rate_limit", message="API rate limit already exceeded for user ID 1."),
    ],
)
def test_exhausted_points_come_in_two_shapes_with_status_200_and_wait_for_the_reset(body: object) -> None:
    found = error(200, body)
    assert isinstance(found, RateLimited)
    assert IN_20_MINUTES <= found.resume_at <= IN_20_MINUTES + timedelta(seconds=5)


def test_exhausted_points_are_recognised_in_a_403_too() -> None:
    found = error(403, {"message": "API rate limit exceeded for user ID 1."}, {**HEADERS, "x-ratelimit-remaining": "0"})
    assert isinstance(found, RateLimited)
    assert found.resume_at >= IN_20_MINUTES


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_with_retry_after_waits_that_long(status: int) -> None:
    found = error(status, SECONDARY, {**HEADERS, "retry-after": "90"})
    assert isinstance(found, RateLimited)
    assert found.resume_at == NOW + timedelta(seconds=90)


def test_retry_after_may_be_a_date() -> None:
    found = error(403, SECONDARY, {"retry-after": "Sun, 01 Mar 2026 12:05:00 GMT"})
    assert isinstance(found, RateLimited)
    assert found.resume_at == NOW + timedelta(minutes=5)


def test_a_secondary_limit_with_a_near_reset_waits_for_it_but_at_least_a_minute() -> None:
    near = str(int((NOW + timedelta(seconds=61)).timestamp()))
    found = error(403, SECONDARY, {**HEADERS, "x-ratelimit-remaining": "14", "x-ratelimit-reset": near})
    assert isinstance(found, RateLimited)
    assert timedelta(seconds=60) <= found.resume_at - NOW <= timedelta(seconds=70)


def test_a_secondary_limit_without_a_word_waits_at_least_a_minute() -> None:
    found = error(403, SECONDARY, {})
    assert isinstance(found, RateLimited)
    assert found.resume_at == NOW + timedelta(seconds=60)


def test_a_secondary_limit_may_come_with_status_200() -> None:
    assert isinstance(error(200, errors(message=SECONDARY["message"])), RateLimited)


def test_a_bad_token_is_told_apart_from_a_limit_whatever_its_headers_say() -> None:
    found = error(401, {"message": "Bad credentials"}, {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0"})
    assert isinstance(found, Denied)
    assert "GITHUB_TOKEN" in str(found)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (502, {"data": None, "errors": [{"message": TIMEOUT}]}),
        (200, errors(message=TIMEOUT)),
        (504, {"message": "We couldn't respond to your request in time. Sorry about that."}),
        (502, {"message": "We couldn't respond to your request in time. Sorry about that."}),
        (200, {"data": None, **errors(type="RESOURCE_LIMITS_EXCEEDED", path=["node", "x"])}),
    ],
)
def test_a_query_that_is_too_heavy_is_to_be_asked_smaller(status: int, body: object) -> None:
    assert isinstance(error(status, body), TooBig)


@pytest.mark.parametrize(
    ("status", "body"),
    [(502, "<html>502 Bad Gateway</html>"), (500, ""), (503, {"message": "down"}), (200, '{"data": {"no')],
)
def test_trouble_and_cut_answers_are_worth_another_try(status: int, body: object) -> None:
    found = error(status, body)
    assert isinstance(found, Unreachable)
    assert found.retryable


def test_what_is_not_found_is_data_with_its_path() -> None:
    body = {
        "data": {"a0": None, "a1": {"id": "x"}, "nodes": [None]},
        "errors": [
            {"type": "NOT_FOUND", "path": ["a0"], "message": "Could not resolve to a Repository"},
            {"type": "NOT_FOUND", "path": ["nodes", 0], "message": "Could not resolve to a node"},
        ],
    }
    reply = replies.read(answer(200, body), NOW)
    assert reply.not_found == {("a0",), ("nodes", 0)}
    assert reply.server_time == NOW - timedelta(seconds=2)


@pytest.mark.parametrize(
    ("kind", "expected"), [("FORBIDDEN", Denied), ("INSUFFICIENT_SCOPES", Denied), ("SOMETHING_NEW", Unexpected)]
)
def test_an_error_without_a_place_in_the_data_is_about_the_whole_query(kind: str, expected: type[GitHubError]) -> None:
    assert isinstance(error(200, {"data": {"node": {"id": "x"}}, **errors(type=kind)}), expected)


def test_a_null_with_an_error_at_its_path_spoils_what_holds_it_and_no_more() -> None:
    comments = {"nodes": [{"id": "c0", "author": None}, {"id": "c1", "author": {"login": "ada"}}]}
    node = {"pullRequests": {"edges": [{"cursor": "x", "node": {"comments": comments}}]}}
    path = ["node", "pullRequests", "edges", 0, "node", "comments", "nodes", 0, "author"]
    reply = replies.read(answer(200, {"data": {"node": node}, **errors(type="FORBIDDEN", path=path)}), NOW)
    (edge,) = reply.data["node"]["pullRequests"]["edges"]
    first, second = edge["node"]["comments"]["nodes"]
    assert "GitHub could not read it" in first[damage.MARK]
    assert damage.MARK not in second
    assert damage.MARK not in edge


def test_a_deep_not_found_is_no_permission_to_believe_a_null() -> None:
    edge = {"cursor": "x", "node": {"title": "t", "author": None}}
    path = ["node", "pullRequests", "edges", 0, "node", "author"]
    body = {"data": {"node": {"pullRequests": {"edges": [edge]}}}, **errors(type="NOT_FOUND", path=path)}
    reply = replies.read(answer(200, body), NOW)
    assert damage.MARK in reply.data["node"]["pullRequests"]["edges"][0]


def test_an_alias_that_could_not_be_read_is_unknown_and_not_gone() -> None:
    body = {"data": {"a0": {"id": "x", "comments": None}}, **errors(type="FORBIDDEN", path=["a0", "comments"])}
    reply = replies.read(answer(200, body), NOW)
    assert (damage.MARK in reply.data["a0"], reply.not_found) == (True, frozenset())


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud83db"])
def test_characters_that_no_database_can_store_are_replaced_and_reported(bad: str) -> None:
    body = {"data": {"node": {"edges": [{"node": {"body": bad}}, {"node": {"body": "\U0001f600"}}]}}}
    reply = replies.read(answer(200, body), NOW)
    first, second = reply.data["node"]["edges"]
    assert first == {"node": {"body": "a\ufffdb"}, damage.MARK: damage.MENDED}
    assert second == {"node": {"body": "\U0001f600"}}


def test_the_headers_are_believed_before_the_body() -> None:
    body = {"rateLimit": {"limit": 5000, "remaining": 5000, "resetAt": "2026-03-01T13:00:00Z"}}
    found = replies.budget(answer(200, {}), body, NOW)
    assert found is not None
    assert (found.limit, found.remaining) == (5000, 4290)


def test_without_headers_the_body_tells_and_without_both_nothing_is_known() -> None:
    body = {"rateLimit": {"limit": 1000, "remaining": 0, "resetAt": "2026-03-01T13:00:00Z"}}
    found = replies.budget(answer(200, {}, {}), body, NOW)
    assert found is not None
    assert (found.limit, found.remaining) == (1000, 0)
    assert replies.budget(answer(200, {}, {}), None, NOW) is None


def test_the_bucket_of_somebody_unknown_is_not_ours() -> None:
    assert replies.budget(answer(401, {}, {**HEADERS, "x-ratelimit-limit": "60"}), None, NOW) is None
