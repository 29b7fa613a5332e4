"""Write comments of conversations and of reviews, whatever they belong to."""

from __future__ import annotations

from collections.abc import Iterable

from gh_backfill.errors import StoreConflict
from gh_backfill.models.github import Unreadable
from gh_backfill.models.pull_requests import Comment
from gh_backfill.models.work import RowCounts
from gh_backfill.resources import sql
from gh_backfill.store import item_rows
from gh_backfill.store.batches import LARGEST_PART
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.item_rows import Upserted, distinct

_SQL = sql("comments")


def upsert(tx: Transaction, repository_id: str, rows: Iterable[Row], *, largest_part: int = LARGEST_PART) -> Upserted:
    """Write comments, whose parents and authors are stored."""
    # A reply finds its comment in its own part or an earlier one, never in a later one.
    ordered = sorted(distinct(rows), key=lambda row: (row.get("reply_to") is not None, row["github_id"]))
    return item_rows.upsert(
        tx, _SQL["upsert_comments"], ordered, largest_part=largest_part, repository_id=repository_id
    )


def counts(upserted: Upserted) -> tuple[RowCounts, list[Unreadable]]:
    """Return what became of comments, and those whose number the other kind of comment has.

    Raises StoreConflict where another worker came in between: the transaction is replayed.
    """
    counts, taken = RowCounts(), list[Unreadable]()
    for told, rows in upserted.told():
        if told["inserted"] + told["known"] + len(told["taken"]) != told["sent"]:
            raise StoreConflict("another worker stored one of these comments: the transaction is replayed")
        lost = {(kind, github_id) for kind, github_id in told["taken"]}
        taken += [_number_taken(each) for each in rows if (each["comment_type"], each["github_id"]) in lost]
        updated, known = told["updated"], told["known"]
        counts += RowCounts(inserted=told["inserted"], updated=updated, unchanged=known - updated)
    return counts, taken


def conversation(comments: Iterable[Comment], *, parent: str, github_id: int) -> list[Row]:
    """Return the rows of a conversation; `parent` is the kind of what it belongs to, with this id of GitHub."""
    return [
        {
            "comment_type": "issue_comment",
            "github_id": comment.github_id,
            "node_id": comment.node_id,
            parent: github_id,
            "author": comment.author.github_id,
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }
        for comment in comments
    ]


def _number_taken(row: Row) -> Unreadable:
    return Unreadable(
        kind=row["comment_type"],
        identity=f"{row['comment_type']} {row['github_id']}",
        github_id=row["github_id"],
        reason="this database keeps one comment per number, and the other kind of comment has it",
        payload=row,
    )
