"""Hashing vectors: each word, and each pair of words, adds to one of 384 numbers.  For tests and dry runs.

It is deterministic and needs nothing.  Texts that share words are alike, paraphrases are not: a real model finds twice
as much.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise

from gh_backfill.clients.embedders.embedder import EmbeddedTexts, checked
from gh_backfill.policy.embedding.recipe import DIMENSIONS, VectorRecipe
from gh_backfill.policy.embedding.tokens import cut, estimated

_WORDS = re.compile(r"\w+")


class HashEmbedder:
    """Makes vectors without a model."""

    recipe = VectorRecipe(provider="hash", model="blake2b")

    def count(self, text: str) -> int:
        """Return the estimate of `tokens`."""
        return min(estimated(text), self.recipe.tokens)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> EmbeddedTexts:
        """Return the vector of each text."""
        vectors = [_vector(cut(text, self.recipe.tokens)) for text in texts]
        made = checked(vectors, texts=len(texts), dimensions=DIMENSIONS)
        return EmbeddedTexts(each=made, tokens=sum(map(self.count, texts)))

    def preflight(self) -> None:
        """Do nothing: it always works."""


def _vector(text: str) -> list[float]:
    words = _WORDS.findall(text.lower()) or [text]
    vector = [0.0] * DIMENSIONS
    for weight, pieces in ((1.0, words), (0.5, [" ".join(pair) for pair in pairwise(words)])):
        for piece in pieces:
            digest = int.from_bytes(hashlib.blake2b(piece.encode(errors="surrogatepass"), digest_size=8).digest())
            vector[digest % DIMENSIONS] += weight if digest >> 63 else -weight
    if not any(vector):  # all of it cancelled out
        vector[0] = 1.0
    return vector
