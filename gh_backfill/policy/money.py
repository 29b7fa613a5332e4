"""Amounts and prices in US dollars, as people read them."""

from __future__ import annotations

# In dollars; an amount that is less is not written as nothing.
LEAST = 0.0001


def amount(dollars: float | None) -> str:
    """Return an amount; None is one that nobody knows."""
    if dollars is None:
        return "unknown"
    if dollars == 0:
        return "$0"
    if 0 < dollars < LEAST:
        return f"less than ${LEAST}"
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def price(dollars: float) -> str:
    """Return what one of something costs, with all its digits, however small it is."""
    return f"${dollars:.10f}".rstrip("0").rstrip(".")
