"""Rows of what happens while the world moves, with what people leave unsaid filled in."""

from __future__ import annotations

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import (
    IssueComment,
    IssueRow,
    LabelRow,
    PullRequestRow,
    RepositoryRow,
    ReviewCommentRow,
    ReviewRow,
)


def new_repository(
    owner: str, name: str, now: str, *, owner_id: int, private: bool, fork: bool, archived: bool = False
) -> RepositoryRow:
    """Make a repository with nothing in it."""
    identity = derive.derived_repository_id(f"{owner}/{name}")
    return RepositoryRow(
        id=identity,
        node_id=derive.derived_node_id(NodeKind.REPOSITORY, identity, 0, identity),
        owner_id=owner_id,
        owner=owner,
        name=name,
        private=private,
        fork=fork,
        archived=archived,
        created_at=now,
        updated_at=now,
    )


def new_pull(
    home: RepositoryRow, number: int, identity: int, now: str, *, author: int, title: str, body: str
) -> PullRequestRow:
    """Make an open pull request with nothing below it."""
    return PullRequestRow(
        repository_id=home.id,
        number=number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.PULL_REQUEST, home.id, number, identity),
        author=author,
        association="CONTRIBUTOR",
        title=title,
        body=body,
        open=True,
        draft=False,
        locked=False,
        created_at=now,
        updated_at=now,
        closed_at=None,
        merged_at=None,
        merged_by=None,
        merge_commit=None,
        additions=1,
        deletions=0,
        changed_files=1,
        commit_count=1,
        commits=(),
        base_ref=home.default_branch,
        base_oid=derive.derived_oid(home.id, number, "base"),
        head_ref=derive.head_ref(number),
        head_oid=derive.derived_oid(home.id, number, "head"),
        labels=(),
        reviews=(),
        review_comments=(),
        comments=(),
    )


def new_comment(home: RepositoryRow, number: int, identity: int, now: str, *, author: int, body: str) -> IssueComment:
    """Make a conversation comment."""
    return IssueComment(
        repository_id=home.id,
        number=number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.ISSUE_COMMENT, home.id, number, identity),
        author=author,
        association="NONE",
        body=body,
        created_at=now,
        updated_at=now,
    )


def new_review(
    home: RepositoryRow, pull: PullRequestRow, identity: int, now: str, *, author: int, state: str, body: str
) -> ReviewRow:
    """Make a review."""
    return ReviewRow(
        repository_id=home.id,
        number=pull.number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.REVIEW, home.id, pull.number, identity),
        author=author,
        association="MEMBER",
        state=state,
        body=body,
        commit_id=pull.head_oid,
        created_at=now,
        updated_at=now,
        submitted_at=now,
    )


def new_review_request(
    repository_id: int, number: int, index: int, *, account: int | None = None, team: TeamRow | None = None
) -> ReviewRequestRow:
    """Make the request for a review at position `index` (from 0) of a pull request; of nobody, who is not shown."""
    return ReviewRequestRow(
        repository_id=repository_id,
        number=number,
        id=derive.whole(f"review request {repository_id} {number} {index}") % 2**31,
        node_id=f"RRE_{derive.derived_oid(repository_id, number, 'review request', index)[:16]}",
        account=account,
        team=team,
    )


def new_issue(
    home: RepositoryRow,
    number: int,
    identity: int,
    now: str,
    *,
    author: int,
    title: str,
    body: str,
    labels: tuple[LabelRow, ...],
    assignees: tuple[int, ...],
) -> IssueRow:
    """Make an open issue without comments."""
    return IssueRow(
        repository_id=home.id,
        number=number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.ISSUE, home.id, number, identity),
        author=author,
        association="NONE",
        title=title,
        body=body,
        open=True,
        state_reason=None,
        locked=False,
        created_at=now,
        updated_at=now,
        closed_at=None,
        labels=labels,
        assignees=assignees,
        comments=(),
    )


def new_review_comment(review: ReviewRow, identity: int, *, body: str) -> ReviewCommentRow:
    """Make a comment of a review, which begins a thread."""
    return ReviewCommentRow(
        repository_id=review.repository_id,
        number=review.number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.REVIEW_COMMENT, review.repository_id, review.number, identity),
        author=review.author,
        association=review.association,
        body=body,
        created_at=review.created_at,
        updated_at=review.created_at,
        review_id=review.id,
        reply_to=None,
        path="README.md",
        diff_hunk="@@ -1 +1 @@\n-old\n+new",
        position=1,
        original_position=1,
        line=1,
        original_line=1,
        start_line=None,
        original_start_line=None,
        commit_id=review.commit_id,
        original_commit_id=review.commit_id,
    )
