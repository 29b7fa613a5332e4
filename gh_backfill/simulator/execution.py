"""Execution of documents that spares plain values what they do not need, and items what was answered about them before.

Two thirds of an answer are plain values; and of what tests ask, most was asked before.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Undefined,
    is_leaf_type,
)
from graphql.pyutils import Path

from gh_backfill.simulator.repeats import ITEMS, Repeat, Repeats, Selection

_UNSURE = object()
_REPEATS = Repeats()  # of all servers of the process: each test has one of its own, and asks what the others ask


class Execution(ExecutionContext):
    """graphql-core's execution; a field without arguments whose value is plain gets no description of itself.

    Of that description its resolvers read the context alone.  Whatever is unusual, an error first of all, is left to
    graphql-core, so that answers are the same to the byte.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._told = SimpleNamespace(context=self.context_value)
        self._selections: dict[tuple[int, ...], Selection] = {}
        self._token = _REPEATS.surroundings(self.context_value) if self.context_value.may_repeat else None

    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        """Return a field's value."""
        read = _reader(parent_type, field_nodes[0].name.value)
        if read is not None:
            value = read(source, self._told)
            if value is not _UNSURE:
                return value
        return super().execute_field(parent_type, source, field_nodes, path)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> Any:
        """Return what is asked of an object: of a whole item, as it was answered before."""
        token, scope = self._token, self.context_value
        if token is None or not isinstance(result, ITEMS):
            return super().complete_object_value(return_type, field_nodes, info, path, result)

        def make() -> Repeat:
            errors, nodes = len(self.collected_errors.errors), scope.nodes
            self._token = None  # what is in a part is no part itself
            try:
                value: Any = ExecutionContext.complete_object_value(self, return_type, field_nodes, info, path, result)
            finally:
                self._token = token
            return Repeat(value=value, nodes=scope.nodes - nodes, whole=len(self.collected_errors.errors) == errors)

        before = scope.nodes
        part = _REPEATS.part(self._selection(field_nodes), result, scope, token, make)
        scope.nodes = before + part.nodes
        return part.value

    def _selection(self, nodes: list[FieldNode]) -> Selection:
        """Return what is asked of an item; the nodes of a document live as long as its execution."""
        known = tuple(map(id, nodes))
        if known not in self._selections:
            self._selections[known] = Selection(nodes, self.fragments, self.variable_values)
        return self._selections[known]


@cache
def _reader(kind: GraphQLObjectType, name: str) -> Callable[[Any, Any], Any] | None:
    """Return what reads a plain value, or says that it is not sure; None for every other field."""
    if name == "__typename":
        return lambda row, told: kind.name
    field = kind.fields.get(name)
    if field is None or field.args or field.resolve is None:
        return None
    is_nullable = not isinstance(field.type, GraphQLNonNull)
    plain = field.type if is_nullable else field.type.of_type
    if not is_leaf_type(plain):
        return None
    resolve, serialize = field.resolve, plain.serialize

    def read(row: Any, told: Any) -> Any:
        try:
            value = resolve(row, told)
            if value is None:
                return None if is_nullable else _UNSURE
            written = serialize(value)
        except Exception:  # noqa: BLE001  (graphql-core meets it again, and tells of it)
            return _UNSURE
        return _UNSURE if written is None or written is Undefined else written

    return read
