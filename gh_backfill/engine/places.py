"""Find out which item stands at a place of the list that could not be read, so that it can be asked for."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.pages import Order, place_of
from gh_backfill.engine.kind import Kind
from gh_backfill.errors import GitHubError, RateLimited
from gh_backfill.models.github import NodeId
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.items import Slot
from gh_backfill.store import quarantine
from gh_backfill.store.db import Database

log = logging.getLogger(__name__)

# The order of a list, and the states of the items that it has.
_Listed = tuple[Order, tuple[str, ...]]


def number_places(
    db: Database,
    graphql: GraphQL,
    kind: Kind,
    repository: TrackedRepository,
    node_id: NodeId,
    places: Sequence[str],
) -> None:
    """Note the number of each item in the quarantine that is known by its place alone, which has a name.

    What GitHub does not say stays as it is.  Raises RateLimited.
    """
    by_list: dict[_Listed, dict[str, str]] = {}
    for place in places:
        order, states, cursor = place_of(place)
        by_list.setdefault((order, states), {})[place] = cursor
    found = {
        place: number
        for listed, named in by_list.items()
        for place, number in zip(named, _numbers(graphql, kind, node_id, list(named.values()), listed), strict=True)
        if number
    }
    if found:
        with db.transaction() as tx:
            quarantine.number_places(tx, repository.id, found, kind=kind.name)


def _numbers(
    graphql: GraphQL, kind: Kind, node_id: NodeId, cursors: Sequence[str], listed: _Listed
) -> list[int | None]:
    slots = [Slot(after=cursor, item=None, unreadable=()) for cursor in cursors]
    try:
        told, _ = github.again(graphql, kind.queries, node_id, slots, *listed)
    except RateLimited:
        raise
    except GitHubError as error:
        log.info("GitHub does not say what stands at places that could not be read: %s", error)
        return [None] * len(cursors)
    return [slot.number for slot in told]
