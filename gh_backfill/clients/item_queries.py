"""The documents of a kind of item by name, and the readers of their answers: one value for each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gh_backfill.models.github import Listing
from gh_backfill.policy.items import FollowUp, PageItem

Node = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ListQuery:
    """How a list of an item is asked for and read.

    `alone` is the template under an alias, with `$id0`, `$after0`, and `$first0` where `first` tells it.  `by_ids` is
    the one for many at once, with the variable `ids`; its list is called `name` in the answer.  None: there is none.
    """

    read: Callable[[FollowUp, Node], Listing[object]]
    alone: str
    by_ids: str | None = None
    ids: str = "ids"
    name: str = "nodes"
    first: Callable[[FollowUp], int] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemQueries:
    """The templates of `queries/` for a kind of item, and what reads them.

    `item` is what the quarantine calls one, `connection` the list of a repository that has them.  `units` is the price
    of one that is asked for by its number; by its place in the list it costs one more.  `count` counts those in some
    states beside a list; None: a list of this kind has all of them.
    """

    item: str
    items: str
    connection: str
    page: str
    outline: str
    after: str
    by_number: str
    units: int
    read: Callable[[Node], PageItem]
    lists: Mapping[type[FollowUp], ListQuery]
    count: str | None = None
