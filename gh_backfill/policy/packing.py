"""What goes into the next query: the oldest open questions first, and the next page in the room that is left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.query_prices import MOST_IDS, PULL_REQUESTS, PagePrice, Prices
from gh_backfill.policy.surcharges import Counted

# So many pages may be on their way to completeness at once: more would hardly save another point.
PAGES_UNDER_WAY = 4
# Wants wait for a page only where a query is so much fuller then; else pages would be small for nothing.
FULLER = 1.05
# So many units for a whole page are little beside what its items will lack.
CHEAP_PAGE = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query: wants, and a page of so many items, 0 for none; `price` is what such a page costs."""

    wants: tuple[FollowUp, ...] = ()
    page: int = 0
    price: PagePrice = PULL_REQUESTS

    @property
    def units(self) -> int:
        """Return the units of the wants by the list."""
        return sum(want.units for want in self.wants)

    @property
    def counted(self) -> Counted:
        """Return what of it may have a price."""
        return counted(self.wants) + self.price.of(self.page)

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self.wants) or self.page > 0


def counted(wants: Iterable[FollowUp]) -> Counted:
    """Return what of wants in one query may have a price."""
    basket = _Basket()
    for want in wants:
        basket.add(want)
    return basket.counted


def next_query(
    wants: Iterable[Iterable[FollowUp]],
    prices: Prices,
    *,
    page: int = 0,
    units: int | None = None,
    price: PagePrice = PULL_REQUESTS,
) -> Query:
    """Compose one query: wants, at most `units` of them, and of the next page as much as costs nothing more.

    `wants` come by page, the oldest page first; within it the larger ones first, so that small ones fill what these
    leave.  `page` is the most that may be asked of the next page.  A want larger than a query gets one without others.
    A page that costs next to nothing has its room first: the next ones wait for it.  Where the items of a page are so
    dear that none fits beside so many wants, some wants wait if that fills the query better.
    """
    ordered = [want for of_one_page in wants for want in sorted(of_one_page, key=lambda want: -want.units)]
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
    """The wants of a query, and what they cost beside what is in it already."""

    counted: Counted = field(default_factory=Counted)
    wants: list[FollowUp] = field(default_factory=list)
    _units: int = 0
    _listed: Counter[type[FollowUp]] = field(default_factory=Counter)

    def cost(self, want: FollowUp) -> Counted:
        """Return what one more want adds: an id of its list of ids, as long as that is not full, or an alias."""
        once = want.by_ids
        if once is None or self.is_full(want):
            return want.alone + Counted(units=want.units)
        added = Counted(units=want.units, listed=1)
        return added if self._listed[type(want)] else added + once

    def is_full(self, want: FollowUp) -> bool:
        """Say whether the list of ids of a want has no room."""
        return self._listed[type(want)] >= MOST_IDS

    def admits(self, want: FollowUp, prices: Prices, units: int | None) -> bool:
        """Say whether a want fits: within the units, and without another point."""
        return (units is None or self._units + want.units <= units) and prices.fits(self.counted + self.cost(want))

    def add(self, want: FollowUp) -> None:
        """Take a want."""
        self.counted += self.cost(want)
        self._units += want.units
        self.wants.append(want)
        if want.by_ids is not None and not self.is_full(want):
            self._listed[type(want)] += 1


def _filled(
    wants: Sequence[FollowUp], prices: Prices, page: int, units: int | None, price: PagePrice, *, beside: int
) -> Query:
    """Take the wants that fit beside so many items of a page, and then as many of these as still fit.

    Where an alias may have a price, ids for which there is no room in their list wait for the next one, if a page can
    use what is left.
    """
    dear = any(surcharges.alias for surcharges in prices.plausible)
    basket = _Basket(counted=price.of(beside))
    later: list[FollowUp] = []
    for want in wants:
        if dear and want.by_ids is not None and basket.is_full(want):
            later.append(want)
        elif not basket.wants or basket.admits(want, prices, units):
            basket.add(want)
    if beside:
        basket.counted = counted(basket.wants)
    size = prices.page_beside(basket.counted, page, price)
    basket.counted += price.of(size)
    for want in later:
        if basket.admits(want, prices, units):
            basket.add(want)
    return Query(wants=tuple(basket.wants), page=size, price=price)
