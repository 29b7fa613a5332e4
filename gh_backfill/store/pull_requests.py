"""Write pull requests with all that belongs to them: people first, then one statement for each table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.pull_requests import CompletePullRequest, PullRequestState
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.resources import sql
from gh_backfill.store import comments, labels, people
from gh_backfill.store.batches import LARGEST_PART
from gh_backfill.store.chunk_rows import ChunkRows, Written
from gh_backfill.store.db import Row, Transaction

_SQL = sql("pull_requests")
# A review that its author has not submitted yet is shown to that author alone, and has no date.
_NOT_SUBMITTED = "PENDING"
# Repositories with a third to three times as many pull requests are alike, and from so many on tell what is usual.
ALIKE, ENOUGH = 3, 3


def sizes(tx: Transaction, repository_id: str, total: int) -> tuple[float | None, int | None]:
    """Return how many files the newest pull requests of a repository change, and the usual page of others like it.

    The former in the mean, None where there is none; the latter None where too few have so many pull requests.
    """
    mean, usual = tx.together(
        (_SQL["mean_size"], {"repository_id": repository_id}),
        (_SQL["usual_page"], {"repository_id": repository_id, "total": total, "alike": ALIKE, "enough": ENOUGH}),
    )
    files = mean[0]["files"] if mean else None
    return None if files is None else float(files), usual[0]["page"] if usual else None


def own_numbers(tx: Transaction, repository: TrackedRepository, items: Sequence[CompletePullRequest]) -> int:
    """Let each number of the repository belong to one row, the one with GitHub's id; returns how many were settled.

    Needed only where an older import left rows under invented ids, or the same pull request twice.
    """
    rows = [{"github_id": item.pull_request.github_id, "number": item.pull_request.number} for item in items]
    pairs = tx.rows(_SQL["own_numbers"], rows=rows, repository_id=repository.id)
    for pair in pairs:
        if pair["right_id"] is None:
            tx.run(_SQL["renumber"], wrong_id=pair["wrong_id"], github_id=pair["github_id"])
        else:
            tx.run(_SQL["drop_double"], wrong_id=pair["wrong_id"])
    return len(pairs)


def write(
    tx: Transaction,
    repository: TrackedRepository,
    items: Sequence[CompletePullRequest],
    unreadable: Sequence[Unreadable],
    *,
    largest_part: int = LARGEST_PART,
) -> Written:
    """Write a chunk's rows; raises StoreConflict where another worker came in between: replay the transaction.

    What can't be stored goes to the quarantine and is counted there.  A statement takes rows of `largest_part`
    characters together.
    """
    chunk = ChunkRows(tx=tx, repository_id=repository.id, kind=PULL_REQUESTS, largest_part=largest_part)
    chunk.people(people_of(items))
    chunk.items(
        _SQL["upsert_pull_requests"],
        map(_pull_request_row, items),
        full_name=repository.full_name,
        repository_github_id=repository.github_id,
    )
    chunk.children(_SQL["upsert_reviews"], _review_rows(items))
    chunk.comments(_comment_rows(items))
    return chunk.written([*unreadable, *(each for item in items for each in item.unreadable)])


def people_of(items: Iterable[CompletePullRequest]) -> list[Person]:
    """Return everybody who occurs, each id and each login once; of two readings the later one counts."""
    everybody: list[Person | None] = []
    for item in items:
        everybody += (item.pull_request.author, item.pull_request.merged_by, *item.assignees)
        everybody += [request.person for request in item.review_requests]
        for children in (item.reviews, item.review_comments, item.comments):
            everybody += [child.author for child in children]
    return people.once_each(each for each in everybody if each is not None)


def _pull_request_row(item: CompletePullRequest) -> Row:
    pull_request = item.pull_request
    return {
        "github_id": pull_request.github_id,
        "node_id": pull_request.node_id,
        "number": pull_request.number,
        "title": pull_request.title,
        "body": pull_request.body,
        "github_state": pull_request.state,
        "merged": pull_request.state is PullRequestState.MERGED,
        "draft": pull_request.draft,
        "url": pull_request.url,
        "created_at": pull_request.created_at,
        "updated_at": pull_request.updated_at,
        "closed_at": pull_request.closed_at,
        "merged_at": pull_request.merged_at,
        "additions": pull_request.additions,
        "deletions": pull_request.deletions,
        "changed_files": pull_request.changed_files,
        "commits": pull_request.commits,
        "base_branch": pull_request.base_branch,
        "head_branch": pull_request.head_branch,
        "author": pull_request.author.github_id,
        "author_login": pull_request.author.login,
        "merged_by": pull_request.merged_by.github_id if pull_request.merged_by else None,
        "reviews": pull_request.reviews,
        "review_comments": len(item.review_comments),
        "comments": pull_request.comments,
        "review_threads": pull_request.review_threads,
        "total_comments": pull_request.total_comments,
        "labels": [labels.label(each) for each in item.labels],
        "labels_whole": item.labels_whole,
        "assignees": [labels.assignee(each) for each in item.assignees],
        "assignees_whole": item.assignees_whole,
        "requested_reviewers": [labels.requested_reviewer(each) for each in item.review_requests],
        "reviewers_whole": item.review_requests_whole,
        "milestone": labels.milestone(pull_request.milestone),
        "gap": item.gap,
    }


def _review_rows(items: Sequence[CompletePullRequest]) -> list[Row]:
    return [
        {
            "github_id": review.github_id,
            "node_id": review.node_id,
            "pull_request": item.pull_request.github_id,
            "author": review.author.github_id,
            "state": review.state,
            "body": review.body,
            "submitted_at": review.submitted_at,
            "commit_id": review.commit_id,
        }
        for item in items
        for review in item.reviews
        if review.state != _NOT_SUBMITTED
    ]


def _comment_rows(items: Sequence[CompletePullRequest]) -> list[Row]:
    rows: list[Row] = []
    for item in items:
        github_id = item.pull_request.github_id
        rows += (*comments.conversation(item.comments, parent="pull_request", github_id=github_id), *_diff_rows(item))
    return rows


def _diff_rows(item: CompletePullRequest) -> list[Row]:
    return [
        {
            "comment_type": "review_comment",
            "github_id": comment.github_id,
            "node_id": comment.node_id,
            "pull_request": item.pull_request.github_id,
            "review": comment.review_id,
            "reply_to": comment.reply_to,
            "author": comment.author.github_id,
            "body": comment.body,
            "path": comment.path,
            "position": comment.position,
            "original_position": comment.original_position,
            "diff_hunk": comment.diff_hunk,
            "commit_id": comment.commit_id,
            "original_commit_id": comment.original_commit_id,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }
        for comment in item.review_comments
    ]
