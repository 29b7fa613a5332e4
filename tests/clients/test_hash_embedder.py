"""Hashing vectors: the same on every machine and in every process, each of length one, alike where words are shared."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.policy.embedding.recipe import DIMENSIONS, TOKENS

ROOT = Path(__file__).parents[2]
PRINTED = """
from gh_backfill.clients.embedders.hashing import HashEmbedder
print(HashEmbedder().embed(["one text of some words"]).each[0])
"""


def alike(one: str, other: str) -> float:
    first, second = HashEmbedder().embed([one, other]).each
    return math.fsum(a * b for a, b in zip(first, second, strict=True))


def test_another_process_with_another_seed_makes_the_same_vectors() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", PRINTED],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {str(HashEmbedder().embed(["one text of some words"]).each[0])}


@given(st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=5))
def test_whatever_the_text_is_its_vector_can_be_compared_and_does_not_depend_on_the_others(texts: list[str]) -> None:
    together = HashEmbedder().embed(texts).each
    for text, vector in zip(texts, together, strict=True):
        assert len(vector) == DIMENSIONS
        assert math.isclose(math.hypot(*vector), 1)
        assert vector == HashEmbedder().embed([text]).each[0]


def test_texts_that_share_words_are_more_alike_than_others_and_order_counts() -> None:
    text = "the worker loses its claim"
    assert alike(text, text) == pytest.approx(1)
    assert alike(text, "a worker loses its claim") > 0.5 > alike(text, "stars are counted every night")
    assert alike(text, "its claim loses the worker") < 1


def test_only_so_much_of_a_text_is_read_as_of_other_providers() -> None:
    text = " ".join(f"w{n}" for n in range(1_000))
    assert alike(text, f"{text} and more") == pytest.approx(1)
    assert HashEmbedder().embed([text]).tokens == TOKENS
