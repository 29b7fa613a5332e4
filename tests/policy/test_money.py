"""Tests of amounts and prices as people read them."""

from __future__ import annotations

import pytest

from gh_backfill.policy import money


@pytest.mark.parametrize(
    ("amount", "told"),
    [(None, "unknown"), (0, "$0"), (0.00002, "less than $0.0001"), (0.0031, "$0.0031"), (1234.5, "$1,234.50")],
)
def test_what_costs_little_or_nobody_knows_how_much_is_not_told_as_nothing(amount: float | None, told: str) -> None:
    assert money.amount(amount) == told


@pytest.mark.parametrize(("price", "told"), [(0.00005, "$0.00005"), (0.02, "$0.02"), (2, "$2"), (0, "$0")])
def test_a_price_has_all_its_digits(price: float, told: str) -> None:
    assert money.price(price) == told
