"""The forks of a repository: those that are repositories of the world, and made-up ones, each made when it is shown.

A made-up fork is listed and is no more: by its own name it is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.rows import RepositoryRow

_Value = Callable[[RepositoryRow], str]
_VALUES: dict[str, _Value] = {
    "NAME": lambda fork: fork.name,
    "PUSHED_AT": lambda fork: fork.pushed_at or "",
    "STARGAZERS": lambda fork: f"{fork.stargazers:09}",
    "UPDATED_AT": lambda fork: fork.updated_at,
    "CREATED_AT": lambda fork: fork.created_at,
}


class MadeForks:
    """Forks that are made up: so many ids from the first, their keys by time of creation, and how to make a row."""

    def __init__(
        self, first: int, count: int, make: Callable[[], list[Key]], row: Callable[[Key], RepositoryRow]
    ) -> None:
        self.first, self.count, self._make = first, count, make
        self.row = lru_cache(maxsize=2_000)(row)

    @cached_property
    def keys(self) -> list[Key]:
        """Time, id and place of each."""
        return self._make()


def _no_row(key: Key) -> RepositoryRow:
    raise LookupError(key)


NO_FORKS = MadeForks(0, 0, list, _no_row)


@dataclass(frozen=True, kw_only=True)
class ForkOrder:
    """Forks in one order: their keys, ascending, and how to get the row of a key."""

    keys: list[Key]
    row: Callable[[Key], RepositoryRow]


class ForkList:
    """The forks of one repository: ids of repositories of the world, and those that are made up.  It never changes."""

    def __init__(self, ids: Iterable[int] = (), made: MadeForks = NO_FORKS) -> None:
        self.ids, self.made = tuple(ids), made
        self._orders: dict[str, tuple[tuple[RepositoryRow, ...], ForkOrder]] = {}

    def with_ids(self, ids: Iterable[int]) -> ForkList:
        """Return a list with the same made-up forks, and these others."""
        return ForkList(ids, self.made)

    def ordered(self, name: str, world: dict[int, RepositoryRow]) -> ForkOrder:
        """Return the forks by NAME, PUSHED_AT, STARGAZERS, UPDATED_AT or CREATED_AT, ties by id.

        An order is made again only when a repository of the world has changed.
        """
        rows = tuple(world[each] for each in self.ids if each in world)
        known, order = self._orders.get(name, ((), None))
        if order is None or known != rows:
            order = self._order(_VALUES[name], rows)
            self._orders[name] = rows, order
        return order

    def _order(self, value: _Value, rows: tuple[RepositoryRow, ...]) -> ForkOrder:
        by_id = {row.id: row for row in rows}
        made = self.made.keys
        if value is not _VALUES["CREATED_AT"]:
            made = [(value(self.made.row(key)), key[1], key[2]) for key in made]
        keys = sorted([*made, *((value(row), row.id, 0) for row in rows)])
        times = self.made.keys
        return ForkOrder(keys=keys, row=lambda key: by_id.get(key[1]) or self.made.row(times[key[2]]))
