"""The executable schema: the published types with an answer for every field."""

from __future__ import annotations

import re
from functools import cache
from operator import attrgetter
from typing import Any

from graphql import (
    GraphQLInt,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
)

from gh_backfill import resources
from gh_backfill.simulator.resolvers import CONNECTION, EDGE, RESOLVERS, Resolver, type_name

# GitHub's `Int` is written whatever its size; graphql-core's refuses what needs more than 32 bits, and guards its name.
_INT = GraphQLScalarType("LargeInt", serialize=lambda value: value)
_INT.name = "Int"
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


@cache
def build() -> GraphQLSchema:
    """Build the schema with its resolvers, once."""
    schema = build_schema(resources.text("simulator/schema.graphql"))
    schema.type_map["BigInt"].serialize = str  # type: ignore[attr-defined]
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType) and not kind.name.startswith("__"):
            for field in kind.fields.values():
                field.type = _wide(field.type)
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                field.resolve = _resolver(kind.name, name)
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            kind.resolve_type = _type_of
    return schema


def _resolver(kind: str, name: str) -> Resolver:
    special = RESOLVERS.get(kind, {}).get(name)
    if special is None and kind.endswith("Connection"):
        special = CONNECTION[name]
    if special is None and kind.endswith("Edge"):
        special = EDGE[name]
    return special or _attribute(_CAPITAL.sub("_", name).lower())


def _attribute(name: str) -> Resolver:
    get = attrgetter(name)
    return lambda row, info, **arguments: get(row)


def _wide(kind: GraphQLOutputType) -> GraphQLOutputType:
    if isinstance(kind, GraphQLNonNull):
        return GraphQLNonNull(_wide(kind.of_type))
    return _INT if kind is GraphQLInt else kind


def _type_of(row: Any, _info: Any, _kind: Any) -> str:
    return type_name(row)
