"""Pages of items: how one is asked for, and what it brings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from gh_backfill.models.events import StarsAndForks
from gh_backfill.models.github import Named, NodeId, Spent
from gh_backfill.policy.items import Slot

Order = Literal["CREATED_AT", "UPDATED_AT"]


# What the quarantine calls a place of a list of which nobody knows what stands there: by the cursor that leads to it.
_PLACES: dict[Order, str] = {"CREATED_AT": "after ", "UPDATED_AT": "updated after "}


# What follows the cursor in the name of a place of a list of items in some states only.
_OF = " of "


def place_name(after: str | None, order: Order, states: Sequence[str] = ()) -> str:
    """Return what the quarantine calls a place of a list: a cursor leads to it in its own order and list only."""
    return f"{_PLACES[order]}{after}" + (f"{_OF}{'+'.join(states)}" if states else "")


def place_of(name: str) -> tuple[Order, tuple[str, ...], str]:
    """Return the order, the states and the cursor of a place by its name."""
    order: Order = "UPDATED_AT" if name.startswith(_PLACES["UPDATED_AT"]) else "CREATED_AT"
    cursor, _, states = name.removeprefix(_PLACES[order]).partition(_OF)
    return order, tuple(states.split("+")) if states else (), cursor


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAsked:
    """The next `first` items of a repository after a cursor, newest first by `order`; of some `states`, or of all.

    With `counting` those in these states are counted beside the list, which is of others; with none of them, all are.
    """

    repository: NodeId
    first: int
    after: str | None
    order: Order
    states: tuple[str, ...] = ()
    counting: tuple[str, ...] | None = None


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

    `total` are all items of the repository, `wanted` those in the states that were asked for, if any were.  `past` says
    that the goal ends here, though the list goes on.

    `told` says which of the numbers asked about are pull requests, by their ids; an issue, a discussion or nothing is
    not found.  `counted` is None where GitHub did not say how many stars and forks there are.
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
    wanted: int | None = None
    past: bool = False
    told: Mapping[int, Named[NodeId]] = field(default_factory=dict)
    counted: StarsAndForks | None = None
