"""The threads of a pull request's review comments: by review, and by what they answer."""

from __future__ import annotations

from functools import lru_cache

from gh_backfill.simulator.rows import PullRequestRow, ReviewCommentRow, ThreadRow


@lru_cache(maxsize=512)
def comments_by_review(pull: PullRequestRow) -> dict[int | None, list[ReviewCommentRow]]:
    """Return the review comments of a pull request by the id of their review."""
    groups: dict[int | None, list[ReviewCommentRow]] = {}
    for comment in pull.review_comments:
        groups.setdefault(comment.review_id, []).append(comment)
    return groups


@lru_cache(maxsize=512)
def threads(pull: PullRequestRow) -> list[ThreadRow]:
    """Return the threads of a pull request by the id of their first comment.

    A comment without `reply_to` begins a thread; an answer belongs to the thread of what it answers, known or not.
    """
    answers = {comment.id: comment.reply_to for comment in pull.review_comments}
    groups: dict[int, list[ReviewCommentRow]] = {}
    for comment in pull.review_comments:
        groups.setdefault(_root(comment.id, answers), []).append(comment)
    return [
        ThreadRow(repository_id=pull.repository_id, number=pull.number, id=root, comments=tuple(groups[root]))
        for root in sorted(groups)
    ]


def _root(identity: int, answers: dict[int, int | None]) -> int:
    seen = {identity}
    while (parent := answers.get(identity)) is not None and parent not in seen:
        seen.add(parent)
        identity = parent
    return identity
