"""Items of every kind have this in common: a page brings them, they lack parts, and they become complete."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self, TypeVar

from gh_backfill.models.github import Listing, Named, NodeId, Unreadable
from gh_backfill.policy.surcharges import Counted

Thing = TypeVar("Thing")
# A list is asked for this often without an answer; then it is given up and reported.
TRIES = 3
AN_ALIAS = Counted(aliases=1)


class FollowUp(Hashable, Protocol):
    """A list of an item, or of a part of it, that is still to be read from `after` on; two that ask the same are equal.

    `by_ids` is what a list of ids has a price once in which it may stand, None where it needs an alias of its own;
    `alone` is what it has beside its units under an alias.
    """

    @property
    def node_id(self) -> NodeId:
        """Return the id of what has the list."""

    @property
    def after(self) -> str | None:
        """Return the cursor before the page that is asked for; None for the first page."""

    @property
    def units(self) -> int:
        """Return its price in units."""

    @property
    def by_ids(self) -> Counted | None:
        """Return what the list of ids costs once."""

    @property
    def alone(self) -> Counted:
        """Return what else has a price under an alias."""

    def at(self, after: str | None) -> Self:
        """Return what asks for the same list from another place on."""


class PageItem(Protocol):
    """An item as a page brings it; `unreadable` is what of its parts could not be read."""

    @property
    def number(self) -> int:
        """Return its number in the repository."""

    @property
    def created_at(self) -> datetime:
        """Return when it was created."""

    @property
    def updated_at(self) -> datetime:
        """Return when it was changed last."""

    @property
    def state(self) -> str:
        """Return the state it is in."""

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return the parts that could not be read."""


class CompleteItem(Protocol):
    """An item with everything that belongs to it; `gap` says what GitHub counts and does not list."""

    @property
    def number(self) -> int:
        """Return its number in the repository."""

    @property
    def gap(self) -> str | None:
        """Return what GitHub counts and does not list."""

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """Return the parts that could not be read."""


class Collector(Protocol):
    """An item on its way to completeness; `follow_ups` and `take` move it along."""

    def follow_ups(self) -> tuple[FollowUp, ...]:
        """Return what is to be asked next; nothing means that it is complete, or as far as it gets."""

    def take(self, follow_up: FollowUp, answer: Named[Listing[object]]) -> None:
        """Take the answer to a follow-up of ours."""

    def shrink(self, follow_up: FollowUp) -> None:
        """Take note that a follow-up of ours is too much for GitHub by itself."""

    def complete(self) -> CompleteItem:
        """Return the item with all that was read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """One place of a page: the cursor that leads to it, and what was there, as far as it could be read."""

    after: str | None
    item: PageItem | None
    unreadable: tuple[Unreadable, ...]

    @property
    def number(self) -> int | None:
        """Return the number of the item that was there, as far as it is known."""
        if self.item is not None:
            return self.item.number
        return next((each.number for each in self.unreadable if each.number is not None), None)

    @property
    def created_at(self) -> datetime | None:
        """Return when the item that was there was created, as far as it is known."""
        if self.item is not None:
            return self.item.created_at
        return next((each.created_at for each in self.unreadable if each.created_at is not None), None)


def only(thing: type[Thing], answer: Listing[object]) -> Listing[Thing]:
    """Narrow an answer to what its follow-up calls for."""
    items = tuple(item for item in answer.items if isinstance(item, thing))
    if len(items) != len(answer.items):
        raise TypeError(f"expected {thing.__name__} in the answer")
    return Listing(items=items, total=answer.total, next=answer.next, unreadable=answer.unreadable)
