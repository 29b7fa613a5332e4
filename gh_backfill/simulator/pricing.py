"""The price of a query: GitHub's points, node count and limits, from its text and variables alone.

https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionSetNode,
    value_from_ast_untyped,
)

MOST_NODES = 500_000
MOST_IDS = 100


class Rounding(StrEnum):
    """How a cost that ends in exactly .5 is rounded; nobody has measured GitHub's way."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"


@dataclass(frozen=True, kw_only=True)
class Charges:
    """What is charged beside GitHub's published list, of which nobody knows better.

    `counts`: a connection without `first` or `last`, of which only the `totalCount` can be asked, costs as if it had
    `first`.  `ids` and `aliases`: one unit for each `nodes(ids:)` and for each alias at the root.  `percent`: so much
    more than all units together.
    """

    counts: bool = False
    ids: bool = False
    aliases: bool = False
    percent: int = 0


LISTED = Charges()


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of a query; `refusals` are GitHub's errors where it asks for too much."""

    units: int
    cost: int
    nodes: int
    dry_run: bool = False
    refusals: list[dict[str, Any]] = field(default_factory=list)


@dataclass(kw_only=True)
class _Tally:
    variables: Mapping[str, Any]
    fragments: Mapping[str, FragmentDefinitionNode]
    charges: Charges
    units: int = 0
    nodes: int = 0
    dry_run: bool = False
    widest: tuple[str, int] | None = None
    too_many_ids: list[dict[str, Any]] = field(default_factory=list)


def price(
    document: DocumentNode,
    variables: Mapping[str, Any],
    operation: OperationDefinitionNode,
    *,
    rounding: Rounding = Rounding.HALF_UP,
    charges: Charges = LISTED,
) -> Price:
    """Price an operation.  `variables` hold the defaults too.

    A connection is charged once for each node of the connections above it; one without `first` or `last`, which can
    only be asked for its `totalCount`, is free unless the `charges` say otherwise.
    """
    definitions = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
    fragments = {definition.name.value: definition for definition in definitions}
    tally = _Tally(variables=variables, fragments=fragments, charges=charges)
    _walk(tally, operation.selection_set, above=1, top=True)
    cost = max(1, _rounded(Fraction(tally.units * (100 + charges.percent), 10_000), rounding))
    refusals = tally.too_many_ids or _too_many_nodes(tally)
    return Price(units=tally.units, cost=cost, nodes=tally.nodes, dry_run=tally.dry_run, refusals=refusals)


def _walk(tally: _Tally, selection: SelectionSetNode, above: int, *, top: bool = False) -> None:
    for fields in _merged(tally, selection):
        node = fields[0]
        arguments = {argument.name.value: _value(tally, argument.value) for argument in node.arguments}
        multiple = _count_top(tally, node, arguments) if top else None
        if multiple is None:
            multiple = _count(tally, fields, arguments, above)
        for found in fields:
            if found.selection_set is not None:
                _walk(tally, found.selection_set, multiple)


def _count_top(tally: _Tally, node: FieldNode, arguments: Mapping[str, Any]) -> int | None:
    """Count what is special at the top: `rateLimit(dryRun:)` and `nodes(ids:)`, which multiplies and is free itself."""
    tally.units += tally.charges.aliases and node.alias is not None
    if node.name.value == "rateLimit":
        tally.dry_run = tally.dry_run or arguments.get("dryRun") is True
    if node.name.value == "nodes" and isinstance(arguments.get("ids"), list):
        return _count_ids(tally, node, len(arguments["ids"]))
    return None


def _count(tally: _Tally, fields: list[FieldNode], arguments: Mapping[str, Any], above: int) -> int:
    """Count a field, and return how many nodes there may be of what is below it."""
    size = _size(arguments)
    if size is None:
        tally.units += above if tally.charges.counts and _counts(tally, fields) else 0
        return above
    tally.units += above
    tally.nodes += above * size
    if above * size > MOST_NODES and (tally.widest is None or above * size > tally.widest[1]):
        tally.widest = (fields[0].name.value, above * size)
    return above * size


def _merged(tally: _Tally, selection: SelectionSetNode) -> list[list[FieldNode]]:
    """The fields of a selection, each answer once however often it is written; fragments are opened."""
    groups: dict[tuple[str, str], list[FieldNode]] = {}
    for condition, node in _fields(tally, selection, ""):
        groups.setdefault((condition, node.alias.value if node.alias else node.name.value), []).append(node)
    return list(groups.values())


def _fields(tally: _Tally, selection: SelectionSetNode, condition: str) -> Iterator[tuple[str, FieldNode]]:
    for node in selection.selections:
        if not _included(tally, node):
            continue
        if isinstance(node, FieldNode):
            yield condition, node
        elif isinstance(node, InlineFragmentNode):
            narrower: NamedTypeNode | None = node.type_condition
            name = condition if narrower is None else narrower.name.value
            yield from _fields(tally, node.selection_set, name)
        elif isinstance(node, FragmentSpreadNode) and (fragment := tally.fragments.get(node.name.value)):
            yield from _fields(tally, fragment.selection_set, fragment.type_condition.name.value)


def _included(tally: _Tally, node: Any) -> bool:
    for directive in node.directives:
        wanted = {"skip": False, "include": True}.get(directive.name.value)
        values = {argument.name.value: _value(tally, argument.value) for argument in directive.arguments}
        if wanted is not None and values.get("if") is not wanted:
            return False
    return True


def _value(tally: _Tally, node: Any) -> Any:
    return value_from_ast_untyped(node, dict(tally.variables))


def _size(arguments: Mapping[str, Any]) -> int | None:
    given = [arguments[name] for name in ("first", "last") if isinstance(arguments.get(name), int)]
    return max(0, given[0]) if given else None


def _counts(tally: _Tally, fields: list[FieldNode]) -> bool:
    below = [found.selection_set for found in fields if found.selection_set is not None]
    return any(node.name.value == "totalCount" for each in below for _, node in _fields(tally, each, ""))


def _count_ids(tally: _Tally, node: FieldNode, count: int) -> int:
    tally.nodes += count
    tally.units += tally.charges.ids
    if count > MOST_IDS:
        path = [node.alias.value if node.alias else node.name.value]
        text = f"You may not provide more than {MOST_IDS} node ids; you provided {count}."
        tally.too_many_ids.append({"type": "ARGUMENT_LIMIT", "path": path, "message": text})
    return count


def _too_many_nodes(tally: _Tally) -> list[dict[str, Any]]:
    limit = f"possible nodes which exceeds the maximum limit of {MOST_NODES:,}."
    if tally.widest is not None:
        name, count = tally.widest
        text = f"By the time this query traverses to the {name} connection, it is requesting up to {count:,} {limit}"
    elif tally.nodes > MOST_NODES:
        text = f"This query requests up to {tally.nodes:,} {limit}"
    else:
        return []
    return [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": text}]


def _rounded(cost: Fraction, rounding: Rounding) -> int:
    return round(cost) if rounding is Rounding.HALF_EVEN else int(cost + Fraction(1, 2))
