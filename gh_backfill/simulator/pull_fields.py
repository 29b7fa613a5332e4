"""Answers about what a pull request holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gh_backfill.simulator.connections import ConnectionPage, by_id, by_position
from gh_backfill.simulator.fields import database_id, page, pull
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import (
    AccountRow,
    IssueRow,
    PullRequestRow,
    ReviewCommentRow,
    ReviewRow,
    ThreadRow,
)
from gh_backfill.simulator.threads import comments_by_review, threads


def reviews(row: PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The reviews, by id."""
    states, login = arguments.get("states"), arguments.get("author")
    rows = [
        review
        for review in row.reviews
        if (not states or review.state in states)
        and (not login or getattr(info.context.person(review.author), "login", None) == login)
    ]
    return page(info, by_id(rows), arguments)


def comments(row: PullRequestRow | IssueRow | ThreadRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The comments of a conversation or a thread, by id."""
    return page(info, by_id(row.comments), arguments)


def review_comments(row: ReviewRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The comments that belong to a review, by id."""
    owner = pull(row, info)
    return page(info, by_id(comments_by_review(owner).get(row.id, ()) if owner else ()), arguments)


def review_threads(row: PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The threads, by the id of their first comment."""
    return page(info, by_id(threads(row)), arguments)


def review_requests(row: PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The reviews that are asked for, in the order of the source."""
    return page(info, by_position(row.review_requests), arguments)


def requested_reviewer(row: ReviewRequestRow, info: Any) -> AccountRow | TeamRow | None:
    """Whom a review is asked of; null for whoever is gone, or a team that the token must not see."""
    found: AccountRow | TeamRow | None = row.team or info.context.person(row.account)
    return found


def reply_to(row: ReviewCommentRow, info: Any) -> ReviewCommentRow | None:
    """The comment that a comment answers; null where that is gone."""
    owner = pull(row, info) if row.reply_to is not None else None
    return next((other for other in owner.review_comments if other.id == row.reply_to), None) if owner else None


def review_of(row: ReviewCommentRow, info: Any) -> ReviewRow | None:
    """The review of a comment; null for those made before there were reviews."""
    owner = pull(row, info) if row.review_id is not None else None
    return next((review for review in owner.reviews if review.id == row.review_id), None) if owner else None


REVIEW_REQUEST: dict[str, Callable[..., Any]] = {
    "asCodeOwner": lambda row, info: False,
    "databaseId": database_id,
    "id": lambda row, info: row.node_id,
    "pullRequest": pull,
    "requestedReviewer": requested_reviewer,
}
TEAM: dict[str, Callable[..., Any]] = {
    "databaseId": database_id,
    "id": lambda row, info: row.node_id,
    "slug": lambda row, info: row.name.lower(),
}
