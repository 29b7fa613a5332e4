"""The simulator's answers beside GitHub's own, as PyGithub recorded them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from gh_backfill.simulator import changes
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.messages import Request
from gh_backfill.simulator.world import World
from tests.simulator.conftest import Exchange
from tests.simulator.small_world import get, post

Recordings = Callable[[str], list[Exchange]]
_TOKEN = {"authorization": "token t", "user-agent": "PyGithub/Python"}


def _limits(headers: dict[str, str]) -> set[str]:
    return {name.lower() for name in headers if name.lower().startswith("x-ratelimit-")}


def test_graphql_answers_carry_the_recorded_headers(application: Application, recordings: Recordings) -> None:
    (recorded, *_) = recordings("GraphQl.testQuery")
    ours = {name.lower(): value for name, value in post(application, "{ viewer { login } }").headers.items()}
    assert _limits(ours) == _limits(recorded.headers)
    for name in ("content-type", "x-github-media-type", "x-ratelimit-resource", "server"):
        assert ours[name] == recorded.headers[name], name
    assert ours.keys() >= {"x-oauth-scopes", "x-accepted-oauth-scopes", "x-github-request-id"}
    assert "etag" not in ours


def test_a_recorded_query_gets_an_answer_of_the_recorded_shape(
    application: Application, recordings: Recordings
) -> None:
    (recorded, *_) = recordings("GraphQl.testQuery")
    assert recorded.sent is not None
    body = json.dumps(recorded.sent | {"variables": {"owner": "here", "name": "full"}}).encode()
    ours = application.answer(Request(method="POST", path=recorded.path, headers=_TOKEN, body=body))
    assert ours.status == recorded.status
    assert json.loads(ours.body) == {"data": {"repository": {"url": "https://github.com/here/full"}}}
    assert recorded.answer["data"]["repository"].keys() == {"url"}


def test_a_missing_node_is_told_in_the_recorded_words(application: Application, recordings: Recordings) -> None:
    (recorded,) = (found for found in recordings("GraphQl.testNode") if "errors" in found.answer)
    assert recorded.sent is not None
    # Discussions are not simulated; a type whose name is as long keeps the columns.
    sent = json.dumps(recorded.sent).replace("Discussion", "Repository").replace(" title", " id")
    ours = application.answer(Request(method="POST", path=recorded.path, headers=_TOKEN, body=sent.encode()))
    assert (ours.status, json.loads(ours.body)) == (recorded.status, recorded.answer)


def test_rest_answers_carry_the_recorded_headers(application: Application, recordings: Recordings) -> None:
    recorded = recordings("PullRequest.testGetReviewComments")[-1]
    ours = {
        name.lower(): value for name, value in get(application, "/repos/here/full/pulls/1/comments").headers.items()
    }
    assert _limits(ours) == _limits(recorded.headers)
    for name in ("content-type", "cache-control", "x-ratelimit-resource", "x-github-media-type"):
        assert ours[name] == recorded.headers[name], name
    assert re.fullmatch(r'W/"[0-9a-f]{64}"', ours["etag"])
    assert re.fullmatch(r'W/"[0-9a-f]{64}"', recorded.headers["etag"])


def test_review_comments_have_only_recorded_fields(application: Application, recordings: Recordings) -> None:
    recorded = recordings("PullRequest.testGetReviewComments")[-1]
    (ours, *_) = json.loads(get(application, "/repos/here/full/pulls/1/comments").body)
    assert ours.keys() <= set().union(*recorded.answer)
    assert ours.keys() >= {"id", "node_id", "pull_request_review_id", "diff_hunk", "path", "position", "user", "body"}


def test_the_rate_limit_has_the_recorded_shape(application: Application, recordings: Recordings) -> None:
    recorded = recordings("RateLimitOverview.setUp")[-1].answer
    ours = json.loads(get(application, "/rate_limit").body)
    assert ours.keys() == recorded.keys()
    for name in ("core", "graphql"):
        assert ours["resources"][name].keys() == recorded["resources"][name].keys()


def test_a_moved_repository_redirects_as_recorded(
    application: Application, world: World, recordings: Recordings
) -> None:
    (recorded, *_) = (
        found for found in recordings("Repository.testGetRepositoryWith301Redirect") if found.status == 301
    )
    changes.rename_repository(world, "here/full", name="fuller")
    ours = get(application, "/repos/here/full")
    body = json.loads(ours.body)
    assert body.keys() == recorded.answer.keys()
    assert body["message"] == recorded.answer["message"]
    assert re.search(r"/repositories/\d+$", ours.headers["Location"])
    assert re.search(r"/repositories/\d+$", recorded.headers["location"])


def test_links_look_as_recorded(application: Application, recordings: Recordings) -> None:
    (recorded, *_) = recordings("Artifact.testGetArtifactsFromRepo")
    ours = get(application, "/repos/here/full/pulls", state="all", per_page="2").headers["Link"]
    shape = re.compile(r"https?://[^/]+/repositories/\d+/[^?]+\?[^>]*page=\d+")
    assert re.findall(r'rel="(\w+)"', ours) == re.findall(r'rel="(\w+)"', recorded.headers["link"])
    assert len(shape.findall(ours)) == len(shape.findall(recorded.headers["link"])) == 2
