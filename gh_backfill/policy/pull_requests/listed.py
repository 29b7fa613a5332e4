"""The review comments of REST's list that can be believed, held against the counts of their pull request.

The list was read at another time than the pull request, and tells people in another way.  So a review's comments are
taken only if there are exactly as many as GitHub counts, and only from people whom GraphQL told of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gh_backfill.models.github import Person
from gh_backfill.models.pull_requests import PullRequest, Review, ReviewComment


@dataclass(frozen=True, kw_only=True, slots=True)
class Believed:
    """The comments to take, the reviews that are settled with them, and whether nothing is left to ask for."""

    comments: tuple[ReviewComment, ...]
    reviews: frozenset[int]
    whole: bool


def believe(
    pull_request: PullRequest,
    reviews: Mapping[int, Review],
    people: Mapping[int, Person],
    listed: Sequence[ReviewComment],
) -> Believed:
    """Return what of the list fits the pull request; `people` are accounts as GraphQL told of them, by id."""
    ids = {comment.github_id for comment in listed}
    usable = [
        replace(comment, author=people[comment.author.github_id])
        for comment in listed
        if comment.author.github_id in people
        and (comment.review_id is None or comment.review_id in reviews)
        and (comment.reply_to is None or comment.reply_to in ids)
    ]
    counted = Counter(comment.review_id for comment in listed)
    held = Counter(comment.review_id for comment in usable)
    settled = frozenset(
        identity for identity, review in reviews.items() if counted[identity] == held[identity] == review.comments
    )
    if len(settled) == len(reviews) and len(usable) == len(listed) and _adds_up(pull_request, usable):
        return Believed(comments=tuple(usable), reviews=settled, whole=True)
    kept = tuple(comment for comment in usable if comment.review_id in settled)
    return Believed(comments=kept, reviews=settled, whole=False)


def _adds_up(pull_request: PullRequest, comments: Sequence[ReviewComment]) -> bool:
    """Say whether threads and total are explained; comments without a review are counted nowhere else."""
    roots = sum(comment.reply_to is None for comment in comments)
    total = pull_request.total_comments
    counted = 0 if total is None else total - pull_request.comments
    loose = any(comment.review_id is None for comment in comments)
    exact = roots == pull_request.review_threads and (total is None or counted == len(comments))
    return exact if loose else roots >= pull_request.review_threads and counted <= len(comments)
