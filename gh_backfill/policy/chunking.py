"""How many pull requests to ask for in one page."""

from __future__ import annotations

from gh_backfill.models import Budget
from gh_backfill.policy.cost import cheapest_page

FIRST_PAGE = 25
SMALLEST_FIRST_PAGE = 5
LOW_BUDGET = 0.2
COMPLEX = 100
QUICK_SECONDS = 3.0
LONGEST_SECONDS = 6.0
GROWTH = 3
# A size that was too big is tried again after so many pages: at most one point in twenty is lost to it.
PAGES_UNTIL_PROBE = 20


def first_page(total: int, *, complexity: float | None = None, budget: Budget | None = None) -> int:
    """Choose the first page of a repository by the customer's table (PRD 2.2).

    `total` counts its pull requests, `complexity` is their mean size where it is known.  Later pages follow
    `next_page`; the table only decides how carefully to begin.
    """
    size = FIRST_PAGE
    for above, smaller in ((10_000, 10), (5_000, 15), (1_000, 20)):
        if total > above:
            size = smaller
            break
    if budget is not None and budget.remaining < budget.limit * LOW_BUDGET:
        size = max(SMALLEST_FIRST_PAGE, size // 2)
    if complexity is not None and complexity > COMPLEX:
        size = max(SMALLEST_FIRST_PAGE, int(size * 0.7))
    return size


def next_page(size: int, *, seconds: float, read: int, ceiling: int | None = None, too_big: int | None = None) -> int:
    """Choose the page after one of `size` that came clean, with `read` items, in `seconds`.

    Up to the largest page of one point the price is the same, so the page grows towards it as long as answers are
    quick; it never grows past a time that GitHub's limit of 10 seconds makes risky.  `too_big` is the smallest size
    that failed lately: the page closes in on it by halves, and stays where they are within a tenth of each other.
    """
    largest = cheapest_page() if ceiling is None else cheapest_page(ceiling)
    if seconds > QUICK_SECONDS or read < size:
        return min(size, largest)
    affordable = int(size * LONGEST_SECONDS / seconds) if seconds > 0 else largest
    wanted = max(min(size, largest), min(largest, size * GROWTH, affordable))
    if too_big is None or wanted < too_big:
        return wanted
    close = too_big - size <= max(1, too_big // 10)
    return min(size, largest) if close else min(wanted, (size + too_big) // 2)


def after_too_big(size: int) -> int:
    """Halve a page that timed out or met a resource limit; one pull request is the least."""
    return max(1, size // 2)
