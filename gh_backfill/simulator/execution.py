"""Execution of documents that spares plain values what they do not need: two thirds of an answer are such values."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import SimpleNamespace
from typing import Any

from graphql import ExecutionContext, FieldNode, GraphQLNonNull, GraphQLObjectType, Undefined, is_leaf_type
from graphql.pyutils import Path

_UNSURE = object()


class Execution(ExecutionContext):
    """graphql-core's execution; a field without arguments whose value is plain gets no description of itself.

    Of that description its resolvers read the context alone.  Whatever is unusual, an error first of all, is left to
    graphql-core, so that answers are the same to the byte.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._told = SimpleNamespace(context=self.context_value)

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
