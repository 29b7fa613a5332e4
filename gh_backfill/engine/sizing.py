"""The size of a walk's next query: by its prices, by what came clean, and by what was too much for GitHub."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from gh_backfill.clients.pages import Asked
from gh_backfill.errors import TooBig
from gh_backfill.policy.chunking import PageSize
from gh_backfill.policy.packing import Query
from gh_backfill.policy.query_prices import LARGEST_FIRST, PagePrice, Prices

log = logging.getLogger(__name__)

TRIES_ALONE = 3
# A page and what goes with it may be too much for GitHub together though not alone.  Then so many queries have one.
QUERIES_APART = 20


@dataclass(kw_only=True, slots=True)
class Sizing:
    """The sizes of one walk's queries.

    `size` is the next page's, `largest` caps a page (None: the price decides), `price` is what a page costs, and
    `prices` are those that GitHub charges as far as they are known.
    """

    size: PageSize
    largest: int | None
    price: PagePrice
    prices: Prices = field(default_factory=Prices)
    _apart: int = 0
    _tries_alone: int = 0

    @property
    def page(self) -> int:
        """Return how many items the next page may have."""
        return max(1, min(self.size.size, self._cheapest()))

    @property
    def apart(self) -> bool:
        """Say whether pages and follow-ups go in queries of their own for now."""
        return self._apart > 0

    def composed(self) -> None:
        """Note that a query was composed."""
        self._apart = max(0, self._apart - 1)

    def came_clean(self, asked: int, *, read: int, seconds: float, left: int) -> None:
        """Learn from a page of `asked` items that came whole, with `read` of them; `left` are still to be read."""
        self._tries_alone = 0
        self.size = self.size.after_clean(asked, read=read, seconds=seconds, largest=self._cheapest(), left=left)

    def was_charged(self, query: Query, charged: int) -> None:
        """Believe what GitHub charged, and plan with it from now on."""
        known = self.prices
        self.prices = known.learned(query.counted, charged)
        if known.believed != self.prices.believed:
            log.info(
                "GitHub charged %s points where %s were expected; planning with its prices: %s",
                charged,
                known.points(query.counted),
                self.prices.believed,
            )

    def keep_apart(self) -> None:
        """Ask for pages and follow-ups apart for a while: together they were too much."""
        self._apart = QUERIES_APART

    def outgrew(self, page: Asked) -> bool:
        """Say whether a page is larger than any that came clean."""
        return page.first > max(1, self.size.worked)

    def was_too_big(self, page: Asked, error: TooBig) -> bool:
        """Make the next page smaller; True where it had one item, which GitHub failed to deliver several times."""
        if page.first > 1:
            self.size = self.size.after_too_big(page.first)
            log.warning("%s; going on with pages of %s", error, self.size.size)
            return False
        self._tries_alone += 1
        if self._tries_alone < TRIES_ALONE:
            return False
        self._tries_alone = 0
        return True

    def _cheapest(self) -> int:
        return self.prices.cheapest_page(self.largest or LARGEST_FIRST, self.price)
