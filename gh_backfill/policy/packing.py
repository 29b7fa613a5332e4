"""What goes into the next query: the oldest open questions first, and the next page in the room that is left."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

from gh_backfill.policy import query_prices
from gh_backfill.policy.pull_requests.follow_ups import FollowUp, MoreReviews, by_id
from gh_backfill.policy.query_prices import A_PAGE, LARGEST_FIRST, Prices
from gh_backfill.policy.surcharges import Counted

# So many pages may be on their way to completeness at once: more would hardly save another point.
PAGES_UNDER_WAY = 4
# GitHub refuses a longer list of ids.
MOST_IDS = 100
# Wants wait for a page only where a query is so much fuller then; else pages would be small for nothing.
FULLER = 1.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query: wants, and a page of so many pull requests, 0 for none; `by` is what a page has beside them."""

    wants: tuple[FollowUp, ...] = ()
    page: int = 0
    by: Counted = A_PAGE

    @property
    def units(self) -> int:
        """Return the units of the wants by the list."""
        return sum(want.units for want in self.wants)

    @property
    def counted(self) -> Counted:
        """Return what of it may have a price."""
        return reduce(_with, self.wants, query_prices.page(self.page, self.by))

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self.wants) or self.page > 0


def next_query(
    wants: Iterable[Iterable[FollowUp]],
    prices: Prices,
    *,
    page: int = 0,
    units: int | None = None,
    by: Counted = A_PAGE,
) -> Query:
    """Compose one query: wants, at most `units` of them, and of the next page as much as costs nothing more.

    `wants` come by page, the oldest page first; within it the larger ones first, so that small ones fill what these
    leave.  `page` is the most that may be asked of the next page.  A want larger than a query gets one without others.
    Where pull requests are so dear that none fits beside so many wants, some wants wait if that fills the query better.
    """
    ordered = [want for of_one_page in wants for want in sorted(of_one_page, key=lambda want: -want.units)]
    if not ordered:
        return Query(page=page, by=by)
    query = _filled(ordered, prices, page, units, by, beside=0)
    if query.page or not page:
        return query
    other = _filled(ordered, prices, page, units, by, beside=1)
    fuller = prices.units(other.counted) > FULLER * prices.units(query.counted)
    return other if fuller and prices.fits(other.counted) else query


def _filled(
    wants: Sequence[FollowUp], prices: Prices, page: int, units: int | None, by: Counted, *, beside: int
) -> Query:
    """Take the wants that fit beside so many pull requests, and then as many of these as still fit.

    Where an alias may have a price, ids for which there is no room in the list wait for the next one, if a page can use
    what is left.
    """
    dear = any(surcharges.alias for surcharges in prices.plausible)
    chosen: list[FollowUp] = []
    later: list[FollowUp] = []
    counted = query_prices.page(beside, by)
    for want in wants:
        if dear and by_id(want) and counted.listed >= MOST_IDS:
            later.append(want)
        elif not chosen or _fits(want, chosen, counted, prices, units):
            chosen.append(want)
            counted = _with(counted, want)
    if beside:
        counted = Query(wants=tuple(chosen)).counted
    size = prices.page_beside(counted, page, by)
    counted += query_prices.page(size, by)
    for want in later:
        if _fits(want, chosen, counted, prices, units):
            chosen.append(want)
            counted = _with(counted, want)
    return Query(wants=tuple(chosen), page=size, by=by)


def _fits(want: FollowUp, chosen: Sequence[FollowUp], counted: Counted, prices: Prices, units: int | None) -> bool:
    room = units is None or sum(each.units for each in chosen) + want.units <= units
    return room and prices.fits(_with(counted, want))


def _with(counted: Counted, want: FollowUp) -> Counted:
    """Count one more want: as an id of the list of ids, as long as that is not full, or under an alias."""
    if by_id(want) and counted.listed < MOST_IDS:
        return counted + Counted(units=want.units, ids=0 if counted.listed else 1, listed=1)
    counts = LARGEST_FIRST if isinstance(want, MoreReviews) else 0
    return counted + Counted(units=want.units, aliases=1, counts=counts)
