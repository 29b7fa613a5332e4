"""Pages of items: how one is asked for, and what it brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gh_backfill.models.github import Named, NodeId, Spent
from gh_backfill.policy.items import Slot

Order = Literal["CREATED_AT", "UPDATED_AT"]


# What the quarantine calls a place of a list of which nobody knows what stands there: by the cursor that leads to it.
_PLACES: dict[Order, str] = {"CREATED_AT": "after ", "UPDATED_AT": "updated after "}


def place_name(after: str | None, order: Order) -> str:
    """Return what the quarantine calls a place of a list: a cursor leads to it in its own order only."""
    return f"{_PLACES[order]}{after}"


def place_of(name: str) -> tuple[Order, str]:
    """Return the order and the cursor of a place by its name."""
    order: Order = "UPDATED_AT" if name.startswith(_PLACES["UPDATED_AT"]) else "CREATED_AT"
    return order, name.removeprefix(_PLACES[order])


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAsked:
    """The next `first` items of a repository after a cursor, newest first by `order`."""

    repository: NodeId
    first: int
    after: str | None
    order: Order


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownNumber:
    """A number that is a pull request's, and its id; without an id it may also be something else."""

    number: int
    node_id: NodeId | None


@dataclass(frozen=True, kw_only=True, slots=True)
class NumbersAsked:
    """Pull requests that are known, and what the `numbers` after them are; `after` is the place this begins at."""

    repository: NodeId
    after: str | None
    known: tuple[KnownNumber, ...]
    numbers: tuple[int, ...]

    @property
    def first(self) -> int:
        """Return how many pull requests are asked for."""
        return len(self.known)


Asked = PageAsked | NumbersAsked


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of items, and what GitHub says of the repository at that moment.

    `more` is GitHub's word that others follow; then `next` is their cursor, or None where it gave none.  `stuck` says
    that the list can't be followed any further, though GitHub counts more.

    `told` says which of the numbers asked about are pull requests, by their ids; an issue, a discussion or nothing is
    not found.
    """

    slots: tuple[Slot, ...]
    total: int
    next: str | None
    end: str | None
    full_name: str
    is_private: bool
    server_time: datetime
    spent: Spent
    more: bool = False
    stuck: bool = False
    told: Mapping[int, Named[NodeId]] = field(default_factory=dict)
