"""What tokens cost: the price list, what is given in its place, and the guide's own figures to compare."""

from __future__ import annotations

import pytest

from gh_backfill.policy.embedding import prices


@pytest.mark.parametrize(
    ("provider", "model", "given", "million"),
    [
        ("openai", "text-embedding-3-small", None, 0.02),
        ("openai", "text-embedding-3-small", 0.5, 0.5),
        ("openai", "text-embedding-3-small", 0.0, 0.0),
        ("openai", "a-model-of-somebody", None, None),
        ("openai", "a-model-of-somebody", 0.3, 0.3),
        ("local", "all-minilm-l6-v2@1234", None, 0.0),
        ("hash", "blake2b", None, 0.0),
    ],
)
def test_a_million_tokens_cost_what_is_given_else_what_is_listed_and_nothing_here(
    provider: str, model: str, given: float | None, million: float | None
) -> None:
    assert prices.price(provider, model, given) == million


def test_what_nobody_knows_the_price_of_has_no_cost() -> None:
    assert prices.cost(1_000, None) is None
    assert prices.cost(1_500_000, 0.02) == pytest.approx(0.03)


def test_the_guide_counts_five_cents_for_a_thousand_items() -> None:
    assert prices.by_the_guide(1_000) == pytest.approx(0.05)
