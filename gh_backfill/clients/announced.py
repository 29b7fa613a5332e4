"""Pull requests of many repositories by their numbers, for the points of one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gh_backfill.clients import damage, documents, numbers, parsing, pull_requests, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.pages import KnownNumber
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.policy import query_prices
from gh_backfill.policy.items import Slot
from gh_backfill.policy.query_prices import UNITS_OF_ONE_POINT

UNITS = 2
MOST = UNITS_OF_ONE_POINT // UNITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What GitHub says of a pull request, whole or in parts, and of its repository now."""

    pull_request: Named[Slot]
    full_name: str
    is_private: bool
    total: int


def read(graphql: GraphQL, wanted: Sequence[tuple[NodeId, int]]) -> list[Named[Shown]]:
    """Return what GitHub says of (repository, number) pairs in their order, of `MOST` pairs at most.

    Not found is the repository; a pull request that there is none of is not found within it.  Raises what
    `GraphQL.execute` raises.
    """
    variables: dict[str, object] = {}
    for place, (repository, number) in enumerate(wanted):
        variables |= {f"id{place}": repository, f"number{place}": number}
    answer = graphql.execute(
        documents.aliases(("PullRequestOf",) * len(wanted)),
        variables,
        points=query_prices.points(UNITS * len(wanted)),
        divisible=True,
    )
    return [_shown(answer, f"a{place}", number) for place, (_, number) in enumerate(wanted)]


def _shown(answer: Answer, name: str, number: int) -> Named[Shown]:
    if (name,) in answer.not_found:
        return NotFound()
    node: Any = answer.data.get(name)
    try:
        return Shown(
            pull_request=_pull_request(answer, name, number),
            full_name=sense.full_name(node["nameWithOwner"]),
            is_private=sense.truth(node["isPrivate"]),
            total=sense.count(node["pullRequests"]["totalCount"]),
        )
    except sense.UNREADABLE:
        return Unknown(reason=str(answer.why(name)))


def _pull_request(answer: Answer, name: str, number: int) -> Named[Slot]:
    if (name, documents.ONE) in answer.not_found:
        return NotFound()
    node = answer.data[name]
    mark = {damage.MARK: node[damage.MARK]} if damage.MARK in node else {}
    slot = parsing.slot(pull_requests.QUERIES, {"node": node.get(documents.ONE), **mark}, None, f"#{number}")
    return numbers.named(slot, KnownNumber(number=number, node_id=None))
