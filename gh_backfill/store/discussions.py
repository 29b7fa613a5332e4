"""Write discussions with all that belongs to them: people first, then the discussions, comments, and replies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gh_backfill.models.discussions import CompleteDiscussion, DiscussionComment
from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.resources import sql
from gh_backfill.store import people
from gh_backfill.store.chunk_rows import ChunkRows, Written
from gh_backfill.store.db import Row, Transaction

_SQL = sql("discussions")
KIND = "discussions"


def write(
    tx: Transaction,
    repository: TrackedRepository,
    items: Sequence[CompleteDiscussion],
    unreadable: Sequence[Unreadable],
) -> Written:
    """Write a chunk's rows; raises StoreConflict where another worker came in between: replay the transaction.

    What can't be stored goes to the quarantine and is counted there.
    """
    chunk = ChunkRows(tx=tx, repository_id=repository.id, kind=KIND)
    chunk.people(people_of(items))
    chunk.items(_SQL["upsert_discussions"], map(_discussion_row, items))
    chunk.children(
        _SQL["upsert_discussion_comments"],
        # A reply finds its comment in its own part or an earlier one, never in a later one.
        (
            _comment_row(item, comment)
            for item in items
            for comment in sorted(item.comments, key=lambda each: each.parent is not None)
        ),
    )
    return chunk.written([*unreadable, *(each for item in items for each in item.unreadable)])


def own_numbers(tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteDiscussion]) -> int:
    """Let each number of the repository belong to one row, the one with GitHub's id; returns how many were settled."""
    rows = [
        {"github_id": item.discussion.github_id, "node_id": item.discussion.node_id, "number": item.number}
        for item in items
    ]
    pairs = tx.rows(_SQL["own_discussion_numbers"], rows=rows, repository_id=repository.id)
    for pair in pairs:
        if pair["right_id"] is None:
            tx.run(_SQL["renumber_discussion"], wrong_id=pair["wrong_id"], github_id=pair["github_id"])
        else:
            tx.run(_SQL["move_discussion_comments"], wrong_id=pair["wrong_id"], right_id=pair["right_id"])
            tx.run(_SQL["drop_double_discussion"], wrong_id=pair["wrong_id"])
    return len(pairs)


def people_of(items: Iterable[CompleteDiscussion]) -> list[Person]:
    """Return everybody who occurs, each id and each login once; of two readings the later one counts."""
    everybody: list[Person] = []
    for item in items:
        everybody += (item.discussion.author, *(comment.author for comment in item.comments))
    return people.once_each(everybody)


def _discussion_row(item: CompleteDiscussion) -> Row:
    discussion = item.discussion
    return {
        "github_id": discussion.github_id,
        "node_id": discussion.node_id,
        "number": discussion.number,
        "title": discussion.title,
        "body": discussion.body,
        "category_id": discussion.category.node_id,
        "category_name": discussion.category.name,
        "category_description": discussion.category.description,
        "category_emoji": discussion.category.emoji,
        "author": discussion.author.github_id,
        "login": discussion.author.login,
        "state": discussion.state,
        "state_reason": discussion.state_reason,
        "locked": discussion.locked,
        "url": discussion.url,
        "created_at": discussion.created_at,
        "updated_at": discussion.updated_at,
        "closed_at": discussion.closed_at,
        "answered": discussion.is_answered,
        "answer_id": discussion.answer_id,
        "answer_chosen_at": discussion.answer_chosen_at,
        "answer_chosen_by": discussion.answer_chosen_by,
        "upvotes": discussion.upvotes,
        "comments": discussion.comments,
        "gap": item.gap,
    }


def _comment_row(item: CompleteDiscussion, comment: DiscussionComment) -> Row:
    return {
        "github_id": comment.github_id,
        "node_id": comment.node_id,
        "discussion": item.discussion.github_id,
        "discussion_node": item.discussion.node_id,
        "number": item.number,
        "parent": comment.parent,
        "author": comment.author.github_id,
        "login": comment.author.login,
        "body": comment.body,
        "url": comment.url,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "deleted_at": comment.deleted_at,
        "answer": comment.is_answer,
        "upvotes": comment.upvotes,
        "replies": comment.replies,
    }
