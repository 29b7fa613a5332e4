"""VectorRecipe of a vector: who makes it, with which model, and how; and the hashes by which a vector tells its own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from gh_backfill.policy.embedding.text import VERSION

# As many numbers as the columns of existing installations keep.
DIMENSIONS = 384
# Of a text so many tokens are embedded; more lose nothing on real texts and take twice the time.
TOKENS = 128
FINGERPRINT = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorRecipe:
    """What must be the same for two vectors to be comparable; `prefix` goes before each text that is stored."""

    provider: str
    model: str
    dimensions: int = DIMENSIONS
    prefix: str = ""
    tokens: int = TOKENS
    version: int = VERSION

    @property
    def fingerprint(self) -> str:
        """Return 16 characters that stand for all of it, with which the hash of each of its vectors begins."""
        parts = [self.provider, self.model, self.dimensions, self.prefix, self.tokens, self.version]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:FINGERPRINT]

    def content_hash(self, text: str) -> str:
        """Return what is stored beside the vector of a prepared text: the fingerprint, and what stands for the text."""
        return self.fingerprint + hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:48]
