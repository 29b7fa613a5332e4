"""The contents of the next query: the oldest follow-ups first, and the next page in the room that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.query_prices import MOST_IDS, PULL_REQUESTS, PagePrice, Prices
from gh_backfill.policy.surcharges import Counted

# At most this many pages are completed at the same time.  More would hardly save another point.
PAGES_UNDER_WAY = 4
# Follow-ups wait for a page only if that fills a query by this factor.  Otherwise pages would become small for nothing.
FULLER = 1.05
# A whole page that costs no more units than this is cheap, compared with what its items will lack.
CHEAP_PAGE = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query: follow-ups, and a page of so many items, 0 for none; `price` is what such a page costs."""

    follow_ups: tuple[FollowUp, ...] = ()
    page: int = 0
    price: PagePrice = PULL_REQUESTS

    @property
    def units(self) -> int:
        """Return the units of the follow-ups by the list."""
        return sum(follow_up.units for follow_up in self.follow_ups)

    @property
    def counted(self) -> Counted:
        """Return what of it may have a price."""
        return counted(self.follow_ups) + self.price.of(self.page)

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self.follow_ups) or self.page > 0


def counted(follow_ups: Iterable[FollowUp]) -> Counted:
    """Return what of follow-ups in one query may have a price."""
    basket = _Basket()
    for follow_up in follow_ups:
        basket.add(follow_up)
    return basket.counted


def next_query(
    follow_ups: Iterable[Iterable[FollowUp]],
    prices: Prices,
    *,
    page: int = 0,
    units: int | None = None,
    price: PagePrice = PULL_REQUESTS,
) -> Query:
    """Compose one query: follow-ups, at most `units` of them, and of the next page as much as costs nothing more.

    `follow_ups` come by page, the oldest page first.  Within a page the larger ones go first, so that small ones fill
    what these leave; one larger than a query goes alone.  `page` is the most that may be asked of the next page.  One
    that costs next to nothing has its room first.  Where none of its items, being dear, fits beside so many follow-ups,
    some of these wait if that fills the query better.
    """
    ordered = [
        follow_up
        for of_one_page in follow_ups
        for follow_up in sorted(of_one_page, key=lambda follow_up: -follow_up.units)
    ]
    if not ordered:
        return Query(page=page, price=price)
    cheap = page if price.of(page).units <= CHEAP_PAGE else 0
    query = _filled(ordered, prices, page, units, price, beside=cheap)
    if query.page or not page:
        return query
    other = _filled(ordered, prices, page, units, price, beside=1)
    fuller = prices.units(other.counted) > FULLER * prices.units(query.counted)
    return other if fuller and prices.fits(other.counted) else query


@dataclass(kw_only=True, slots=True)
class _Basket:
    """The follow-ups of a query, and what they cost beside what is in it already."""

    counted: Counted = field(default_factory=Counted)
    follow_ups: list[FollowUp] = field(default_factory=list)
    _units: int = 0
    _listed: Counter[type[FollowUp]] = field(default_factory=Counter)

    def cost(self, follow_up: FollowUp) -> Counted:
        """Return what one more follow-up adds: an id of its list of ids, as long as that is not full, or an alias."""
        once = follow_up.by_ids
        if once is None or self.is_full(follow_up):
            return follow_up.alone + Counted(units=follow_up.units)
        added = Counted(units=follow_up.units, listed=1)
        return added if self._listed[type(follow_up)] else added + once

    def is_full(self, follow_up: FollowUp) -> bool:
        """Say whether the list of ids of a follow-up has no room."""
        return self._listed[type(follow_up)] >= MOST_IDS

    def admits(self, follow_up: FollowUp, prices: Prices, units: int | None) -> bool:
        """Say whether a follow-up fits: within the units, and without another point."""
        return (units is None or self._units + follow_up.units <= units) and prices.fits(
            self.counted + self.cost(follow_up)
        )

    def add(self, follow_up: FollowUp) -> None:
        """Take a follow-up."""
        self.counted += self.cost(follow_up)
        self._units += follow_up.units
        self.follow_ups.append(follow_up)
        if follow_up.by_ids is not None and not self.is_full(follow_up):
            self._listed[type(follow_up)] += 1


def _filled(
    follow_ups: Sequence[FollowUp], prices: Prices, page: int, units: int | None, price: PagePrice, *, beside: int
) -> Query:
    """Take the follow-ups that fit beside so many items of a page, and then as many of these as still fit.

    Where an alias may have a price, ids for which there is no room in their list wait for the next one, if a page can
    use what is left.
    """
    dear = any(surcharges.alias for surcharges in prices.plausible)
    basket = _Basket(counted=price.of(beside))
    later: list[FollowUp] = []
    for follow_up in follow_ups:
        if dear and follow_up.by_ids is not None and basket.is_full(follow_up):
            later.append(follow_up)
        elif not basket.follow_ups or basket.admits(follow_up, prices, units):
            basket.add(follow_up)
    if beside:
        basket.counted = counted(basket.follow_ups)
    size = prices.page_beside(basket.counted, page, price)
    basket.counted += price.of(size)
    for follow_up in later:
        if basket.admits(follow_up, prices, units):
            basket.add(follow_up)
    return Query(follow_ups=tuple(basket.follow_ups), page=size, price=price)
