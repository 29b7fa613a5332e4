"""Decide, once in a run, whether REST's list serves the rest of the walk, and read it if so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from gh_backfill.clients import listing
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.listing import ListedPage
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.kind import RestOfWalk
from gh_backfill.engine.pull_requests.rest_comments import ListedComments
from gh_backfill.errors import GitHubError
from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.pull_requests import rest_listing
from gh_backfill.policy.pull_requests.rest_listing import RestListing, Workload

log = logging.getLogger(__name__)

# In seconds.  What a request of the list is taken to need until the first one is measured.
FIRST_ESTIMATE = 0.8
TELL_EVERY = 20


def plan(
    graphql: GraphQL,
    lists: RestPages,
    chunk: Sequence[CompletePullRequest],
    rest: RestOfWalk,
) -> RestListing | None:
    """Return how far down the list pays after a chunk; None where GraphQL alone is as good.

    Those that are here are taken to have as many review comments as those of the chunk.
    """
    if len(chunk) < 2 or rest.left <= 0:
        return None
    created = sorted(item.pull_request.created_at for item in chunk)
    comments = sum(len(item.review_comments) for item in chunk) / len(chunk)
    work = Workload(
        pull_requests=rest.left,
        behind=round(rest.captured * comments),
        comments=comments,
        units=rest_listing.units(chunk),
        position=created[0],
        apart=(created[-1] - created[0]) / (len(created) - 1),
        point_seconds=max(rest.point_seconds, 0.001),
        request_seconds=FIRST_ESTIMATE,
        until=rest.until,
    )
    points = graphql.gate.standings(graphql.credentials, "graphql")
    if not rest_listing.worth_a_request(work, points):
        return None
    if any(standing.reset_at is None for standing in lists.standings()):
        try:
            listing.look(lists, rest.repository.full_name)
        except GitHubError as error:
            log.warning("%s: REST can't be used now, GraphQL goes on: %s", rest.repository.full_name, error)
            return None
    return rest_listing.plan(work, points, lists.standings())


def read(
    lists: RestPages, repository: TrackedRepository, planned: RestListing, beat: Callable[[], bool]
) -> ListedComments:
    """Read the list of a planned; `beat` is called now and then, and ends the reading by False.

    What is missing after an error, or after an end before time, comes by GraphQL.
    """
    down_to = f"down to {planned.since.date()}" if planned.since else "of all pull requests"
    log.info(
        "%s: review comments %s by REST, about %s", repository.full_name, down_to, counted(planned.requests, "request")
    )
    found = ListedComments(planned.since)
    try:
        found.fill(_beating(listing.review_comments(lists, repository.full_name, planned.since), beat))
    except GitHubError as error:
        log.warning("%s: the list of review comments ends early, GraphQL goes on: %s", repository.full_name, error)
    log.info("%s: %s REST requests were made for review comments", repository.full_name, lists.requests)
    return found


def _beating(pages: Iterator[ListedPage], beat: Callable[[], bool]) -> Iterator[ListedPage]:
    for number, page in enumerate(pages, 1):
        yield page
        if number % TELL_EVERY == 0 and not beat():
            return
