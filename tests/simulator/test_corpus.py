"""Reading real data: what is given stays, what lacks is derived."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gh_backfill.simulator import derive
from gh_backfill.simulator.app import Application
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.loading import load
from gh_backfill.simulator.world import World
from tests.simulator.small_world import ask, write_corpus

CORPUS = Path(__file__).parents[3] / "shared" / "corpus"
_PERSON = "author { __typename login ... on User { databaseId } ... on Bot { databaseId } }"
_PULL = """query($id: ID!) { node(id: $id) { ... on PullRequest {
  number state merged mergedAt body title baseRefName headRefName fullDatabaseId totalCommentsCount
  author { login } mergedBy { login }
  commits { totalCount }
  reviews(first: 100) { nodes { id fullDatabaseId state body submittedAt createdAt commit { oid } PERSON
    comments(first: 100) { totalCount nodes { fullDatabaseId replyTo { fullDatabaseId } PERSON } } } }
  comments(first: 100) { nodes { fullDatabaseId body PERSON } }
  reviewThreads(first: 100) { totalCount nodes { comments(first: 100) { nodes {
    fullDatabaseId path pullRequestReview { fullDatabaseId } } } } }
} } }""".replace("PERSON", _PERSON)


@pytest.fixture
def full(application: Application) -> dict[str, Any]:
    node: dict[str, Any] = ask(application, _PULL, id="PR_real1")["data"]["node"]
    return node


@pytest.fixture
def bare(application: Application, world: World) -> dict[str, Any]:
    repository = world.repository("there", "bare")
    assert repository is not None
    identity = derive.derived_pull_request_id("there/bare", 9)
    node_id = derive.derived_node_id(NodeKind.PULL_REQUEST, repository.id, 9, identity)
    node: dict[str, Any] = ask(application, _PULL, id=node_id)["data"]["node"]
    return node


def test_given_fields_are_served_as_they_are(full: dict[str, Any]) -> None:
    assert (full["number"], full["title"], full["fullDatabaseId"], full["headRefName"]) == (
        1,
        "Number 1",
        "5000000001",
        "topic",
    )
    assert (full["state"], full["merged"], full["mergedBy"]) == ("MERGED", True, {"login": "ann"})
    assert (full["body"], full["commits"]["totalCount"]) == ("", 4)


def test_reviews_and_inferred_reviews_come_together_by_id(full: dict[str, Any]) -> None:
    assert [review["fullDatabaseId"] for review in full["reviews"]["nodes"]] == ["300", "301", "302"]


def test_deleted_accounts_are_null(full: dict[str, Any]) -> None:
    assert full["author"] is None
    assert full["reviews"]["nodes"][2]["author"] is None
    assert full["comments"]["nodes"][0]["author"] is None


def test_a_bot_goes_by_its_name_alone(full: dict[str, Any]) -> None:
    assert full["reviews"]["nodes"][1]["author"] == {"__typename": "Bot", "login": "robot", "databaseId": 12}


def test_an_account_that_the_folder_does_not_list_is_known_from_its_row(full: dict[str, Any]) -> None:
    assert full["comments"]["nodes"][1]["author"] == {"__typename": "User", "login": "late", "databaseId": 13}


def test_comments_belong_to_their_reviews(full: dict[str, Any]) -> None:
    held = [[row["fullDatabaseId"] for row in review["comments"]["nodes"]] for review in full["reviews"]["nodes"]]
    assert held == [["400"], ["401"], []]
    assert full["reviews"]["nodes"][1]["comments"]["nodes"][0]["replyTo"] == {"fullDatabaseId": "400"}


def test_a_comment_of_no_review_is_in_a_thread_only(full: dict[str, Any]) -> None:
    threads = [
        [row["fullDatabaseId"] for row in thread["comments"]["nodes"]] for thread in full["reviewThreads"]["nodes"]
    ]
    assert threads == [["400", "401"], ["402"]]
    assert full["reviewThreads"]["nodes"][1]["comments"]["nodes"][0]["pullRequestReview"] is None
    assert full["totalCommentsCount"] == 5


def test_missing_ids_are_derived_by_rule(bare: dict[str, Any]) -> None:
    expected = [str(derive.derived_comment_id(NodeKind.REVIEW_COMMENT, "there/bare", 9, index)) for index in range(2)]
    assert [row["fullDatabaseId"] for row in bare["reviews"]["nodes"][0]["comments"]["nodes"]] == expected
    comment = str(derive.derived_comment_id(NodeKind.ISSUE_COMMENT, "there/bare", 9, 0))
    assert [row["fullDatabaseId"] for row in bare["comments"]["nodes"]] == [comment]
    assert bare["fullDatabaseId"] == str(derive.derived_pull_request_id("there/bare", 9))


def test_a_login_that_another_folder_knows_the_id_of_is_that_account(bare: dict[str, Any]) -> None:
    assert bare["reviews"]["nodes"][0]["author"]["databaseId"] == 11


def test_a_login_that_nobody_knows_the_id_of_gets_a_derived_one(bare: dict[str, Any]) -> None:
    assert bare["comments"]["nodes"][0]["author"]["databaseId"] == derive.derived_user_id("zoe")


def test_a_review_without_time_of_submission_was_submitted_when_created(bare: dict[str, Any]) -> None:
    review = bare["reviews"]["nodes"][0]
    assert (review["submittedAt"], review["createdAt"]) == ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z")


def test_missing_branches_are_derived_by_rule(bare: dict[str, Any]) -> None:
    assert (bare["headRefName"], bare["baseRefName"], bare["body"]) == ("patch-9", "main", "")


def test_a_folder_without_a_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no repository"):
        load([tmp_path])


def test_the_same_repository_twice_is_refused(tmp_path: Path) -> None:
    write_corpus(tmp_path)
    with pytest.raises(ValueError, match="here/full is in this world already"):
        load([tmp_path, tmp_path / "here__full"])


def test_derived_ids_lie_apart_and_fit_a_json_number() -> None:
    ends = [
        [derive.derived_pull_request_id("a/b", number) for number in (1, 999_999)],
        [derive.derived_review_id("a/b", number, 9_999) for number in (1, 999_999)],
        [derive.derived_comment_id(NodeKind.ISSUE_COMMENT, "a/b", number, 0) for number in (1, 999_999)],
        [derive.derived_comment_id(NodeKind.REVIEW_COMMENT, "a/b", number, 0) for number in (1, 999_999)],
        [derive.derived_issue_id("a/b", number) for number in (1, 999_999)],
    ]
    flat = [identity for pair in ends for identity in pair]
    assert flat == sorted(set(flat))
    assert flat[0] > 10**12
    assert flat[-1] < 2**53


@pytest.mark.parametrize("text", ["PR_real1", "", "PR_", "nonsense", "ZZ_AAAA"])
def test_a_real_node_id_is_no_derived_one(text: str) -> None:
    assert derive.node_key(text) is None


def test_a_derived_node_id_says_what_it_names() -> None:
    key = derive.NodeKey(NodeKind.REVIEW, 77, 5, 300)
    assert derive.node_key(derive.derived_node_id(*key)) == key


def test_the_whole_corpus_loads_without_two_of_any_id() -> None:
    if not CORPUS.is_dir():
        pytest.skip(f"the corpus is not at {CORPUS}")
    world = load([CORPUS])
    pulls = [shelf.pull(outline.number) for shelf in world.shelves.values() for outline in shelf.outlines()]
    seen: dict[str, list[int]] = {"pull": [], "review": [], "review comment": [], "comment": []}
    for pull in pulls:
        assert pull is not None
        seen["pull"].append(pull.id)
        seen["review"] += [row.id for row in pull.reviews]
        seen["review comment"] += [row.id for row in pull.review_comments]
        seen["comment"] += [row.id for row in pull.comments]
    issues = [issue for shelf in world.shelves.values() for issue in shelf.issues.values()]
    seen["issue"] = [issue.id for issue in issues]
    seen["comment"] += [row.id for issue in issues for row in issue.comments]
    assert (len(seen["pull"]), len(issues)) == (15_021, 3_106)
    assert [sum(bool(getattr(issue, name)) for issue in issues) for name in ("assignees", "milestone")] == [550, 50]
    assert {kind: len(ids) - len(set(ids)) for kind, ids in seen.items()} == dict.fromkeys(seen, 0)
