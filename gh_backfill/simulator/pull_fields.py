"""Answers about what a pull request holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gh_backfill.simulator.connections import Page, by_id, by_position
from gh_backfill.simulator.fields import page, pull
from gh_backfill.simulator.rows import Issue, PullRequest, Review, ReviewComment, Thread, comments_by_review, threads


def reviews(row: PullRequest, info: Any, **arguments: Any) -> Page:
    states, login = arguments.get("states"), arguments.get("author")
    rows = [
        review
        for review in row.reviews
        if (not states or review.state in states)
        and (not login or getattr(info.context.person(review.author), "login", None) == login)
    ]
    return page(info, by_id(rows), arguments)


def comments(row: PullRequest | Issue | Thread, info: Any, **arguments: Any) -> Page:
    return page(info, by_id(row.comments), arguments)


def review_comments(row: Review, info: Any, **arguments: Any) -> Page:
    pull = pull(row, info)
    return page(info, by_id(comments_by_review(pull).get(row.id, ()) if pull else ()), arguments)


def review_threads(row: PullRequest, info: Any, **arguments: Any) -> Page:
    return page(info, by_id(threads(row)), arguments)


def commits(row: PullRequest, info: Any, **arguments: Any) -> Page:
    """The list may be missing from the source; GitHub's own number is known all the same."""
    page = page(info, by_position(row.commits), arguments)
    return page if len(row.commits) == row.commit_count else Counted(page=page, count=row.commit_count)  # type: ignore[return-value]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A page whose total is known better than by counting."""

    page: Page
    count: int

    @property
    def total(self) -> int:
        """The number that GitHub gave."""
        return self.count

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)


def reply_to(row: ReviewComment, info: Any) -> ReviewComment | None:
    pull = pull(row, info) if row.reply_to is not None else None
    return next((other for other in pull.review_comments if other.id == row.reply_to), None) if pull else None


def review_of(row: ReviewComment, info: Any) -> Review | None:
    pull = pull(row, info) if row.review_id is not None else None
    return next((review for review in pull.reviews if review.id == row.review_id), None) if pull else None
