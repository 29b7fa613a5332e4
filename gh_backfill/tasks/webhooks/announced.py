"""Read pull requests that webhooks announced, many repositories in one query, so that none spoils it for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from gh_backfill.clients import announced, lookups, pull_requests
from gh_backfill.clients.announced import Shown
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.follow_ups import complete
from gh_backfill.errors import BadCredentials, Denied, GitHubError, TooBig, Unexpected
from gh_backfill.models.github import Named, NodeId, NotFound, Repository, Unknown, Unreadable
from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.policy.items import Slot
from gh_backfill.policy.ledger import ErrorType, error_type
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector
from gh_backfill.policy.pull_requests.follow_ups import PagePullRequest
from gh_backfill.store.webhooks import Announcement

# If GitHub refuses the first repositories, this many, each asked for alone, then it refuses the credential.
MOST_REFUSALS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Fetched:
    """A pull request with all that belongs to it, but for what could not be read, and its repository as it is now."""

    announcement: Announcement
    item: CompletePullRequest
    shown: Shown
    lost: tuple[Unreadable, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NotThere:
    """GitHub has no such pull request."""

    announcement: Announcement


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """Nothing is known of the pull request; what is stored stays as it is."""

    announcement: Announcement
    reason: str
    error_type: ErrorType


Result = Fetched | NotThere | Failed


def identify(graphql: GraphQL, batch: Sequence[Announcement]) -> tuple[list[Announcement], list[Repository]]:
    """Learn the node ids of repositories that an older application registered; returns what was learnt, too."""
    nameless = {each.repository.id: each.repository for each in batch if each.repository.node_id is None}
    if not nameless:
        return list(batch), []
    answers = lookups.repositories_by_name(graphql, [(each.owner, each.name) for each in nameless.values()])
    known = {
        ours.id: answer
        for ours, answer in zip(nameless.values(), answers, strict=True)
        if isinstance(answer, Repository) and answer.github_id == ours.github_id
    }
    named = [
        replace(each, repository=replace(each.repository, node_id=known[each.repository.id].node_id))
        if each.repository.id in known
        else each
        for each in batch
    ]
    return named, list(known.values())


def read(graphql: GraphQL, batch: Sequence[Announcement]) -> list[Result]:
    """Return what became of each announcement.

    What is too much together is asked for in halves, and what is refused, repository by repository.  Raises what is the
    fault of none of them: Unreachable, RateLimited, BadCredentials, and Denied or Unexpected where nothing is answered.
    """
    try:
        return _together(graphql, batch)
    except TooBig as error:
        if len(batch) == 1:
            return [Failed(announcement=batch[0], reason=str(error), error_type=ErrorType.TOO_BIG)]
        half = len(batch) // 2
        return read(graphql, batch[:half]) + read(graphql, batch[half:])
    except BadCredentials:
        raise
    except (Denied, Unexpected):
        by_repository = sorted(batch, key=_owner)
        parts = [list(part) for _, part in groupby(by_repository, key=_owner)]
        if len(parts) == 1:
            raise
        return _apart(graphql, parts)


def _apart(graphql: GraphQL, parts: Sequence[Sequence[Announcement]]) -> list[Result]:
    results: list[Result] = []
    refused: list[Result] = []
    first: GitHubError | None = None
    for part in parts:
        try:
            results += read(graphql, part)
        except BadCredentials:
            raise
        except (Denied, Unexpected) as error:
            first = first or error
            refused += (Failed(announcement=each, reason=str(error), error_type=error_type(error)) for each in part)
            if not results and len({_owner(each.announcement) for each in refused}) >= MOST_REFUSALS:
                raise
    if not results and first is not None:
        raise first
    return results + refused


def _owner(announcement: Announcement) -> str:
    return announcement.repository.id


def _together(graphql: GraphQL, batch: Sequence[Announcement]) -> list[Result]:
    known = [each for each in batch if each.repository.node_id is not None]
    results: list[Result] = [_no_repository(each) for each in batch if each.repository.node_id is None]
    if not known:
        return results
    readings = announced.read(graphql, [(each.repository.node_id or NodeId(""), each.number) for each in known])
    gathered: list[tuple[Announcement, Shown, tuple[Unreadable, ...], PullRequestCollector]] = []
    for announcement, reading in zip(known, readings, strict=True):
        slot = reading.pull_request if isinstance(reading, Shown) else None
        if isinstance(reading, Shown) and isinstance(slot, Slot) and isinstance(slot.item, PagePullRequest):
            gathered.append((announcement, reading, slot.unreadable, PullRequestCollector(slot.item)))
        else:
            results.append(_nothing(announcement, reading))
    complete(graphql, pull_requests.QUERIES, [collector for *_, collector in gathered])
    return results + [_fetched(*each) for each in gathered]


def _fetched(
    announcement: Announcement, shown: Shown, unreadable: tuple[Unreadable, ...], collector: PullRequestCollector
) -> Fetched:
    item = collector.complete()
    lost = tuple(each for each in unreadable if each.kind == "pull_request")
    return Fetched(
        announcement=announcement, item=replace(item, unreadable=()), shown=shown, lost=(*lost, *item.unreadable)
    )


def _nothing(announcement: Announcement, reading: Named[Shown]) -> Result:
    match reading.pull_request if isinstance(reading, Shown) else reading:
        case NotFound() if isinstance(reading, Shown):
            return NotThere(announcement=announcement)
        case NotFound():
            return _no_repository(announcement)
        case Unknown(reason=reason):
            return _unknown(announcement, reason)
        case Slot(unreadable=unreadable):
            return _unknown(announcement, "; ".join(each.reason for each in unreadable))


def _unknown(announcement: Announcement, reason: str) -> Failed:
    text = reason or "GitHub did not say what it is"
    return Failed(announcement=announcement, reason=text, error_type=ErrorType.INVALID_DATA)


def _no_repository(announcement: Announcement) -> Failed:
    reason = f"GitHub does not show {announcement.repository.full_name} (deleted, made private, or not for this token)"
    return Failed(announcement=announcement, reason=reason, error_type=ErrorType.GONE)
