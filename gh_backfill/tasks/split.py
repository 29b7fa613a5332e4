"""Split a large walk that is about to begin over several jobs, where several identities are at hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.clients import github, pull_requests
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.pages import PageAsked
from gh_backfill.errors import GitHubError
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.parts import parts, ranges, worth_splitting
from gh_backfill.policy.selection import Thresholds, needs_backfill

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """The lowest and the highest number of each part, and GitHub's time when the highest of all was asked for."""

    ranges: Sequence[tuple[int, int]]
    began: datetime


def identities(graphql: GraphQL) -> int:
    """Return how many budgets there are; one credential is one, and GitHub is not asked whose."""
    many = len(graphql.credentials.usable())
    return many if many < 2 else len(graphql.credentials.by_identity())


def splits(
    graphql: GraphQL, chosen: Sequence[TrackedRepository], *, per_part: int, identities: int
) -> tuple[dict[str, Split], set[str]]:
    """Return how to split each walk, by our id, for which that pays; a point for each, or two.

    Where GitHub does not answer, the id is in the second value: a walk that began whole is never split.  Where it does
    not list the newest, twice, the walk begins whole, for nothing promises that another time it does.
    """
    found: dict[str, Split] = {}
    undecided: set[str] = set()
    for repository in chosen:
        many = parts(repository.total or 0, identities=identities, per_part=per_part)
        if many > 1 and repository.node_id is not None and _begins(repository):
            asked = PageAsked(repository=repository.node_id, first=100, after=None, order="CREATED_AT")
            try:
                newest = _newest(graphql, asked)
            except GitHubError as error:
                log.warning("%s is not split now: %s", repository.id, error)
                undecided.add(repository.id)
                continue
            if newest is None:
                log.warning(
                    "%s is walked whole: GitHub does not say which of its numbers is the highest", repository.id
                )
            else:
                number, began = newest
                found[repository.id] = Split(ranges=ranges(number, many), began=began)
    return found, undecided


def _newest(graphql: GraphQL, asked: PageAsked) -> tuple[int, datetime] | None:
    """Return the highest number and GitHub's time then; None where a part of the newest is not listed, twice.

    Whatever is above the highest number is read by nobody, so that one must be beyond doubt.
    """
    for _ in range(2):
        page = github.outline(graphql, pull_requests.QUERIES, asked)
        numbers = [each.number for slot in page.slots for each in slot.unreadable]
        known = [number for number in numbers if number is not None]
        if len(known) >= min(asked.first, page.total) == len(numbers) and worth_splitting(
            max(known, default=0), page.total
        ):
            return max(known), page.server_time
    return None


def _begins(repository: TrackedRepository) -> bool:
    """Say whether the walk begins now: it has no place yet, or begins again because much is missing."""
    if repository.status == BackfillStatus.COMPLETED:
        return needs_backfill(repository, Thresholds(more_than=0))
    return not repository.begun
