"""Tests of what an aggressive backfill is foretold to cost."""

from __future__ import annotations

from gh_backfill.policy.aggressive import outlook
from gh_backfill.policy.aggressive.outlook import CostLine, EmbeddingsOutlook
from gh_backfill.policy.report.costs import CostRates


def costs(price: float | None) -> tuple[CostLine, ...]:
    """Return the four lines for 1,000 items of 300 tokens at a price a million."""
    vectors = EmbeddingsOutlook(items=1_000, tokens=300_000, provider="openai some-model", price=price)
    return outlook.costs(points=20, limit=5_000, embeddings=vectors, rates=CostRates(), seconds=40)


def test_embeddings_cost_their_tokens_beside_what_the_guide_reckons_with() -> None:
    lines = costs(0.02)
    assert lines[-1].text == (
        "OpenAI Embeddings: $0.0060 (1,000 items, about 300,000 tokens by openai some-model at $0.02 a million; "
        "the guide's figures would be $0.0500)"
    )
    assert outlook.total(lines) == "$0.0060"


def test_a_model_whose_price_nobody_knows_is_not_told_as_free() -> None:
    lines = costs(None)
    assert lines[-1].text.startswith("OpenAI Embeddings: unknown (1,000 items")
    assert "GH_BACKFILL_EMBEDDING_PRICE" in lines[-1].text
    assert outlook.total(lines) == "$0 and what is unknown"


def test_a_model_that_runs_here_is_free() -> None:
    lines = costs(0.0)
    assert lines[-1].text.startswith("OpenAI Embeddings: free (")
    assert outlook.total(lines) == "$0"
