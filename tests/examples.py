"""Small complete values for tests; give what matters, the rest is filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gh_backfill.models.github import NodeId, Person, Repository
from gh_backfill.models.pull_requests import (
    Comment,
    CompletePullRequest,
    PullRequest,
    PullRequestState,
    Review,
    ReviewComment,
)
from gh_backfill.models.work import Goal, Phase, Stream, TrackedRepository
from gh_backfill.store import repositories
from gh_backfill.store.db import Transaction

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Person(github_id=1001, login="ada")
BOB = Person(github_id=3_000_000_001, login="bob")

REPOSITORY = Repository(
    node_id=NodeId("R_1"), github_id=501, owner="octo", name="engine", is_private=False, pull_requests=300
)
_PULL_REQUEST = PullRequest(
    node_id=NodeId("PR_1"),
    github_id=2_250_000_001,
    number=1,
    title="A title",
    body="A body",
    state=PullRequestState.OPEN,
    draft=False,
    url="https://github.com/octo/engine/pull/1",
    created_at=NOW,
    updated_at=NOW,
    closed_at=None,
    merged_at=None,
    additions=1,
    deletions=2,
    changed_files=3,
    commits=4,
    base_branch="main",
    head_branch="topic",
    author=ADA,
    merged_by=None,
    reviews=0,
    comments=0,
    review_threads=0,
    total_comments=0,
)
_REVIEW = Review(
    node_id=NodeId("PRR_1"),
    github_id=3_150_000_001,
    author=BOB,
    state="APPROVED",
    body="Good.",
    submitted_at=NOW,
    commit_id="c0ffee",
    comments=0,
)
_REVIEW_COMMENT = ReviewComment(
    github_id=3_250_000_001,
    review_id=3_150_000_001,
    reply_to=None,
    author=BOB,
    body="Why?",
    path="a.py",
    position=1,
    original_position=1,
    diff_hunk="@@ -1 +1 @@",
    commit_id="c0ffee",
    original_commit_id="c0ffee",
    created_at=NOW,
    updated_at=NOW,
)
_COMMENT = Comment(github_id=3_350_000_001, author=ADA, body="Thanks.", created_at=NOW, updated_at=NOW)


def pull_request(number: int = 1, **changes: Any) -> PullRequest:
    """Return a pull request whose ids follow from its number."""
    return replace(
        _PULL_REQUEST,
        number=number,
        github_id=2_250_000_000 + number,
        node_id=NodeId(f"PR_{number}"),
        url=f"https://github.com/octo/engine/pull/{number}",
        **changes,
    )


def review(number: int = 1, **changes: Any) -> Review:
    """Return a review."""
    return replace(_REVIEW, **{"github_id": 3_150_000_000 + number, "node_id": f"PRR_{number}", **changes})


def review_comment(number: int = 1, **changes: Any) -> ReviewComment:
    """Return a review comment."""
    return replace(_REVIEW_COMMENT, **{"github_id": 3_250_000_000 + number, **changes})


def comment(number: int = 1, **changes: Any) -> Comment:
    """Return a conversation comment."""
    return replace(_COMMENT, **{"github_id": 3_350_000_000 + number, **changes})


def complete(number: int = 1, **parts: Any) -> CompletePullRequest:
    """Return a pull request with one review, one review comment and one comment, unless told otherwise."""
    own = {
        "pull_request": pull_request(number),
        "reviews": (review(number),),
        "review_comments": (review_comment(number, review_id=3_150_000_000 + number),),
        "comments": (comment(number),),
    }
    return CompletePullRequest(**{**own, **parts})


def tracked(tx: Transaction, repository: Repository = REPOSITORY) -> TrackedRepository:
    """Store and track a repository and return it as the store knows it."""
    repository_id = repositories.store(tx, [repository])[repository.github_id]
    repositories.track(tx, [repository])
    return next(each for each in repositories.candidates(tx, asked=[repository_id]) if each.id == repository_id)


# A walk that has not begun.
WALK = Stream(
    id="s",
    backfill_id="b",
    repository_id="r",
    phase=Phase.HISTORY,
    goal=Goal(),
    cursor=None,
    pass_number=1,
    read_down_to=None,
    watermark=None,
    page_size=None,
    page_worked=0,
    page_too_big=None,
    pages_clean=0,
    items_done=0,
)
