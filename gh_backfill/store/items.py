"""Write pull requests with all that belongs to them: people first, then one statement per table and part of its rows.

What a function reports is counted by the database, and fewer rows than were sent is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

from gh_backfill.errors import StoreConflict, StoreError
from gh_backfill.models.github import Unreadable
from gh_backfill.models.pull_requests import CompletePullRequest, PullRequestState
from gh_backfill.models.work import RowCounts, TrackedRepository
from gh_backfill.resources import sql
from gh_backfill.store import people
from gh_backfill.store.batches import LARGEST_PART, parts, shortened
from gh_backfill.store.db import Row, Transaction

_SQL = sql("items")
# A review that its author has not submitted yet is shown to that author alone, and has no date.
_NOT_SUBMITTED = "PENDING"


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """What the schema of this database admits; older installations differ."""

    merged_state: bool
    one_number_space: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What a chunk did: rows of all tables, and how many pull requests are new."""

    counts: RowCounts = field(default_factory=RowCounts)
    new_pull_requests: int = 0


def vocabulary(tx: Transaction) -> Vocabulary:
    """Ask the catalog what the schema admits."""
    row = tx.row(_SQL["vocabulary"])
    assert row is not None
    return Vocabulary(**row)


def rows_of(chunk: Iterable[CompletePullRequest]) -> int:
    """Return how many rows a chunk has, without people."""
    return sum(1 + len(item.reviews) + len(item.review_comments) + len(item.comments) for item in chunk)


def plain_text(text: str) -> str:
    """Return text that can be kept in a quarantine whatever it holds: what is no proper text is written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


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
    words: Vocabulary,
    *,
    largest_part: int = LARGEST_PART,
) -> Written:
    """Write a chunk's rows; raises StoreConflict where another worker came in between: replay the transaction.

    What can't be stored goes to the quarantine and is counted there.  A statement takes rows of `largest_part`
    characters together.
    """
    people.insert_new(tx, people.people_of(items))
    pull_requests = _upsert(
        tx,
        "upsert_pull_requests",
        _distinct(_pull_request_row(item, words) for item in items),
        largest_part,
        repository_id=repository.id,
        full_name=repository.full_name,
        repository_github_id=repository.github_id,
    )
    reviews = _upsert(tx, "upsert_reviews", _distinct(_review_rows(items)), largest_part, repository_id=repository.id)
    comments, taken = _upsert_comments(tx, repository, items, words, largest_part)
    lost = [*unreadable, *(each for item in items for each in item.unreadable), *taken]
    quarantined = _quarantine(tx, repository.id, lost)
    counts = reduce(RowCounts.__add__, (pull_requests, reviews, comments, RowCounts(quarantined=quarantined)))
    return Written(counts=counts, new_pull_requests=pull_requests.inserted)


def quarantined_numbers(tx: Transaction, repository_id: str, *, most_attempts: int) -> list[int]:
    """Return the numbers of pull requests of which something waits in the quarantine, tried less often than that.

    Those that were tried least come first.
    """
    rows = tx.rows(_SQL["open_quarantine"], repository_id=repository_id, most_attempts=most_attempts)
    return list(dict.fromkeys(row["number"] for row in rows if row["number"] is not None))


def quarantined_places(tx: Transaction, repository_id: str) -> list[str]:
    """Return the cursors that lead to places of the list in the quarantine of which nobody knows the number."""
    return [row["cursor"] for row in tx.rows(_SQL["open_places"], repository_id=repository_id)]


def number_places(tx: Transaction, repository_id: str, numbers: Mapping[str, int]) -> None:
    """Note which pull requests, by their numbers, are at places that are in the quarantine, by their cursors."""
    rows = [{"cursor": cursor, "number": number} for cursor, number in numbers.items()]
    tx.run(_SQL["number_places"], repository_id=repository_id, rows=rows)


def count_attempt(tx: Transaction, repository_id: str, numbers: Sequence[int]) -> int:
    """Note that pull requests in the quarantine were tried again in vain; returns how many entries that were.

    Entries that `write` has renewed in this transaction have been counted.
    """
    return tx.run(_SQL["count_attempt"], repository_id=repository_id, numbers=tuple(numbers))


def resolve(tx: Transaction, repository_id: str, numbers: Sequence[int]) -> list[str]:
    """Close the quarantine of pull requests that were read; returns the ids of the entries.

    What `write` puts there again afterwards is open again: `closed` tells how many are not.
    """
    rows = tx.rows(_SQL["resolve_quarantine"], repository_id=repository_id, numbers=tuple(numbers))
    return [str(row["id"]) for row in rows]


def closed(tx: Transaction, entries: Sequence[str]) -> int:
    """Return how many of these entries of the quarantine are closed."""
    row = tx.row(_SQL["closed_entries"], entries=tuple(entries))
    return int(row["entries"]) if row else 0


def _upsert(tx: Transaction, statement: str, rows: list[Row], largest_part: int, **params: object) -> RowCounts:
    counts = RowCounts()
    for part in parts(rows, largest_part):
        row = _sent(tx, statement, part, **params)
        written = row["inserted"] + row["updated"]
        counts += RowCounts(inserted=row["inserted"], updated=row["updated"], unchanged=len(part) - written)
    return counts


def _sent(tx: Transaction, statement: str, rows: list[Row], **params: object) -> Row:
    row = tx.row(_SQL[statement], rows=rows, **params)
    assert row is not None
    if row["sent"] != len(rows):
        raise StoreError(f"{statement}: {len(rows)} rows were sent, but only {row['sent']} have their parents stored")
    return row


def _upsert_comments(
    tx: Transaction,
    repository: TrackedRepository,
    items: Sequence[CompletePullRequest],
    words: Vocabulary,
    largest_part: int,
) -> tuple[RowCounts, list[Unreadable]]:
    rows = _distinct(_comment_rows(items))
    kept, taken = _without_collisions(rows) if words.one_number_space else (rows, [])
    # A reply finds its comment in its own part or an earlier one, never in a later one.
    kept.sort(key=lambda row: (row.get("reply_to") is not None, row["github_id"]))
    counts = RowCounts()
    for part in parts(kept, largest_part):
        row = _sent(tx, "upsert_comments", part, repository_id=repository.id, one_number_space=words.one_number_space)
        if row["inserted"] + row["known"] + row["taken"] != row["sent"]:
            raise StoreConflict("another worker stored one of these comments: the transaction is replayed")
        stored_before = set(row["taken_ids"])
        taken += [each for each in part if each["github_id"] in stored_before]
        counts += RowCounts(inserted=row["inserted"], updated=row["updated"], unchanged=row["known"] - row["updated"])
    return counts, [_number_taken(each) for each in taken]


def _distinct(rows: Iterable[Row]) -> list[Row]:
    """Keep one row for each identity, the later one: a statement can't touch a row twice."""
    return list({(row.get("comment_type"), row["github_id"]): row for row in rows}.values())


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


def _quarantine(tx: Transaction, repository_id: str, lost: Sequence[Unreadable]) -> int:
    rows = {
        (each.kind, each.identity): {
            "kind": each.kind,
            "identity": each.identity,
            "github_id": each.github_id,
            "number": each.number,
            "reason": each.reason,
            "payload": shortened(each.payload),
        }
        for each in lost
    }
    for part in parts(rows.values()):
        tx.run(_SQL["quarantine"], repository_id=repository_id, rows=part)
    return len(rows)


def _pull_request_row(item: CompletePullRequest, words: Vocabulary) -> Row:
    pull_request = item.pull_request
    merged = pull_request.state is PullRequestState.MERGED
    return {
        "github_id": pull_request.github_id,
        "node_id": pull_request.node_id,
        "number": pull_request.number,
        "title": pull_request.title,
        "body": pull_request.body,
        "state": PullRequestState.CLOSED if merged and not words.merged_state else pull_request.state,
        "merged": merged,
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
        "gap": item.gap,
    }


def _review_rows(items: Sequence[CompletePullRequest]) -> list[Row]:
    return [
        {
            "github_id": review.github_id,
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
    return [row for item in items for row in (*_conversation_rows(item), *_diff_rows(item))]


def _conversation_rows(item: CompletePullRequest) -> list[Row]:
    return [
        {
            "comment_type": "issue_comment",
            "github_id": comment.github_id,
            "pull_request": item.pull_request.github_id,
            "author": comment.author.github_id,
            "body": comment.body,
            "created_at": comment.created_at,
            "updated_at": comment.updated_at,
        }
        for comment in item.comments
    ]


def _diff_rows(item: CompletePullRequest) -> list[Row]:
    return [
        {
            "comment_type": "review_comment",
            "github_id": comment.github_id,
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
