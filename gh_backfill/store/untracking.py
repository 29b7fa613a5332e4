"""Take a repository off the list, and delete what was captured of it.  Every function takes an open transaction."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from gh_backfill.policy.markdown import counted
from gh_backfill.resources import sql
from gh_backfill.store import verify
from gh_backfill.store.db import Transaction

_SQL = sql("untracking")


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """The rows that are here of a repository."""

    pull_requests: int
    reviews: int
    issues: int
    comments: int
    discussions: int
    events: int

    def __bool__(self) -> bool:
        """Say whether there is any."""
        return any(asdict(self).values())

    def __str__(self) -> str:
        """Return it for people."""
        reviews, comments = counted(self.reviews, "review"), counted(self.comments, "comment")
        issues = f", {counted(self.issues, 'issue')}" if self.issues else ""
        discussions = f", {counted(self.discussions, 'discussion')}" if self.discussions else ""
        events = f", {counted(self.events, 'event')}" if self.events else ""
        pull_requests = counted(self.pull_requests, "pull request")
        return f"{pull_requests}{issues}{discussions}{events}, {reviews} and {comments}"

    def as_json(self) -> dict[str, int]:
        """Return it as JSON-ready values."""
        return asdict(self)


def held(tx: Transaction, repository_id: str) -> Held:
    """Count what is here of a repository."""
    row = tx.row(_SQL["held"], repository_id=repository_id)
    assert row is not None
    return Held(**row)


def is_tracked(tx: Transaction, repository_id: str) -> bool:
    """Say whether a repository is on the list."""
    return tx.row(_SQL["is_tracked"], repository_id=repository_id) is not None


def untrack(tx: Transaction, repository_id: str) -> bool:
    """Take a repository off the list; False if it was not on it."""
    return tx.run(_SQL["untrack"], repository_id=repository_id) > 0


def track_again(tx: Transaction, repository_id: str) -> None:
    """Put a repository back on the list."""
    tx.run(_SQL["track_again"], repository_id=repository_id)


def delete_rows(tx: Transaction, repository_id: str) -> None:
    """Delete what was captured of a repository, and its backfill; a late commit of its worker finds no chunk."""
    tx.rows(_SQL["lock"], repository_id=repository_id)
    for statement in (
        "delete_comments",
        "delete_comments_of_issues",
        "delete_reviews",
        "delete_pull_requests",
        "delete_issues",
        "delete_discussion_comments",
        "delete_discussions",
        "delete_events",
        "delete_private_events",
        "delete_star_days",
        "delete_count_snapshots",
        "delete_event_sources",
        "delete_embedding_attempts",
        "delete_embedding_jobs",
        "delete_readings",
        "delete_quarantine",
        "delete_backfills",
        "forget_syncs",
        "forget_wish",
        "forget_initial_backfill",
    ):
        tx.run(_SQL[statement], repository_id=repository_id)
    verify.forget_all(tx, repository_id)
