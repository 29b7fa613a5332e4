"""What goes into the next query: the oldest open questions first, and the next page in the room that is left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gh_backfill.policy.cost import Prices
from gh_backfill.policy.wants import Want

# So many pages may be on their way to completeness at once: more would hardly save another point.
PAGES_UNDER_WAY = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """One query: wants, and a page of so many pull requests; 0 for no page."""

    wants: tuple[Want, ...] = ()
    page: int = 0

    @property
    def units(self) -> int:
        """Return the units of the wants."""
        return sum(want.units for want in self.wants)

    def __bool__(self) -> bool:
        """Say whether there is anything to ask."""
        return bool(self.wants) or self.page > 0


def next_query(wants: Iterable[Iterable[Want]], prices: Prices, *, page: int = 0, units: int) -> Query:
    """Compose one query of at most `units` of wants, and of the next page as much as one point still buys.

    `wants` come by page, the oldest page first; within it the larger ones first, so that small ones fill what these
    leave.  `page` is the most that may be asked of the next page.  A want larger than `units` gets a query without
    others.
    """
    chosen: list[Want] = []
    room = units
    for of_one_page in wants:
        for want in sorted(of_one_page, key=lambda want: -want.units):
            if want.units <= room or not chosen:
                chosen.append(want)
                room -= want.units
    asked = sum(want.units for want in chosen)
    return Query(wants=tuple(chosen), page=min(page, prices.page_beside(asked)) if chosen else page)
