"""The price of a query, before it is sent; and what GitHub's own word teaches where it charges otherwise.

GitHub counts one request for every connection with `first` or `last`, times the parents it is asked for (here: units),
and charges `max(1, round(units / 100))` points:
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from gh_backfill.policy.surcharges import NONE, Charge, Counted, Surcharges, explanations

# The most units that one point buys; two points buy only 100 more.
UNITS_OF_ONE_POINT = 149
LARGEST_FIRST = 100
# GitHub refuses a longer list of ids.
MOST_IDS = 100
# Of pages that cost nearly the same for each pull request, the larger one saves requests.
NEARLY = 1.02
# So many charges are remembered; those that say least beside others go first, then the oldest.
MOST_CHARGES = 30
# No query of ours costs more by any price list that makes sense; whoever says so is not believed.
MOST_POINTS = 500
# Where an edge surprised us, a query stays below it under every explanation that takes so many units at most; after a
# second surprise under more of them.  That caution ends when it has cost about half as much as another surprise would.
CAUTION = (0, 10, 15)
UNITS_OF_CAUTION = 60.0
# And when surcharges have cost so many units, one query tries whether they are still charged.
UNITS_UNTIL_PROBE = 1_500.0


def points(units: float) -> int:
    """Return the price of a query in points; a half counts as a whole one, the dearer reading of GitHub's rule."""
    return max(1, int((units + 50) // 100))


@dataclass(frozen=True, kw_only=True, slots=True)
class PagePrice:
    """What is counted in a page: `once`, whatever its length, and for `each` of its items."""

    once: Counted
    each: Counted

    def of(self, items: int) -> Counted:
        """Return what is counted in a page of so many items, 0 for none."""
        return self.once + self.each.times(items) if items else Counted()


# Each pull request of a page has two lists, its first reviews and first comments.  Of the former the count of comments
# is asked for each review there may be, and seven counts of the pull request.
A_PULL_REQUEST = Counted(units=2, pull_requests=1, counts=7 + LARGEST_FIRST)
UNITS_OF_A_PULL_REQUEST = A_PULL_REQUEST.units
PULL_REQUESTS = PagePrice(once=Counted(units=1), each=A_PULL_REQUEST)
# By numbers there is no list; they come as ids and aliases.
PULL_REQUESTS_BY_NUMBER = PagePrice(once=Counted(ids=1, aliases=2, counts=1), each=A_PULL_REQUEST)


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """What queries cost: by the list, until GitHub's charges say otherwise.

    `charged` are the charges that are remembered, the oldest first, `told` are those of dry runs, which count only as
    long as no real one contradicts.  `plausible` are the surcharges that explain them, the likeliest first.
    `surprises` counts the charges that were dearer than expected, `lost` the units that were left unused since.
    """

    charged: tuple[Charge, ...] = ()
    told: tuple[Charge, ...] = ()
    plausible: tuple[Surcharges, ...] = (NONE,)
    surprises: int = 0
    lost: float = 0.0

    @property
    def believed(self) -> Surcharges:
        """Return the surcharges that we plan with."""
        return self.plausible[0]

    def points(self, counted: Counted) -> int:
        """Return what such a query is expected to cost."""
        return points(self.believed.units(counted))

    def units(self, counted: Counted) -> float:
        """Return the units that such a query may have: with a little caution where an edge surprised us."""
        if self._probes(counted):
            return counted.units
        likely = self.believed.units(counted)
        if len(self.plausible) == 1:
            return likely
        caution = CAUTION[min(self.surprises, len(CAUTION) - 1)] if self.lost < UNITS_OF_CAUTION else 0
        possible = (surcharges.units(counted) for surcharges in self.plausible)
        return max(likely, *(units for units in possible if units <= likely + caution))

    def fits(self, counted: Counted) -> bool:
        """Say whether such a query costs no more than what is best spent on one query: one point, as a rule."""
        return points(self.units(counted)) <= self._best()

    def page_beside(self, follow_ups: Counted, most: int, page: PagePrice = PULL_REQUESTS) -> int:
        """Return how many items of a page, of at most so many, fit into a query beside follow-ups."""
        return next((size for size in range(most, 0, -1) if self.fits(follow_ups + page.of(size))), 0)

    def cheapest_page(self, ceiling: int = LARGEST_FIRST, page: PagePrice = PULL_REQUESTS) -> int:
        """Return the page within `ceiling` that costs least for each item; of nearly equal ones the largest."""
        return _cheapest_page(replace(self, charged=(), told=()), ceiling, page)

    def learned(self, counted: Counted, charged: int) -> Prices:
        """Return the prices that agree with what GitHub charged for a query; what was charged before may have changed.

        The newest charge always counts, older ones as long as they agree with it, and a dry run with all of them.
        """
        if not 1 <= charged <= MOST_POINTS:
            return self
        charge = Charge(counted=counted, points=charged)
        known = _explained(self, _with(self.charged, charge), self.told)
        if charged > self.points(counted):
            return replace(known, surprises=self.surprises + 1, lost=0.0)
        if known.believed != self.believed or self._probes(counted):
            return replace(known, lost=0.0)
        return replace(known, lost=self.lost + self.units(counted) - counted.units)

    def informed(self, counted: Counted, would_charge: int) -> Prices:
        """Return the prices that also agree with what a dry run said, as far as real charges do not contradict it."""
        if not 1 <= would_charge <= MOST_POINTS:
            return self
        return _explained(self, self.charged, _with(self.told, Charge(counted=counted, points=would_charge)))

    def after(self, known: Prices, begun_with: Prices) -> Prices:
        """Return these prices on top of what is known by now, where they began with others: rivals learn, too."""
        fresh = tuple(charge for charge in self.charged if charge not in begun_with.charged)
        charged = known.charged
        for charge in fresh:
            charged = _with(charged, charge)
        told = self.told if self.told != begun_with.told else known.told
        surprises = known.surprises + self.surprises - begun_with.surprises
        return _explained(replace(self, surprises=surprises), charged, told)

    @classmethod
    def remembered(cls, charged: Iterable[Charge], told: Iterable[Charge], surprises: int, lost: float) -> Prices:
        """Return the prices that these charges tell of."""
        return _explained(cls(surprises=surprises, lost=lost), tuple(charged), tuple(told))

    def _probes(self, counted: Counted) -> bool:
        """Say whether it is time to try again whether a query costs what the list says, for a point at most."""
        if self.lost < UNITS_UNTIL_PROBE:
            return False
        return points(self.believed.units(counted)) - points(counted.units) <= 1

    def _best(self) -> int:
        """Return how many points are best spent on one query: more than one where there is a price for each query."""
        once = self.believed.query + self.believed.ids
        return 1 if once <= UNITS_OF_ONE_POINT - 100 else points(UNITS_OF_ONE_POINT + once)


# It is asked for with every query, and what explains the charges seldom changes.
@lru_cache(maxsize=8)
def _cheapest_page(prices: Prices, ceiling: int, page: PagePrice) -> int:
    each = {size: points(prices.units(page.of(size))) / size for size in range(1, max(1, ceiling) + 1)}
    least = min(each.values())
    return max(size for size, cost in each.items() if cost <= least * NEARLY)


def _explained(prices: Prices, charged: tuple[Charge, ...], told: tuple[Charge, ...]) -> Prices:
    """Return the prices with these charges and what explains them; what contradicts newer ones is forgotten."""
    if plausible := explanations(charged + told):
        return replace(prices, charged=charged, told=told, plausible=plausible)
    while charged and not (plausible := explanations(charged)):
        charged = charged[1:]
    return replace(prices, charged=charged, told=(), plausible=plausible or (NONE,))


def _with(charges: tuple[Charge, ...], charge: Charge) -> tuple[Charge, ...]:
    """Add a charge, and forget those that teach nothing beside it, or were for the very same query."""
    kept = tuple(each for each in charges if each.counted != charge.counted and not charge.says_no_less_than(each))
    return (*kept, charge)[-MOST_CHARGES:]


def lists_cost(lists: int, *, of: int) -> int:
    """Return the points of so many lists that are asked for by the ids of what they are of, `of` so many of each.

    GitHub takes a hundred ids in one place of a query: where there is only one list of each, a point buys no more.
    """
    return -(-lists // (UNITS_OF_ONE_POINT if of > 1 else MOST_IDS))
