"""Items of a kind by their numbers, read whole."""

from __future__ import annotations

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.engine.follow_ups import complete
from gh_backfill.engine.kind import Kind
from gh_backfill.errors import TooBig
from gh_backfill.models.github import Named, NodeId, Unknown
from gh_backfill.policy.items import CompleteItem, Slot


def read_by_number(
    graphql: GraphQL, kind: Kind, node_id: NodeId, numbers: list[int]
) -> tuple[dict[int, Named[Slot]], list[CompleteItem]]:
    """Read items by their numbers, each alone where together they are too much."""
    try:
        slots, _ = github.by_number(graphql, kind.queries, node_id, numbers)
        collectors = [kind.collector(slot.item) for slot in slots.values() if isinstance(slot, Slot) and slot.item]
        complete(graphql, kind.queries, collectors)
    except TooBig as error:
        if len(numbers) == 1:
            return {numbers[0]: Unknown(reason=str(error))}, []
        half = len(numbers) // 2
        first, second = (read_by_number(graphql, kind, node_id, part) for part in (numbers[:half], numbers[half:]))
        return first[0] | second[0], first[1] + second[1]
    return slots, [collector.complete() for collector in collectors]
