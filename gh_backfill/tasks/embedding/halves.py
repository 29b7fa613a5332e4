"""Halves of a batch: what is refused, or answered with what can't be stored, is asked for in two, down to one text.

So what is at fault stands alone, and nothing else is kept back by it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gh_backfill.clients.embedders.embedder import Embedder, Vector
from gh_backfill.errors import EmbedderAway, EmbedderError, EmbedderWrong, TextRefused
from gh_backfill.policy.markdown import counted

log = logging.getLogger(__name__)

# Who gives so many answers in a row that are of no use gives no other: texts are refused one by one, while answers
# that can't be stored are not the fault of so many texts.
USELESS, WRONG = 40, 12


@dataclass(kw_only=True)
class Halves:
    """Asks for the vectors of texts, and counts the tokens that were paid."""

    embedder: Embedder
    tokens: int = 0
    _useless: int = 0
    _wrong: int = 0

    def vectors(self, texts: Sequence[str]) -> Iterator[Vector | EmbedderError]:
        """Yield a vector for each text in its order, or why there is none; raises an EmbedderError that is of all."""
        if not texts:
            return
        try:
            made = self.embedder.embed(texts)
        except (TextRefused, EmbedderWrong) as error:
            self._count(error, len(texts))
            if len(texts) == 1:
                yield error
                return
            middle = len(texts) // 2
            yield from self.vectors(texts[:middle])
            yield from self.vectors(texts[middle:])
            return
        self._useless = self._wrong = 0
        self.tokens += made.tokens
        yield from made.each

    def _count(self, error: EmbedderError, texts: int) -> None:
        """Say the first of several in a row that can't be stored; raise EmbedderAway once it is one too many."""
        self._useless += 1
        if isinstance(error, EmbedderWrong):
            self._wrong += 1
            if self._wrong == 1:
                then = "; half of them is asked for, then less" if texts > 1 else ""
                log.warning("an answer for %s is of no use: %s%s", counted(texts, "text"), error, then)
        if self._useless > USELESS or self._wrong > WRONG:
            raise EmbedderAway(f"{self._useless} answers in a row were of no use, the last: {error}") from error
