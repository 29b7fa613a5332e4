"""Vectors of what is searched for, by whoever makes those that are stored; the last ones are kept."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gh_backfill.clients.embedders.embedder import Embedder
from gh_backfill.clients.embedders.openai import OpenAIEmbedder
from gh_backfill.errors import ConfigurationError, EmbedderAway
from gh_backfill.policy.embedding.recipe import VectorRecipe
from gh_backfill.settings import Settings
from gh_backfill.settings.embedding import EmbeddingProvider
from gh_backfill.tasks.embedding import choosing

# A page that shows itself again asks for the same: nobody pays for that.
MOST_KEPT = 64
# In seconds.  Somebody sits before a search; without an answer it is made by words.
PATIENCE = 5.0
# So long another search waits for the one that asks just now, and so long nobody asks again who gave no answer: each
# search of the pages holds a connection to the database meanwhile.
QUEUE, REST = 2.0, 30.0
# A few words collide with the words of any text among 384 numbers: what has none of them would be found by chance.
NO_MEANING = "the vectors of hashing are made of words, and tell no meaning"


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryVector:
    """The vector of a text as PostgreSQL reads it, and the recipe of those with which it can be compared."""

    vector: str
    recipe: VectorRecipe


@dataclass(kw_only=True)
class QueryVectors:
    """Makes them one at a time, for any number of threads."""

    now: Callable[[], float] = time.monotonic
    _away: tuple[float, str] | None = None
    _embedder: Embedder | None = None
    _kept: OrderedDict[str, QueryVector] = field(default_factory=OrderedDict)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def of(self, settings: Settings, text: str) -> QueryVector:
        """Return the vector of a text; raises EmbedderError, and ConfigurationError where nobody makes one of use."""
        if choosing.provider(settings) is EmbeddingProvider.HASH:
            raise ConfigurationError(NO_MEANING)
        with self._in_turn():
            if (known := self._kept.get(text)) is not None:
                self._kept.move_to_end(text)
                return known
            made = self._made(settings, text)
            self._kept[text] = made
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
            return made

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=QUEUE):
            raise EmbedderAway("other searches are waiting for their vectors just now")
        try:
            yield
        finally:
            self._turn.release()

    def _made(self, settings: Settings, text: str) -> QueryVector:
        if self._away is not None and self.now() < self._away[0]:
            raise EmbedderAway(self._away[1])
        if self._embedder is None:
            self._embedder = _hurried(settings)
        try:
            (vector,) = self._embedder.embed([text], query=True).each
        except EmbedderAway as error:
            self._away = self.now() + (error.wait or REST), str(error)
            raise
        numbers = ",".join(f"{value:.8g}" for value in vector)
        return QueryVector(vector=f"[{numbers}]", recipe=self._embedder.recipe)


def _hurried(settings: Settings) -> Embedder:
    """Return whoever makes vectors; a service is not waited for as long as when it makes many."""
    made = choosing.embedder(settings, sleep=_refuse_to_wait)
    if isinstance(made, OpenAIEmbedder):
        made.seconds, made.tries = PATIENCE, 1
    return made


def _refuse_to_wait(seconds: float) -> None:
    raise EmbedderAway(f"whoever makes the vectors asks to wait {seconds:.0f} s", wait=seconds)
