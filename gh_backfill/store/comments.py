"""Write comments of conversations and of reviews, whatever they belong to."""

from __future__ import annotations

from collections.abc import Iterable

from gh_backfill.errors import StoreConflict
from gh_backfill.models.github import Unreadable
from gh_backfill.models.pull_requests import Comment
from gh_backfill.models.work import RowCounts
from gh_backfill.resources import sql
from gh_backfill.store.batches import LARGEST_PART, parts
from gh_backfill.store.db import Row, Transaction
from gh_backfill.store.item_rows import distinct, sent

_SQL = sql("comments")


def write(
    tx: Transaction,
    repository_id: str,
    rows: Iterable[Row],
    *,
    one_number_space: bool,
    largest_part: int = LARGEST_PART,
) -> tuple[RowCounts, list[Unreadable]]:
    """Write comments, whose parents and authors are stored; returns those whose number the other kind of comment has.

    Raises StoreConflict where another worker came in between: the transaction is replayed.
    """
    kept, taken = _without_collisions(distinct(rows)) if one_number_space else (distinct(rows), [])
    # A reply finds its comment in its own part or an earlier one, never in a later one.
    kept.sort(key=lambda row: (row.get("reply_to") is not None, row["github_id"]))
    counts = RowCounts()
    for part in parts(kept, largest_part):
        row = sent(tx, _SQL["upsert_comments"], part, repository_id=repository_id, one_number_space=one_number_space)
        if row["inserted"] + row["known"] + row["taken"] != row["sent"]:
            raise StoreConflict("another worker stored one of these comments: the transaction is replayed")
        stored_before = set(row["taken_ids"])
        taken += [each for each in part if each["github_id"] in stored_before]
        counts += RowCounts(inserted=row["inserted"], updated=row["updated"], unchanged=row["known"] - row["updated"])
    return counts, [_number_taken(each) for each in taken]


def conversation(comments: Iterable[Comment], *, parent: str, github_id: int) -> list[Row]:
    """Return the rows of a conversation; `parent` is the kind of what it belongs to, with this id of GitHub."""
    return [
        {
            "comment_type": "issue_comment",
            "github_id": comment.github_id,
            parent: github_id,
            "author": comment.author.github_id,
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }
        for comment in comments
    ]


def _without_collisions(rows: list[Row]) -> tuple[list[Row], list[Row]]:
    """Split off the comments whose number another kind of comment has in the same chunk."""
    first: dict[int, str] = {}
    for row in rows:
        first.setdefault(row["github_id"], row["comment_type"])
    kept = [row for row in rows if first[row["github_id"]] == row["comment_type"]]
    return kept, [row for row in rows if first[row["github_id"]] != row["comment_type"]]


def _number_taken(row: Row) -> Unreadable:
    return Unreadable(
        kind=row["comment_type"],
        identity=f"{row['comment_type']} {row['github_id']}",
        github_id=row["github_id"],
        reason="this database keeps one comment per number, and the other kind of comment has it",
        payload=row,
    )
