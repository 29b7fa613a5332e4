"""The REST interface."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.messages import Response
from gh_backfill.simulator.options import Options
from gh_backfill.simulator.world import World
from tests.simulator.small_world import get, send


def body(response: Response) -> Any:
    return json.loads(response.body)


def test_a_repository_is_found_by_name_and_by_id(application: Application) -> None:
    first, second = body(get(application, "/repos/here/full")), body(get(application, "/repositories/77"))
    assert first == second
    assert (first["id"], first["stargazers_count"], first["owner"]["type"]) == (77, 5, "Organization")


@pytest.mark.parametrize("path", ["/repos/no/where", "/repositories/5", "/nonsense", "/repos/here/full/pulls/99"])
def test_what_is_not_there_is_404(application: Application, path: str) -> None:
    response = get(application, path)
    assert response.status == 404
    assert body(response) == {
        "message": "Not Found",
        "documentation_url": "https://docs.github.com/rest",
        "status": "404",
    }


def test_a_former_name_redirects_to_the_id(application: Application, world: World) -> None:
    changes.rename_repository(world, "here/full", name="fuller")
    response = get(application, "/repos/here/full/pulls", state="all")
    assert (response.status, response.headers["Location"]) == (301, "http://127.0.0.1/repositories/77/pulls?state=all")
    assert body(response)["message"] == "Moved Permanently"
    assert body(get(application, "/repositories/77"))["full_name"] == "here/fuller"
    assert send(application, "POST", "/repos/here/full/issues", {"title": "x"}).status == 307


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [5, 4, 3]),
        ({"state": "closed"}, [2, 1]),
        ({"state": "all", "direction": "asc"}, [1, 2, 3, 4, 5]),
        ({"state": "all", "sort": "updated", "direction": "desc"}, [1, 2, 3, 4, 5]),
    ],
)
def test_pull_requests_are_listed_as_asked(application: Application, query: dict[str, str], numbers: list[int]) -> None:
    assert [row["number"] for row in body(get(application, "/repos/here/full/pulls", "t", {}, **query))] == numbers


def test_links_lead_from_page_to_page_by_the_id(application: Application) -> None:
    def links(page: str) -> dict[str, str]:
        header = get(application, "/repos/here/full/pulls", state="all", per_page="2", page=page).headers["Link"]
        parts = (part.split("; ") for part in header.split(", "))
        return {rel.split('"')[1]: address.strip("<>") for address, rel in parts}

    assert list(links("1")) == ["next", "last"]
    assert list(links("2")) == ["prev", "next", "last", "first"]
    assert list(links("3")) == ["prev", "first"]
    assert links("1")["next"] == "http://127.0.0.1/repositories/77/pulls?state=all&per_page=2&page=2"
    assert "Link" not in get(application, "/repos/here/full/pulls").headers


def test_review_comments_are_listed_since_a_time_with_those_of_no_review(application: Application) -> None:
    rows = body(get(application, "/repos/here/full/pulls/comments"))
    assert [(row["id"], row["pull_request_review_id"]) for row in rows] == [(402, None), (400, 300), (401, 301)]
    assert (rows[0]["user"], rows[2]["in_reply_to_id"], rows[2]["user"]["login"]) == (None, 400, "robot[bot]")
    assert rows[0]["pull_request_url"].endswith("/repos/here/full/pulls/1")
    recent = body(get(application, "/repos/here/full/pulls/comments", since="2020-01-02T00:00:00Z"))
    assert [row["id"] for row in recent] == [400, 401]


def test_the_list_of_all_review_comments_ends_early_and_since_leads_on(world: World) -> None:
    application, path = Application(world, Options(longest_list=2)), "/repos/here/full/pulls/comments"
    order = {"sort": "updated", "direction": "asc"}
    first = get(application, path, "t", {}, per_page="1", page="2", **order)
    assert "next" not in first.headers["Link"]
    assert get(application, path, "t", {}, per_page="1", page="3", **order).status == 422
    rest = body(get(application, path, "t", {}, since=body(first)[0]["updated_at"], **order))
    assert [row["id"] for row in rest] == [400, 401]
    changes.review(world, "here/full", 5, author="ann", comments=["new"])
    assert body(get(application, path, sort="updated", direction="desc"))[0]["body"] == "new"


def test_deleted_authors_are_ghosts_in_conversations_and_null_in_reviews(application: Application) -> None:
    assert body(get(application, "/repos/here/full/pulls/1"))["user"]["id"] == 10137
    assert body(get(application, "/repos/here/full/issues/1/comments"))[0]["user"]["login"] == "ghost"
    assert body(get(application, "/repos/here/full/pulls/1/reviews"))[2]["user"] is None


def test_issues_and_pull_requests_share_a_list(application: Application) -> None:
    rows = body(get(application, "/repos/here/full/issues", state="all"))
    assert [(row["number"], "pull_request" in row) for row in rows] == [
        (6, False),
        *((n, True) for n in (5, 4, 3, 2, 1)),
    ]
    assert [row["number"] for row in body(get(application, "/repos/here/full/issues", state="all", labels="bug"))] == [
        6
    ]


def test_since_the_epoch_is_never(application: Application) -> None:
    assert body(get(application, "/repos/here/full/issues", since="1970-01-01T00:00:00Z")) == []
    assert len(body(get(application, "/repos/here/full/issues", since="1970-01-01T00:00:01Z", state="all"))) == 6


def test_an_issue_is_opened_commented_on_changed_and_closed(application: Application) -> None:
    made = send(application, "POST", "/repos/here/full/issues", {"title": "Alert", "body": "b", "labels": ["alert"]})
    number = body(made)["number"]
    assert (made.status, number, body(made)["user"]["login"]) == (201, 7, "t")
    comment = send(application, "POST", f"/repos/here/full/issues/{number}/comments", {"body": "again"})
    assert comment.status == 201
    changed = send(application, "PATCH", f"/repos/here/full/issues/{number}", {"state": "closed", "title": "Done"})
    assert (body(changed)["state"], body(changed)["title"], body(changed)["comments"]) == ("closed", "Done", 1)
    assert [row["name"] for row in body(get(application, "/repos/here/full/labels"))] == ["alert"]


def test_an_issue_without_title_or_with_too_long_a_body_is_invalid(application: Application) -> None:
    missing = send(application, "POST", "/repos/here/full/issues", {"body": "b"})
    assert (missing.status, body(missing)["errors"][0]["field"]) == (422, "title")
    long = send(application, "POST", "/repos/here/full/issues", {"title": "t", "body": "x" * 65_537})
    assert (long.status, body(long)["errors"][0]["message"]) == (422, "body is too long (maximum is 65536 characters)")


def test_an_unchanged_answer_is_304_and_free(application: Application) -> None:
    first = get(application, "/repos/here/full")
    second = get(application, "/repos/here/full", headers={"if-none-match": first.headers["ETag"]})
    assert (second.status, second.body, second.headers["X-RateLimit-Used"]) == (304, b"", "1")


def test_a_changed_answer_is_sent_whole(application: Application, world: World) -> None:
    first = get(application, "/repos/here/full/pulls")
    changes.edit(world, "here/full", 5, title="x")
    assert get(application, "/repos/here/full/pulls", headers={"if-none-match": first.headers["ETag"]}).status == 200


def test_runs_and_their_jobs_are_what_tests_set(application: Application, world: World) -> None:
    changes.set_run(world, "here/full", {"id": 9, "status": "completed"}, [{"id": 1, "conclusion": "success"}])
    assert body(get(application, "/repos/here/full/actions/runs/9"))["status"] == "completed"
    jobs = body(get(application, "/repos/here/full/actions/runs/9/jobs"))
    assert jobs == {"total_count": 1, "jobs": [{"id": 1, "conclusion": "success"}]}
    assert get(application, "/repos/here/full/actions/runs/8").status == 404


def test_the_user_is_whoever_the_token_stands_for(application: Application) -> None:
    assert body(get(application, "/user", "ann"))["id"] == 11
    assert get(application, "/user", None).status == 401


def test_the_world_can_be_moved_from_outside(application: Application) -> None:
    moved = send(application, "POST", "/_world", {"do": "rename_account", "login": "ann", "to": "anna"})
    assert moved.status == 200
    assert body(get(application, "/repos/here/full/pulls/5"))["user"]["login"] == "anna"
    assert send(application, "POST", "/_world", {"do": "nonsense"}).status == 400


def test_a_budget_can_be_set_from_outside(application: Application) -> None:
    send(application, "POST", "/_limits", {"identity": "t", "resource": "core", "remaining": 0, "resets_in": 9})
    assert get(application, "/repos/here/full").status == 403
