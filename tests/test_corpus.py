"""What is read from the corpus is what its own figures say."""

from __future__ import annotations

import re

import pytest

from tests import corpus
from tests.expected import GHOST, UNKNOWN, Repository

pytestmark = pytest.mark.xdist_group("corpus")  # one process reads it


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
