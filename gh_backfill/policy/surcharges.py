"""Surcharges of GitHub beyond our price list, learned from its charges: the least that explains them all.

A charge is rounded, so it tells an interval of units: one point 0 to 149, two points 150 to 249.  Each charge is kept
as such a bound on surcharges that are never negative.  Many explain a first surprise; of those the simplest is
believed, and the others are kept, for the next charge may show that one of them is true.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

SurchargeKind = Literal["query", "ids", "alias", "pull_request", "count", "share"]
KINDS: tuple[SurchargeKind, ...] = get_args(SurchargeKind)
# Explanations are tried in which each of these is charged one unit, beside one surcharge of any size.
_ONE_EACH: tuple[SurchargeKind, ...] = ("ids", "alias", "pull_request", "count")
# The step in which a factor is looked for.
_STEP = 0.1
# How unlikely one unit of a surcharge is: one that adds much to every page is less likely than one that adds a little.
_UNLIKELY: dict[SurchargeKind, float] = {
    "query": 1,
    "ids": 1,
    "alias": 1,
    "pull_request": 2,
    "count": 1,
    "share": 1.5 / _STEP,
}
_TINY = 1e-6
_BELOW = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """What of a query may have a price.

    `units` by the list, lists of `ids` and `aliases` at its root, `pull_requests` of its page, and connections of which
    only the count is asked, times the parents there may be.  `listed` are the ids of reviews in it, which are units.
    """

    units: int = 0
    ids: int = 0
    aliases: int = 0
    pull_requests: int = 0
    counts: int = 0
    listed: int = 0

    def __add__(self, other: Counted) -> Counted:
        """Add what is counted."""
        return Counted(
            units=self.units + other.units,
            ids=self.ids + other.ids,
            aliases=self.aliases + other.aliases,
            pull_requests=self.pull_requests + other.pull_requests,
            counts=self.counts + other.counts,
            listed=self.listed + other.listed,
        )

    def times(self, many: int) -> Counted:
        """Return so many of it."""
        return Counted(
            units=self.units * many,
            ids=self.ids * many,
            aliases=self.aliases * many,
            pull_requests=self.pull_requests * many,
            counts=self.counts * many,
            listed=self.listed * many,
        )

    def of(self, kind: SurchargeKind) -> int:
        """Return how often a surcharge of a kind is charged."""
        match kind:
            case "query":
                return 1
            case "ids":
                return self.ids
            case "alias":
                return self.aliases
            case "pull_request":
                return self.pull_requests
            case "count":
                return self.counts
            case "share":
                return self.units


@dataclass(frozen=True, kw_only=True, slots=True)
class Charge:
    """What GitHub charged for a query, or said in a dry run that it would."""

    counted: Counted
    points: int

    @property
    def least(self) -> float:
        """Return the fewest units that cost so much."""
        return 100.0 * self.points - 50 if self.points > 1 else 0.0

    @property
    def most(self) -> float:
        """Return the most; a charge below the list says nothing but that there is no surcharge."""
        return max(100.0 * self.points + 50, self.counted.units + 1.0) - _BELOW

    def says_no_less_than(self, other: Charge) -> bool:
        """Say whether the other one teaches nothing beside this one."""
        if self.points > 1 or other.points > 1:
            return self == other
        return all(self.counted.of(kind) >= other.counted.of(kind) for kind in KINDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class Surcharges:
    """Units that GitHub charges for a query, and for each thing counted in it; `share` is a part of its list price."""

    query: float = 0
    ids: float = 0
    alias: float = 0
    pull_request: float = 0
    count: float = 0
    share: float = 0

    def __str__(self) -> str:
        """Return them for whoever reads a log, in units."""
        told = [
            f"{amount:.0f} more for each {kind.replace('_', ' ')}"
            for kind in KINDS
            if kind != "share" and (amount := getattr(self, kind))
        ]
        told += [f"{self.share:.1%} more for everything"] if self.share else []
        return ", ".join(told) or "as listed"

    def units(self, counted: Counted) -> float:
        """Return the units of a query by the list and these surcharges."""
        return (
            counted.units * (1 + self.share)
            + self.query
            + self.ids * counted.ids
            + self.alias * counted.aliases
            + self.pull_request * counted.pull_requests
            + self.count * counted.counts
        )

    def explains(self, charge: Charge) -> bool:
        """Say whether a charge is what these surcharges make of it."""
        return charge.least - _TINY <= self.units(charge.counted) <= charge.most + _TINY


NONE = Surcharges()


def explanations(charges: Sequence[Charge]) -> tuple[Surcharges, ...]:
    """Return the surcharges that explain all charges, as few at once as possible, the least first.

    Nothing where no price list of this kind explains them: then prices changed in between.
    """
    if all(NONE.explains(charge) or charge.points < 1 for charge in charges):
        return (NONE,)
    for many in range(3):
        found = dict(_explanations(charges, many))
        if found:
            return tuple(found[rank] for rank in sorted(found))
    return ()


def _explanations(charges: Sequence[Charge], many: int) -> Iterator[tuple[tuple[float, int, int], Surcharges]]:
    """Yield rank and surcharges: `many` of one unit each, and a further one as small as the charges allow."""
    for place, fixed in enumerate(combinations(_ONE_EACH, many)):
        known = replace(NONE, **dict.fromkeys(fixed, 1.0))
        for order, kind in enumerate(KINDS):
            if kind not in fixed and (amount := _least(charges, known, kind)) is not None:
                whole = math.ceil(amount / _STEP - _TINY) * _STEP if kind == "share" else amount
                rank = whole * _UNLIKELY[kind] + sum(_UNLIKELY[each] for each in fixed)
                yield (round(rank, 6), order, place), replace(known, **{kind: amount})


def _least(charges: Sequence[Charge], known: Surcharges, kind: SurchargeKind) -> float | None:
    """Return the smallest surcharge of a kind that explains all charges beside known ones; None where none does."""
    low, high = 0.0, math.inf
    for charge in charges:
        units, times = known.units(charge.counted), charge.counted.of(kind)
        if times:
            low, high = max(low, (charge.least - units) / times), min(high, (charge.most - units) / times)
        elif not charge.least - _TINY <= units <= charge.most + _TINY:
            return None
    step = _STEP if kind == "share" else 1.0
    amount = max(1, math.ceil(low / step - _TINY)) * step
    if kind == "share":
        amount = min(amount, high - _TINY)
    # Whole amounts are exact: a tolerance, times a thousand counts, would admit a point more than was charged.
    tolerance = _TINY if kind == "share" else 0.0
    return amount if low - _TINY <= amount <= high + tolerance and amount > 0 else None
