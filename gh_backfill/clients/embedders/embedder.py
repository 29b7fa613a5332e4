"""Embedders: what each promises, whoever it is, and the checks that no vector passes unless it can be stored."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gh_backfill.errors import EmbedderWrong, OtherDimensions
from gh_backfill.policy.embedding.recipe import VectorRecipe

Vector = Sequence[float]


@dataclass(frozen=True, kw_only=True, slots=True)
class EmbeddedTexts:
    """The vectors of texts, in their order and each of length one, and how many tokens that took."""

    each: Sequence[Vector]
    tokens: int


class Embedder(Protocol):
    """Makes vectors; none of two threads at once.

    `recipe` says what of it decides about a vector.  All raise an EmbedderError.
    """

    @property
    def recipe(self) -> VectorRecipe:
        """Return what must be the same for two vectors to be comparable."""
        ...

    def count(self, text: str) -> int:
        """Return how many tokens of a text are read; an estimate where the tokenizer is not here."""
        ...

    def embed(self, texts: Sequence[str], *, query: bool = False) -> EmbeddedTexts:
        """Return the vector of each text; what looks for others is a `query`, which some models want to be told."""
        ...

    def preflight(self) -> None:
        """Find out with one short text whether it works: its key, its model, its number of dimensions."""
        ...


def checked(vectors: Sequence[Vector], *, texts: int, dimensions: int) -> list[list[float]]:
    """Return vectors of length one; raises EmbedderWrong where one of them is missing or can't be compared."""
    if len(vectors) != texts:
        raise EmbedderWrong(f"{len(vectors)} vectors came for {texts} texts")
    return [_of_length_one(vector, dimensions) for vector in vectors]


def _of_length_one(vector: Vector, dimensions: int) -> list[float]:
    if len(vector) != dimensions:
        raise OtherDimensions(f"a vector has {len(vector)} dimensions in place of {dimensions}")
    if not all(math.isfinite(value) for value in vector):
        raise EmbedderWrong("a vector holds what is no number")
    length = math.sqrt(math.fsum(value * value for value in vector))
    if not math.isfinite(length) or length < 1e-9:
        raise EmbedderWrong("a vector is zero, or beyond all bounds")
    return [value / length for value in vector]
