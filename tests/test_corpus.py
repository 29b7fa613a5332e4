"""What is read from the corpus is what its own figures say."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace

import pytest

from gh_backfill.simulator.loading import load
from tests import corpus
from tests.expected import GHOST, UNKNOWN, Repository
from tests.storm.expected_world import expected_world


@pytest.fixture(scope="module")
def world() -> dict[str, Repository]:
    return {repository.full_name: repository for repository in corpus.expected(corpus.folders())}


def figures() -> dict[str, list[int]]:
    """Return what the table of its README counts: pull requests, reviews, review comments, conversation comments."""
    rows = {}
    for line in (corpus.CORPUS / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace(",", "") for cell in line.split("|")]
        if len(cells) > 9 and re.match(r"\d{4}-\d\d-\d\d$", cells[2]):
            reviews = [int(number) for number in re.findall(r"\d+", cells[7])]
            rows[cells[1]] = [int(cells[3].split()[0]), sum(reviews), int(cells[8]), int(cells[9])]
    return rows


def test_the_corpus_has_as_many_rows_as_its_readme_says(world: dict[str, Repository]) -> None:
    counted = {
        name: [len(r.pull_requests), len(r.reviews), len(r.review_comments), len(r.comments)]
        for name, r in world.items()
    }
    assert counted == figures()
    assert len(counted) == 11
    assert [sum(column) for column in zip(*counted.values(), strict=True)] == [15_021, 19_489, 22_129, 18_935]


def test_no_identity_occurs_twice(world: dict[str, Repository]) -> None:
    for name in ("pull_requests", "reviews", "review_comments", "comments"):
        identities = [row.github_id for repository in world.values() for row in getattr(repository, name)]
        assert len(set(identities)) == len(identities)


def test_deleted_accounts_are_ghosts_wherever_they_occur(world: dict[str, Repository]) -> None:
    gui = world["bitcoin-core/gui"]
    ghosts = [
        sum(row.author == GHOST for row in rows)
        for rows in (gui.pull_requests, gui.reviews, gui.review_comments, gui.comments)
    ]
    assert ghosts == [11, 30, 20, 68]  # null in lists of reviews, an account of that name elsewhere


def test_the_largest_pull_request_has_all_its_reviews_and_comments(world: dict[str, Repository]) -> None:
    secp = world["bitcoin-core/secp256k1"]
    assert sum(review.pull_request == 558 for review in secp.reviews) == 337
    assert sum(comment.pull_request == 558 for comment in secp.review_comments) == 440


def test_comments_from_before_there_were_reviews_belong_to_none(world: dict[str, Repository]) -> None:
    secp = world["bitcoin-core/secp256k1"]
    assert sum(comment.review_github_id is None for comment in secp.review_comments) == 247


def test_what_a_source_lacks_is_unknown_and_not_empty(world: dict[str, Repository]) -> None:
    esni = world["tlswg/draft-ietf-tls-esni"]
    assert {comment.path for comment in esni.review_comments} == {UNKNOWN}
    assert {comment.in_reply_to for comment in esni.review_comments} == {UNKNOWN}
    mirai = world["team-mirai/policy"]
    assert sum(pull_request.body is UNKNOWN for pull_request in mirai.pull_requests) == 7_953


def test_the_issues_of_the_corpus_are_as_many_as_its_readme_says(world: dict[str, Repository]) -> None:
    counted = {name: [len(r.issues), len(r.issue_comments)] for name, r in world.items()}
    told = {}
    for line in (corpus.CORPUS / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().replace(",", "") for cell in line.split("|")]
        if len(cells) > 10 and re.match(r"\d{4}-\d\d-\d\d$", cells[2]):
            told[cells[1]] = [int(cells[6]), int(cells[10])]
    assert counted == told
    issues = [issue.github_id for r in world.values() for issue in r.issues]
    assert len(set(issues)) == len(issues)
    comments = [row.github_id for r in world.values() for row in r.comments]
    comments += [row.github_id for r in world.values() for row in r.issue_comments]
    assert len(set(comments)) == len(comments)


def test_bots_that_are_assigned_are_no_assignees(world: dict[str, Repository]) -> None:
    issues = world["bitcoin-core/secp256k1"].issues
    # Nine are assigned: one to a bot alone, one to a bot beside a user.
    assert sum(bool(issue.assignees) for issue in issues) == 8
    assert sum(len(issue.assignees) for issue in issues if issue.assignees is not UNKNOWN) == 8
    assert sum(issue.milestone is not None for issue in issues) == 36


def test_the_simulated_world_has_the_issues_that_the_corpus_has(world: dict[str, Repository]) -> None:
    served = {each.full_name: each for each in expected_world(load(corpus.folders()))}
    for name, wanted in world.items():
        for rows, others in (
            (wanted.issues, served[name].issues),
            (wanted.issue_comments, served[name].issue_comments),
        ):
            assert [known(row, other) for row, other in zip(rows, others, strict=True)] == list(others)


def known(wanted: object, served: object) -> object:
    """Return what is wanted, with what is not known, or empty, taken from what is served."""
    if isinstance(wanted, tuple) and isinstance(served, tuple):
        return tuple(known(*pair) for pair in zip(wanted, served, strict=True))
    if is_dataclass(wanted) and not isinstance(wanted, type):
        names = [field.name for field in fields(wanted)]
        return replace(wanted, **{name: known(getattr(wanted, name), getattr(served, name)) for name in names})
    return served if wanted is UNKNOWN or (wanted is None and served == "") else wanted
