"""The sources of a walk's pages: a list that is read by its cursors, or the numbers of a part."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Protocol

from gh_backfill.clients.pages import Asked, Order, Page, PageAsked
from gh_backfill.errors import TooBig
from gh_backfill.models.github import NodeId
from gh_backfill.models.work import Goal, Phase, Stream
from gh_backfill.policy.progress import wanted, why_no_progress
from gh_backfill.policy.query_prices import PagePrice
from gh_backfill.policy.surcharges import Counted

log = logging.getLogger(__name__)

TRIES_TO_GO_ON = 3
# A count beside a list is a field of its own at the root of a query, and has no units.
A_COUNT = Counted(aliases=1, counts=1)


def page_of(repository: NodeId, stream: Stream, after: str | None, count: int) -> PageAsked:
    """Return the page of a stream after a cursor, and what its list does not count.

    The walk lists what is in the states of its goal; the catch-up lists all that changed, for it may have left one.
    """
    order: Order = "CREATED_AT" if stream.phase is Phase.HISTORY else "UPDATED_AT"
    asked = PageAsked(repository=repository, first=count, after=after, order=order)
    states = tuple(state.upper() for state in stream.goal.states)
    if not states:
        return asked
    listed, counting = (states, ()) if stream.phase is Phase.HISTORY else ((), states)
    return replace(asked, states=listed, counting=counting)


def price_of(page: PagePrice, stream: Stream) -> PagePrice:
    """Return the price of such a page, of which `page` is what its list costs."""
    return replace(page, once=page.once + A_COUNT) if stream.goal.states else page


@dataclass(frozen=True, kw_only=True, slots=True)
class Ahead:
    """What is here beyond the chunk that was committed last: so many items, read from these places."""

    items: int = 0
    places: Collection[str | None] = ()


class Walk(Protocol):
    """One walk through a repository, as the pipeline sees it: which page comes next, and where the walk ends."""

    def resume(self, stream: Stream, after: str | None, *, ahead: bool) -> bool:
        """Go on from a place; `ahead`: pages from there on are here already.  False where it is another walk's."""

    def most(self, size: int) -> int:
        """Return how many items of a page of that size can be asked for now."""

    def next(self, stream: Stream, after: str | None, count: int) -> Asked | None:
        """Return what asks for so many items from a place on; None where there is nothing to ask."""

    def price(self, asked: Asked | None) -> PagePrice:
        """Return what of a page has a price; None stands for a page that is not composed yet."""

    def take(self, stream: Stream, asked: Asked, page: Page, ahead: Ahead) -> Page | None:
        """Return the page, with an end that can be believed; None if it has to be asked for again, or was no page."""

    def asks_for_less(self, asked: Asked, error: TooBig) -> bool:
        """Say whether less is asked for next time though the page stays as large; raises `error` where it can't be."""

    def step_over(self, asked: Asked, page: Page) -> Page:
        """Go on behind a page that can't be read, and return it with the place of the next one."""

    def read(self, asked: Asked, page: Page) -> int:
        """Return how many items GitHub had to read for a page."""


@dataclass(kw_only=True, slots=True)
class CursorWalk:
    """A walk by cursors; `been` are those it was at, for a list that comes back to one of them never ends.

    `begun` says that what is newer than its goal is behind it.
    """

    repository: NodeId
    stream_id: str
    goal: Goal
    page_price: PagePrice
    been: set[str] = field(default_factory=set)
    begun: bool = False
    _tries: int = 0

    @classmethod
    def begin(cls, repository: NodeId, stream: Stream, price: PagePrice) -> CursorWalk:
        """Begin the walk of a stream, whose pages cost `price` without what its goal counts beside them."""
        return cls(repository=repository, stream_id=stream.id, goal=stream.goal, page_price=price_of(price, stream))

    def resume(self, stream: Stream, after: str | None, *, ahead: bool) -> bool:
        """Go on from a cursor of the stream: the list leads on from any of them, as long as the goal is the same."""
        if stream.numbers is not None or (stream.id, stream.goal) != (self.stream_id, self.goal):
            return False
        if after is None:
            self.been.clear()
            self.begun = False
        else:
            self.been.add(after)
        return True

    def most(self, size: int) -> int:
        """Return the size, halved once for each answer in a row that did not lead on."""
        return max(1, size >> self._tries)

    def next(self, stream: Stream, after: str | None, count: int) -> Asked | None:
        """Return the page after a cursor."""
        return page_of(self.repository, stream, after, count) if count else None

    def skips(self, stream: Stream) -> bool:
        """Say whether something newer than the goal may come: the list is by date, so nothing does after its first."""
        return stream.phase is Phase.HISTORY and stream.goal.until is not None and not (self.begun or stream.items_done)

    def price(self, asked: Asked | None) -> PagePrice:
        """Return the price of the one list."""
        return self.page_price

    def take(self, stream: Stream, asked: Asked, page: Page, ahead: Ahead) -> Page | None:
        """Return a page whose list leads on or is at its end; one that leads nowhere is asked for again, smaller."""
        been = {asked.after, *self.been, *ahead.places}
        bad = why_no_progress(page.next, been, listed=len(page.slots))
        tries, self._tries = self._tries + 1, 0
        if bad is None or not page.more or len(wanted(stream, page.slots)) < len(page.slots):
            return page
        listed = page.wanted if stream.goal.states and page.wanted is not None else page.total
        if stream.phase is Phase.HISTORY and stream.items_done + ahead.items + len(page.slots) >= listed:
            return replace(page, next=None)
        if tries < TRIES_TO_GO_ON:
            log.warning("%s: %s; asking again for less", page.full_name, bad)
            self._tries = tries
            return None
        log.warning("%s: %s, %s times: the list can't be followed further", page.full_name, bad, tries)
        # How much of a span of time is missing nobody could tell behind this page, so that one is asked for again.
        again = page.next in been or stream.goal.dated
        return replace(page, next=None, end=asked.after if again else page.next or asked.after, stuck=True)

    def asks_for_less(self, asked: Asked, error: TooBig) -> bool:
        """Return False: what a list is asked for is its page alone."""
        return False

    def step_over(self, asked: Asked, page: Page) -> Page:
        """Return the page if its cursor leads on; the list ends before it if not, to be looked at another time."""
        bad = why_no_progress(page.next, {asked.after, *self.been}, listed=len(page.slots))
        if bad is None or not page.more:
            return page
        log.warning("%s: %s: nothing leads on from what can't be read", page.full_name, bad)
        return replace(page, next=None, end=asked.after, stuck=True)

    def read(self, asked: Asked, page: Page) -> int:
        """Return as many as came."""
        return len(page.slots)
