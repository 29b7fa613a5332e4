"""What a query costs, before it is sent; and what GitHub's own word teaches where it charges otherwise.

GitHub counts one request for every connection with `first` or `last`, times the parents it is asked for (here: units),
and charges `max(1, round(units / 100))` points:
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# The most units that one point buys; two points buy only 100 more.
UNITS_OF_ONE_POINT = 149
LARGEST_FIRST = 100
# The list of a page's pull requests, and the two lists of each: first reviews and first comments.
UNITS_OF_A_PAGE = 1
UNITS_OF_A_PULL_REQUEST = 2
# Of pages that cost nearly the same for each pull request, the larger one saves requests.
NEARLY = 1.05


def points(units: float) -> int:
    """Return the price of a query in points; halves are taken as rounded up, the dearer reading."""
    return max(1, int((units + 50) // 100))


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What pull requests of a page and wants cost: by the list, until GitHub's answers say otherwise.

    `pull_request` are the units of each pull request of a page; `want` is what GitHub charges for a unit of a want.
    `page_seen` and `wants_seen` are the sizes of the queries that taught them.
    """

    pull_request: float = UNITS_OF_A_PULL_REQUEST
    want: float = 1.0
    page_seen: int = 0
    wants_seen: int = 0

    def units(self, page: int, wants: int) -> float:
        """Return the units of a query with a page of so many pull requests (0: none) and so many units of wants."""
        of_page = UNITS_OF_A_PAGE + self.pull_request * page if page else 0
        return of_page + self.want * wants

    def points(self, page: int, wants: int) -> int:
        """Return what such a query costs."""
        return points(self.units(page, wants))

    def wants_of_one_point(self) -> int:
        """Return how many units of wants one point buys."""
        return max(1, int(UNITS_OF_ONE_POINT / self.want))

    def page_beside(self, wants: int) -> int:
        """Return how many pull requests fit into one point beside so many units of wants."""
        return max(0, int((UNITS_OF_ONE_POINT - UNITS_OF_A_PAGE - self.want * wants) / self.pull_request))

    def cheapest_page(self, ceiling: int = LARGEST_FIRST) -> int:
        """Return the page within `ceiling` that costs least for each pull request; of nearly equal ones the largest."""
        sizes = range(1, max(1, ceiling) + 1)
        least = min(self.points(size, 0) / size for size in sizes)
        return max(size for size in sizes if self.points(size, 0) / size <= least * NEARLY)

    def learned(self, page: int, wants: int, charged: int) -> Prices:
        """Return the prices that agree with what GitHub charged for a query; the same ones where these do.

        Where a page was in it, the page is what costs otherwise: its lists are nested, a want's hardly are.  A price is
        rounded to points, so a small query teaches nothing where a larger one did.
        """
        if charged == self.points(page, wants):
            return self
        units = 100.0 * charged
        if page and page >= self.page_seen / 2:
            each = (units - UNITS_OF_A_PAGE - self.want * wants) / page
            return replace(self, pull_request=max(each, UNITS_OF_A_PULL_REQUEST / 2), page_seen=page)
        if not page and wants >= self.wants_seen / 2:
            return replace(self, want=max(units / wants, 0.5), wants_seen=wants)
        return self
