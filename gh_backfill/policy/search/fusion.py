"""Fusion of two orders into one: reciprocal ranks, which need no scores that can be compared.

Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet", SIGIR 2009: 1 / (60 + rank), added.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

K = 60
# Of each order so many times as many are read as are shown: what stands below in one may stand above in both.
OVER_FETCH = 2
LEAST_FETCHED = 50

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True, kw_only=True, slots=True)
class Fused(Generic[Item]):
    """An item with its score and its place in each order, from 1; None where it is not in it."""

    item: Item
    score: float
    by_words: int | None
    by_vector: int | None


def depth(limit: int) -> int:
    """Return how many of each order are read where so many are shown."""
    return max(LEAST_FETCHED, OVER_FETCH * limit)


def fused(words: Sequence[Item], vectors: Sequence[Item]) -> list[Fused[Item]]:
    """Return all items of two orders, the best first; of equal scores the one that has the better place by words."""
    by_words = {item: place for place, item in enumerate(words, start=1)}
    by_vector = {item: place for place, item in enumerate(vectors, start=1)}
    found = [
        Fused(
            item=item,
            score=sum(1 / (K + order[item]) for order in (by_words, by_vector) if item in order),
            by_words=by_words.get(item),
            by_vector=by_vector.get(item),
        )
        for item in dict.fromkeys([*words, *vectors])
    ]
    last = len(found) + 1
    return sorted(found, key=lambda each: (-each.score, each.by_words or last, each.by_vector or last))
