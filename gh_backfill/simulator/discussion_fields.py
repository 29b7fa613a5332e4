"""Answers about discussions."""

from __future__ import annotations

from typing import Any

from gh_backfill.simulator.connections import ConnectionPage, Order, by_id
from gh_backfill.simulator.discussion_rows import DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.fields import page, resource_path, url
from gh_backfill.simulator.options import ClosedDiscussions
from gh_backfill.simulator.query_fields import not_found
from gh_backfill.simulator.rows import AccountRow, RepositoryRow


def discussion(row: RepositoryRow, info: Any, number: int) -> DiscussionRow:
    """A discussion by its number."""
    found: DiscussionRow | None = info.context.world.discussion(row.id, number)
    if found is None:
        raise not_found(f"Could not resolve to a Discussion with the number of {number}.")
    return found


def discussions(row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The discussions, in the order that is asked for; where they are disabled, as the options say."""
    shelf = info.context.world.shelves[row.id]
    by = arguments.get("orderBy") or {"field": "UPDATED_AT", "direction": "DESC"}
    listed = row.has_discussions or info.context.options.closed_discussions is ClosedDiscussions.LISTED
    found = shelf.discussions if listed else {}
    keys = [key for key in shelf.ordered_discussions(by["field"]) if key[2] in found]
    states, answered = arguments.get("states") or (), arguments.get("answered")
    category = arguments.get("categoryId")
    if states or answered is not None or category is not None:
        keys = [key for key in keys if _matches(found[key[2]], states, answered, category)]
    order = Order(name=by["field"], keys=keys, row=lambda key: found[key[2]], descending=by["direction"] == "DESC")
    return page(info, order, arguments)


def comments(row: DiscussionRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The comments of a discussion, those that are no replies."""
    return page(info, by_id(row.replies(None)), arguments)


def replies(row: DiscussionCommentRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The replies to a comment."""
    return page(info, by_id(_of(row, info).replies(row.id) if row.reply_to is None else ()), arguments)


def reply_to(row: DiscussionCommentRow, info: Any) -> DiscussionCommentRow | None:
    """The comment that a reply answers."""
    return next((each for each in _of(row, info).comments if each.id == row.reply_to), None)


def answer(row: DiscussionRow, _info: Any) -> DiscussionCommentRow | None:
    """The comment that answers a question."""
    return next((each for each in row.comments if each.id == row.answer), None)


def is_answered(row: DiscussionRow, _info: Any) -> bool | None:
    """Whether a question has its answer; null for what is none."""
    return row.answer is not None if row.category.answerable else None


def answer_chosen_by(row: DiscussionRow, info: Any) -> AccountRow | None:
    """Who chose the answer."""
    found: AccountRow | None = info.context.person(row.answer_chosen_by)
    return found


def is_answer(row: DiscussionCommentRow, info: Any) -> bool:
    """Whether a comment is the answer."""
    return _of(row, info).answer == row.id


def state_reason(row: DiscussionRow, _info: Any) -> str | None:
    """Why a discussion is closed, or open again."""
    return row.state_reason.upper() if row.state_reason else None


def path_of(row: DiscussionRow | DiscussionCommentRow, info: Any) -> str:
    """The path of the page of a discussion, or of a place on it."""
    path = resource_path(info.context.world.repositories[row.repository_id], info) + f"/discussions/{row.number}"
    return f"{path}#discussioncomment-{row.id}" if isinstance(row, DiscussionCommentRow) else path


def address_of(row: DiscussionRow | DiscussionCommentRow, info: Any) -> str:
    """The address of the page of a discussion, or of a place on it."""
    home = info.context.world.repositories[row.repository_id]
    return url(home, info) + path_of(row, info).removeprefix(resource_path(home, info))


def discussion_of(row: DiscussionCommentRow, info: Any) -> DiscussionRow:
    """The discussion that a comment belongs to."""
    return _of(row, info)


def _matches(row: DiscussionRow, states: Any, answered: bool | None, category: str | None) -> bool:
    return (
        (not states or row.state in states)
        and answered in (None, row.answer is not None)
        and category in (None, row.category.node_id)
    )


def _of(row: DiscussionCommentRow, info: Any) -> DiscussionRow:
    found: DiscussionRow = info.context.world.discussion(row.repository_id, row.number)
    return found
