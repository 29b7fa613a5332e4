"""Write issues with all that belongs to them: people first, then the issues, then their comments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.issues import CompleteIssue
from gh_backfill.models.work import TrackedRepository
from gh_backfill.resources import sql
from gh_backfill.store import comments, labels, people
from gh_backfill.store.chunk_rows import ChunkRows, Written
from gh_backfill.store.db import Row, Transaction

_SQL = sql("issues")
KIND = "issues"


def write(
    tx: Transaction,
    repository: TrackedRepository,
    items: Sequence[CompleteIssue],
    unreadable: Sequence[Unreadable],
) -> Written:
    """Write a chunk's rows; raises StoreConflict where another worker came in between: replay the transaction.

    What can't be stored goes to the quarantine and is counted there.  Labels and assignees take the place of those
    that were there, unless fewer of them could be read.
    """
    chunk = ChunkRows(tx=tx, repository_id=repository.id, kind=KIND)
    chunk.people(people_of(items))
    chunk.items(_SQL["upsert_issues"], map(_issue_row, items))
    chunk.comments(
        row
        for item in items
        for row in comments.conversation(item.comments, parent="issue", github_id=item.issue.github_id)
    )
    return chunk.written([*unreadable, *(each for item in items for each in item.unreadable)])


def own_numbers(tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteIssue]) -> int:
    """Let each number of the repository belong to one row, the one with GitHub's id; returns how many were settled."""
    rows = [{"github_id": item.issue.github_id, "number": item.number} for item in items]
    pairs = tx.rows(_SQL["own_issue_numbers"], rows=rows, repository_id=repository.id)
    for pair in pairs:
        if pair["right_id"] is None:
            tx.run(_SQL["renumber_issue"], wrong_id=pair["wrong_id"], github_id=pair["github_id"])
        else:
            tx.run(_SQL["drop_double_issue"], wrong_id=pair["wrong_id"])
    return len(pairs)


def people_of(items: Iterable[CompleteIssue]) -> list[Person]:
    """Return everybody who occurs, each id and each login once; of two readings the later one counts."""
    everybody: list[Person] = []
    for item in items:
        everybody += (item.issue.author, *item.assignees, *(comment.author for comment in item.comments))
    return people.once_each(everybody)


def _issue_row(item: CompleteIssue) -> Row:
    issue = item.issue
    return {
        "github_id": issue.github_id,
        "node_id": issue.node_id,
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state,
        "state_reason": issue.state_reason,
        "url": issue.url,
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "closed_at": issue.closed_at,
        "author": issue.author.github_id,
        "milestone": labels.milestone(issue.milestone),
        "labels": [labels.label(each) for each in item.labels],
        "labels_whole": item.labels_whole,
        "assignees": [labels.assignee(each) for each in item.assignees],
        "assignees_whole": item.assignees_whole,
        "comments": issue.comments,
        "gap": item.gap,
    }
