"""Pages of a connection: `first`, `last`, `after` and `before`, with GitHub's refusals.

https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import GraphQLError

from gh_backfill.simulator.cursors import Cursors, InvalidCursor
from gh_backfill.simulator.keys import Key

MOST = 100
_LAST_POSITION = 1 << 62


@dataclass(frozen=True, kw_only=True)
class Order:
    """The rows of a connection: their keys, ascending, and how to get the row of a key."""

    name: str
    keys: Sequence[Key]
    row: Callable[[Key], Any]
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class ConnectionPage:
    """What a connection gives.  Made lazily: who asks for `totalCount` alone pays for nothing else."""

    name: str
    order: Order
    cursors: Cursors
    arguments: dict[str, Any]
    count: int | None = None

    @property
    def total(self) -> int:
        """All rows of the connection, wherever the page begins; `count` where the list itself is not in the source."""
        return len(self.order.keys) if self.count is None else self.count

    @cached_property
    def window(self) -> tuple[list[Key], bool, bool]:
        """The keys of this page, whether more rows precede it, and whether more follow."""
        check_bounds(self.name, self.arguments)
        low, high = self._range()
        first, last = self.arguments.get("first"), self.arguments.get("last")
        begin, end = low, high
        if first is not None:
            end = min(end, begin + first)
        if last is not None:
            begin = max(begin, end - last)
        keys = self.order.keys
        count = len(keys)
        if self.order.descending:
            chosen = [keys[count - 1 - position] for position in range(begin, end)]
        else:
            chosen = list(keys[begin:end])
        return chosen, begin > 0, end < count

    @cached_property
    def rows(self) -> list[Any]:
        """The rows of this page."""
        return [self.order.row(key) for key in self.window[0]]

    def cursor(self, key: Key) -> str:
        """Return the cursor of a row."""
        return self.cursors.seal(self.order.name, key[0], key[1])

    def check(self) -> None:
        """Refuse, as GitHub does, what is wrong with the arguments even where only `totalCount` is selected."""
        for name in ("first", "last"):
            if self.arguments.get(name) is not None:
                check_bounds(self.name, self.arguments)
        self._range()

    def _range(self) -> tuple[int, int]:
        """The positions, in reading order, between `after` and `before`."""
        low, high = 0, len(self.order.keys)
        if (after := self._anchor("after")) is not None:
            low = self._position(after, past=True)
        if (before := self._anchor("before")) is not None:
            high = self._position(before, past=False)
        return low, max(low, high)

    def _anchor(self, argument: str) -> tuple[str, int] | None:
        cursor = self.arguments.get(argument)
        if cursor is None:
            return None
        try:
            return self.cursors.open(self.order.name, cursor)
        except InvalidCursor:
            text = f"`{cursor}` does not appear to be a valid cursor."
            raise GraphQLError(text, extensions={"type": "INVALID_CURSOR_ARGUMENTS"}) from None

    def _position(self, anchor: tuple[str, int], *, past: bool) -> int:
        upper = bisect_left(self.order.keys, (*anchor, _LAST_POSITION))
        lower = bisect_left(self.order.keys, (*anchor, -1))
        if self.order.descending:
            return len(self.order.keys) - (lower if past else upper)
        return upper if past else lower


def check_bounds(name: str, arguments: dict[str, Any]) -> None:
    """Raise what GitHub answers to a missing, excessive or impossible `first` or `last`."""
    given = {key: arguments[key] for key in ("first", "last") if arguments.get(key) is not None}
    if not given:
        raise GraphQLError(
            f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.",
            extensions={"type": "MISSING_PAGINATION_BOUNDARIES"},
        )
    for key, value in given.items():
        if value > MOST:
            raise GraphQLError(
                f"Requesting {value} records on the `{name}` connection exceeds the `{key}` limit of {MOST} records.",
                extensions={"type": "EXCESSIVE_PAGINATION"},
            )
        if value < 1:
            raise GraphQLError(
                f"`{key}` on the `{name}` connection must be between 1 and {MOST}.",
                extensions={"type": "INVALID_PAGINATION_VALUE"},
            )


def by_id(rows: Sequence[Any]) -> Order:
    """Order rows, which come by id, by id."""
    return Order(name="ID", keys=[("", row.id, index) for index, row in enumerate(rows)], row=lambda key: rows[key[2]])


def by_position(rows: Sequence[Any]) -> Order:
    """Order rows that have no id by their place in a list."""
    keys = [("", index, index) for index in range(len(rows))]
    return Order(name="POSITION", keys=keys, row=lambda key: rows[key[2]])


def sorted_by(name: str, rows: Sequence[Any], value: Callable[[Any], str], *, descending: bool) -> Order:
    """Order rows by a value, ties by id."""
    keys = sorted((value(row), row.id, index) for index, row in enumerate(rows))
    return Order(name=name, keys=keys, row=lambda key: rows[key[2]], descending=descending)
