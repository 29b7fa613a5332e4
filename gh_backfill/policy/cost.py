"""What a query costs, before it is sent.

GitHub counts one request for every connection with `first` or `last`, times the parents it is asked for (here: units),
and charges `max(1, round(units / 100))` points:
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

# The most units that one point buys; two points buy only 100 more.
UNITS_OF_ONE_POINT = 149
LARGEST_FIRST = 100


def points(units: int) -> int:
    """Return the price of a query in points; halves are taken as rounded up, the dearer reading."""
    return max(1, (units + 50) // 100)


def page_units(first: int) -> int:
    """Return the units of a page of `first` pull requests, each with its first reviews and first comments."""
    return 1 + 2 * first


def cheapest_page(ceiling: int = LARGEST_FIRST) -> int:
    """Return the largest page that one point buys, within `ceiling`."""
    return max(1, min(ceiling, (UNITS_OF_ONE_POINT - 1) // 2))
