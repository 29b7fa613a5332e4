"""Prices of tokens, in US dollars for a million, and what the guide counts with.

https://platform.openai.com/docs/pricing (2026).  What they charge may change: GH_BACKFILL_EMBEDDING_PRICE overrules.
"""

from __future__ import annotations

PRICES = {"text-embedding-3-small": 0.02, "text-embedding-3-large": 0.13, "text-embedding-ada-002": 0.10}
# Providers that run here.
FREE = frozenset({"local", "hash"})
# What the guide reckons with, to compare: US dollars a million tokens, and tokens an item.
GUIDE_PRICE = 0.10
GUIDE_TOKENS = 500
MILLION = 1_000_000


def price(provider: str, model: str, given: float | None = None) -> float | None:
    """Return what a million tokens costs; None where nobody knows."""
    if given is not None:
        return given
    return 0.0 if provider in FREE else PRICES.get(model)


def cost(tokens: int, million: float | None) -> float | None:
    """Return what so many tokens cost; None where nobody knows."""
    return None if million is None else tokens * million / MILLION


def by_the_guide(items: int) -> float:
    """Return what the guide estimates for so many items."""
    return items * GUIDE_TOKENS * GUIDE_PRICE / MILLION
