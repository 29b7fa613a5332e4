"""Ask GitHub until items are complete: again for what a page spoilt, and for the lists that its items still lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Asked, Page, PageAsked, place_name
from gh_backfill.errors import TooBig
from gh_backfill.models.github import NotFound, Spent, Unknown, Unreadable
from gh_backfill.models.work import Phase, Stream
from gh_backfill.policy.goals import number_wanted
from gh_backfill.policy.items import TRIES, Collector, CompleteItem, FollowUp, Slot
from gh_backfill.policy.packing import Query, next_query
from gh_backfill.policy.query_prices import PULL_REQUESTS, UNITS_OF_ONE_POINT, PagePrice, Prices

Alive = Callable[[], None]
# What was too much for GitHub is come near to again by this part at a time, for each query that fails costs a point.
STEP = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A page as GitHub gave it, its wanted items complete, what could not be read, and what all of it cost.

    `asked` is how many items the page was asked for, `kept` counts its places that the stream is about, and `outside`
    those of them that are not stored, for they are outside of the goal.
    """

    asked: int
    page: Page
    items: tuple[CompleteItem, ...]
    unreadable: tuple[Unreadable, ...]
    kept: int
    spent: Spent
    outside: int = 0

    @property
    def read(self) -> int:
        """Return how many items the page had, readable or not, wanted or not."""
        return len(self.page.slots)

    def wanted(self, stream: Stream) -> int | None:
        """Return how many items GitHub counts of the stream's goal; None where it does not, or all are wanted."""
        page, walks = self.page, stream.phase is Phase.HISTORY
        at_its_end = not walks or (page.next is None and not page.past and not page.stuck)
        of_list = page.total if page.wanted is None else page.wanted
        return number_wanted(stream.goal, of_list=of_list, at_its_end=at_its_end)


class Completion:
    """What items of a kind still lack, asked for many at a time; `take` gives each answer to the one it is for."""

    def __init__(self) -> None:
        self._asked: Mapping[FollowUp, Collector] = {}
        self._units: int | None = None
        self._alone = False

    def next_query(
        self,
        pages: Sequence[Sequence[Collector]],
        prices: Prices,
        *,
        page: int = 0,
        price: PagePrice = PULL_REQUESTS,
        apart: bool = False,
    ) -> Query:
        """Compose the next query for the items of several pages, the oldest first.

        `page` is the most of the next page that may go with it, which costs `price`; `apart` keeps a page from going
        with follow-ups.
        """
        owners = [
            {follow_up: collector for collector in each for follow_up in collector.follow_ups()} for each in pages
        ]
        self._asked = {follow_up: collector for each in reversed(owners) for follow_up, collector in each.items()}
        query = next_query(owners, prices, page=page, units=1 if self._alone else self._units, price=price)
        return replace(query, page=0) if apart and query.follow_ups else query

    def take(self, reply: github.PageAndFollowUps) -> None:
        """Hand out the answers; what was too much once is come near to by an eighth at a time."""
        if self._units is not None and not self._alone:
            self._units += max(1, self._units // STEP)
            self._units = None if self._units >= UNITS_OF_ONE_POINT else self._units
        self._alone = False
        for follow_up, answer in reply.answers:
            self._asked[follow_up].take(follow_up, answer)

    def too_big(self, query: Query) -> None:
        """Ask for half as much next time; one follow-up that is too much asks for less, and is given up in the end.

        It is asked for alone until then; what it made smaller for the others is forgotten.
        """
        if len(query.follow_ups) > 1:
            self._units = max(1, query.units // 2)
            return
        self._units, self._alone = None, True
        for follow_up in query.follow_ups:
            self._asked[follow_up].shrink(follow_up)


def complete(
    graphql: GraphQL, queries: ItemQueries, collectors: Sequence[Collector], alive: Alive = lambda: None
) -> Spent:
    """Ask, many items at a time, for what they lack, until they are complete; returns what it cost."""
    spent, prices = Spent(), Prices()
    completion = Completion()
    while query := completion.next_query([collectors], prices):
        alive()
        try:
            reply = github.ask(graphql, queries, query.follow_ups, points=prices.points(query.counted))
        except TooBig:
            completion.too_big(query)
            continue
        spent += reply.spent
        completion.take(reply)
    return spent


def salvage(
    graphql: GraphQL, queries: ItemQueries, asked: Asked, slots: Sequence[Slot], alive: Alive
) -> tuple[list[Slot], Spent]:
    """Keep the good places of a page, and ask for the others again, alone; those that are gone are left out.

    An item in the place of another one is no answer.  What stays unreadable comes back as such, with its number,
    so that it can be tried again by it.
    """
    places = _once_each(queries, asked, slots)
    spent = Spent()
    for _ in range(TRIES - 1):
        spoilt = [place for place, slot in enumerate(places) if slot.unreadable and (place == 0 or slot.after)]
        if not spoilt:
            break
        alive()
        asked_again = [places[place] for place in spoilt]
        if isinstance(asked, PageAsked):
            fresh, cost = _again(graphql, queries, asked, asked_again)
        else:
            fresh, cost = github.again_by_number(graphql, queries, asked.repository, asked_again)
        spent += cost
        for place, slot in zip(spoilt, fresh, strict=True):
            places[place] = slot
        places = _once_each(queries, asked, places)
    left = [slot for slot in places if slot.item is not None or slot.unreadable]
    known, cost = _identify(graphql, queries, asked, left) if isinstance(asked, PageAsked) else (left, Spent())
    return known, spent + cost


def _again(graphql: GraphQL, queries: ItemQueries, asked: PageAsked, slots: Sequence[Slot]) -> tuple[list[Slot], Spent]:
    """Ask again by the place; if another item has moved there meanwhile, by the number of the one that was there."""
    fresh, spent = github.again(graphql, queries, asked.repository, slots, asked.order, asked.states)
    moved = [place for place, slot in enumerate(slots) if slot.number not in (None, fresh[place].number)]
    if moved:
        numbers = {place: slots[place].number or 0 for place in moved}
        found, cost = github.by_number(graphql, queries, asked.repository, list(numbers.values()))
        spent += cost
        for place, number in numbers.items():
            match found[number]:
                case Slot() as slot:
                    fresh[place] = replace(slot, after=slots[place].after)
                case NotFound():
                    fresh[place] = replace(slots[place], item=None, unreadable=())
                case Unknown():
                    fresh[place] = slots[place]
    return fresh, spent


def _once_each(queries: ItemQueries, asked: Asked, slots: Sequence[Slot]) -> list[Slot]:
    """Return the places with each item once: where it stands again, another item should stand, which was not read."""
    seen: set[int] = set()
    places: list[Slot] = []
    for slot in slots:
        number = slot.number if slot.item is not None else None
        if number in seen:
            reason = f"GitHub lists #{number} here, which stands elsewhere"
            listed = (asked.order, asked.states) if isinstance(asked, PageAsked) else ("CREATED_AT", ())
            place = place_name(slot.after, *listed)
            lost = Unreadable(kind=queries.item, identity=place, reason=reason)
            places.append(Slot(after=slot.after, item=None, unreadable=(lost,)))
        else:
            places.append(slot)
        seen |= set() if number is None else {number}
    return places


def _identify(
    graphql: GraphQL, queries: ItemQueries, asked: PageAsked, slots: Sequence[Slot]
) -> tuple[list[Slot], Spent]:
    spent = Spent()
    known: list[Slot] = []
    for slot in slots:
        placed = slot.after is not None or (asked.after is None and not known)
        if placed and slot.item is None and any(each.number is None for each in slot.unreadable):
            page = github.outline(graphql, queries, replace(asked, first=1, after=slot.after))
            spent += page.spent
            named = [each for place in page.slots for each in place.unreadable]
            lost = tuple(
                replace(each, number=name.number, identity=name.identity)
                for each, name in zip(slot.unreadable, named, strict=False)
            )
            known.append(replace(slot, unreadable=lost or slot.unreadable))
        else:
            known.append(slot)
    return known, spent
