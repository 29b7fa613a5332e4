"""Pull requests of many repositories by their numbers, for the points of one query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.clients import damage, documents, numbers, parsing
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.pages import Known
from gh_backfill.models import NodeId
from gh_backfill.policy import cost
from gh_backfill.policy.cost import UNITS_OF_ONE_POINT
from gh_backfill.policy.wants import Slot

UNITS = 2
MOST = UNITS_OF_ONE_POINT // UNITS


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A pull request, whole or in parts, and what GitHub says of its repository now."""

    slot: Slot
    full_name: str
    is_private: bool
    total: int


@dataclass(frozen=True, slots=True)
class NoPullRequest:
    """GitHub says that the repository has no pull request of this number."""


@dataclass(frozen=True, slots=True)
class NoRepository:
    """GitHub says that there is no such repository, or none for us."""


@dataclass(frozen=True, slots=True)
class Unsaid:
    """GitHub did not say what is there."""


Reading = Shown | NoPullRequest | NoRepository | Unsaid


def read(graphql: GraphQL, wanted: Sequence[tuple[NodeId, int]]) -> list[Reading]:
    """Return the readings of (repository, number) pairs in their order, of `MOST` pairs at most.

    Raises what `GraphQL.execute` raises.
    """
    variables: dict[str, object] = {}
    for place, (repository, number) in enumerate(wanted):
        variables |= {f"id{place}": repository, f"number{place}": number}
    answer = graphql.execute(
        documents.aliases(("PullRequestOf",) * len(wanted)),
        variables,
        points=cost.points(UNITS * len(wanted)),
        divisible=True,
    )
    return [_reading(answer, place, number) for place, (_, number) in enumerate(wanted)]


def _reading(answer: Answer, place: int, number: int) -> Reading:
    name = f"a{place}"
    if (name,) in answer.not_found:
        return NoRepository()
    node = answer.data.get(name)
    if not node or (node.get("pullRequests") or {}).get("totalCount") is None:
        return Unsaid()
    if (name, "pullRequest") in answer.not_found:
        return NoPullRequest()
    mark = {damage.MARK: node[damage.MARK]} if damage.MARK in node else {}
    slot = parsing.slot({"node": node.get("pullRequest"), **mark}, None)
    return Shown(
        slot=numbers.named(slot, Known(number=number, node_id=None)),
        full_name=node["nameWithOwner"],
        is_private=node["isPrivate"],
        total=node["pullRequests"]["totalCount"],
    )
