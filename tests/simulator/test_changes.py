"""A world that moves."""

from __future__ import annotations

from typing import Any

import pytest

from gh_backfill.simulator import changes
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, errors, get

NAME = "here/full"
_ITEM = """query($n: Int!) { repository(owner: "here", name: "full") { pullRequest(number: $n) {
  title updatedAt state mergedBy { login } author { login }
  reviews(first: 100) { totalCount nodes { author { login } comments(first: 100) { nodes { body } } } }
  comments(first: 100) { nodes { body author { login } } } } } }"""


def pull(application: Application, number: int) -> dict[str, Any]:
    found: dict[str, Any] = ask(application, _ITEM, n=number)["data"]["repository"]["pullRequest"]
    return found


def test_a_new_pull_request_gets_the_next_number(application: Application, world: World) -> None:
    made = changes.open_pull_request(world, NAME, author="newcomer", title="Hello")
    assert made.number == 7
    assert (pull(application, 7)["title"], pull(application, 7)["author"]) == ("Hello", {"login": "newcomer"})


@pytest.mark.parametrize("change", ["edit", "comment", "review", "close"])
def test_every_change_moves_the_time_of_update_past_all_others(
    application: Application, world: World, change: str
) -> None:
    before = max(pull(application, number)["updatedAt"] for number in range(1, 6))
    fields = {"edit": {"title": "x"}, "close": {}}.get(change, {"author": "ann"})
    getattr(changes, change)(world, NAME, 5, **fields)
    assert pull(application, 5)["updatedAt"] > before


def test_two_changes_are_never_at_the_same_time(world: World) -> None:
    first = changes.edit(world, NAME, 5, title="x")
    assert changes.edit(world, NAME, 4, title="x").updated_at > first.updated_at


def test_a_review_comes_with_its_comments(application: Application, world: World) -> None:
    changes.review(world, NAME, 5, author="ann", state="APPROVED", comments=["one", "two"])
    (review,) = pull(application, 5)["reviews"]["nodes"]
    assert (review["author"], review["comments"]["nodes"]) == ({"login": "ann"}, [{"body": "one"}, {"body": "two"}])


def test_a_merge_says_who_did_it(application: Application, world: World) -> None:
    changes.close(world, NAME, 5, merged_by="ann")
    assert (pull(application, 5)["state"], pull(application, 5)["mergedBy"]) == ("MERGED", {"login": "ann"})


def test_a_deleted_pull_request_is_gone(application: Application, world: World) -> None:
    changes.delete(world, NAME, 5)
    assert errors(ask(application, _ITEM, n=5)) == [("NOT_FOUND", ["repository", "pullRequest"])]
    assert errors(ask(application, '{ node(id: "PR_real5") { id } }')) == [("NOT_FOUND", ["node"])]


_ISSUE = """query($n: Int!) { repository(owner: "here", name: "full") { issues { totalCount } issue(number: $n) {
  title state stateReason closedAt updatedAt milestone { title } labels(first: 9) { nodes { name } }
  assignees(first: 9) { nodes { login } } comments(first: 9) { nodes { body updatedAt } } } } }"""


def issue(application: Application, number: int = 6) -> dict[str, Any]:
    found: dict[str, Any] = ask(application, _ISSUE, n=number)["data"]["repository"]["issue"]
    return found


def test_an_issue_is_opened_with_labels_and_assignees(application: Application, world: World) -> None:
    made = changes.open_issue(world, NAME, title="New", author="ann", labels=["bug"], assignees=["zoe", "newcomer"])
    found = issue(application, made.number)
    assert (found["title"], found["labels"]["nodes"]) == ("New", [{"name": "bug"}])
    assert found["assignees"]["nodes"] == [{"login": "zoe"}, {"login": "newcomer"}]


@pytest.mark.parametrize(
    ("change", "field", "found"),
    [
        ({"title": "x"}, "title", "x"),
        ({"labels": ["a", "bug"]}, "labels", {"nodes": [{"name": "a"}, {"name": "bug"}]}),
        ({"labels": []}, "labels", {"nodes": []}),
        ({"assignees": ["newcomer"]}, "assignees", {"nodes": [{"login": "newcomer"}]}),
        ({"milestone": "3.0"}, "milestone", {"title": "3.0"}),
        ({"milestone": ""}, "milestone", None),
        ({"state": "open"}, "stateReason", "REOPENED"),
        ({"state": "closed", "reason": "not_planned", "by": "ann"}, "stateReason", "NOT_PLANNED"),
    ],
)
def test_every_change_of_an_issue_moves_its_time_of_update_past_all_others(
    application: Application, world: World, change: dict[str, Any], field: str, found: object
) -> None:
    before = max(issue(application)["updatedAt"], pull(application, 1)["updatedAt"])
    changes.edit_issue(world, NAME, 6, **change)
    assert issue(application)[field] == found
    assert issue(application)["updatedAt"] > before


def test_a_comment_that_is_edited_moves_its_issue_and_one_that_is_deleted_does_not(
    application: Application, world: World
) -> None:
    before = issue(application)["updatedAt"]
    changes.edit_comment(world, NAME, 6, 510, body="anew", moves=False)
    assert issue(application)["updatedAt"] == before
    edited = changes.edit_comment(world, NAME, 6, 510, body="again")
    assert issue(application)["updatedAt"] == edited.updated_at > before
    changes.delete_comment(world, NAME, 6, 511)
    assert issue(application)["comments"]["nodes"] == [{"body": "again", "updatedAt": edited.updated_at}]
    assert issue(application)["updatedAt"] == edited.updated_at


def test_a_comment_of_a_pull_request_is_edited_and_deleted_too(application: Application, world: World) -> None:
    changes.edit_comment(world, NAME, 1, 500, body="anew")
    changes.delete_comment(world, NAME, 1, 501)
    assert [row["body"] for row in pull(application, 1)["comments"]["nodes"]] == ["anew"]


def test_a_deleted_issue_is_gone_and_its_number_is_not_given_again(application: Application, world: World) -> None:
    node_id = world.issue(77, 6).node_id  # type: ignore[union-attr]
    changes.delete_issue(world, NAME, 6)
    assert errors(ask(application, _ISSUE, n=6)) == [("NOT_FOUND", ["repository", "issue"])]
    assert errors(ask(application, "query($id: ID!) { node(id: $id) { id } }", id=node_id)) == [("NOT_FOUND", ["node"])]
    assert get(application, "/repos/here/full/issues/6").status == 410
    assert changes.open_issue(world, NAME, title="Next", author="ann").number == 7


def test_whoever_deletes_an_account_is_no_assignee_any_more(application: Application, world: World) -> None:
    changes.delete_account(world, "ann")
    assert issue(application)["assignees"]["nodes"] == [{"login": "zoe"}]


def test_a_renamed_account_is_renamed_everywhere_and_nothing_is_touched(application: Application, world: World) -> None:
    before = pull(application, 5)["updatedAt"]
    changes.rename_account(world, "ann", to="anna")
    assert (pull(application, 5)["author"], pull(application, 5)["updatedAt"]) == ({"login": "anna"}, before)


def test_a_login_given_up_can_be_taken_by_somebody_else(application: Application, world: World) -> None:
    changes.rename_account(world, "ann", to="anna")
    changes.open_pull_request(world, NAME, author="ann")
    old, new = world.account_by_login("anna"), world.account_by_login("ann")
    assert old is not None
    assert new is not None
    assert (old.id, new.id) != (new.id, old.id)
    assert (pull(application, 5)["author"], pull(application, 7)["author"]) == ({"login": "anna"}, {"login": "ann"})


def test_what_a_deleted_account_wrote_has_no_author(application: Application, world: World) -> None:
    changes.delete_account(world, "ann")
    assert pull(application, 5)["author"] is None


def test_a_deleted_repository_is_not_found(application: Application, world: World) -> None:
    changes.delete_repository(world, NAME)
    assert errors(ask(application, _ITEM, n=5)) == [("NOT_FOUND", ["repository"])]


def test_comments_can_be_made_to_share_an_id(application: Application, world: World) -> None:
    shared = changes.collide_comments(world, NAME, 1)
    query = """{ node(id: "PR_real1") { ... on PullRequest {
      comments(first: 9) { nodes { id fullDatabaseId } }
      reviewThreads(first: 9) { nodes { comments(first: 9) { nodes { fullDatabaseId } } } } } } }"""
    node = ask(application, query)["data"]["node"]
    threads = [
        row["fullDatabaseId"] for thread in node["reviewThreads"]["nodes"] for row in thread["comments"]["nodes"]
    ]
    assert str(shared) in threads
    assert str(shared) in [row["fullDatabaseId"] for row in node["comments"]["nodes"]]


@pytest.mark.parametrize(("repository", "number"), [("no/where", 1), (NAME, 99)])
def test_a_change_of_what_is_not_there_is_an_error(world: World, repository: str, number: int) -> None:
    with pytest.raises(LookupError):
        changes.edit(world, repository, number, title="x")
