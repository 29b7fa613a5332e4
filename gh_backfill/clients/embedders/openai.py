"""Embedder of any service that speaks OpenAI's `POST /embeddings`.

https://platform.openai.com/docs/api-reference/embeddings/create.  Nothing of an answer is believed before it is whole:
one vector for each text, told by its index, of the right length and of numbers.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Never

import requests

from gh_backfill.clients import reasons, sense, transport
from gh_backfill.clients.embedders.embedder import EmbeddedTexts, checked
from gh_backfill.errors import (
    EmbedderAway,
    EmbedderDenied,
    EmbedderError,
    EmbedderWrong,
    Misrouted,
    OtherDimensions,
    TextRefused,
)
from gh_backfill.policy.embedding import limits
from gh_backfill.policy.embedding.recipe import DIMENSIONS, VectorRecipe
from gh_backfill.policy.embedding.tokens import cut, estimated

MODEL = "text-embedding-3-small"
TRIES = 5
SECONDS = 60.0
LARGEST = 64 * 2**20
# In seconds: who is told to wait longer than this ends, and says for how long.
LONGEST_WAIT = 90.0
ADDRESS = "check OPENAI_BASE_URL"
# Models that can shorten their vectors; the others are not asked to.
_SHORTEN = ("text-embedding-3", "qwen3-embedding", "nomic-embed-text-v1.5", "embeddinggemma", "jina-embeddings-v3")
_TOO_LONG = ("maximum context", "context length", "too long", "too many tokens", "max_tokens", "too large")
# A single text that is too long is halved so often.
HALVINGS = 6


@dataclass(kw_only=True)
class OpenAIEmbedder:
    """Asks a service; `sleep` waits between tries and for its limits, `seconds` is how long an answer may take."""

    url: str
    key: str | None = field(repr=False)
    model: str = MODEL
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: float = SECONDS
    _pause: float = field(default=0.0, init=False)
    _shortens: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._shortens = any(name in self.model.lower() for name in _SHORTEN)

    @property
    def recipe(self) -> VectorRecipe:
        """Return what decides about its vectors; where the service is does not."""
        return VectorRecipe(provider="openai", model=self.model)

    def count(self, text: str) -> int:
        """Return an estimate of the tokens that are read."""
        return min(estimated(text), self.recipe.tokens)

    def embed(self, texts: Sequence[str], *, query: bool = False) -> EmbeddedTexts:
        """Return the vector of each text, after waiting for the service's limits."""
        if not texts:
            return EmbeddedTexts(each=[], tokens=0)
        sent = [cut(text, self.recipe.tokens) for text in texts]
        for _ in range(HALVINGS):
            try:
                return self._asked(sent)
            except TextRefused as error:
                if not error.too_long or len(sent) > 1 or len(sent[0]) < 2:
                    raise
                sent = [sent[0][: len(sent[0]) // 2]]
        return self._asked(sent)

    def preflight(self) -> None:
        """Ask for the vector of one word."""
        try:
            self._asked(["preflight"])
        except OtherDimensions as error:
            raise EmbedderDenied(
                f"{self.model} does not fit: {error}: the database keeps {DIMENSIONS} dimensions; choose another model "
                "with GH_BACKFILL_EMBEDDING_MODEL"
            ) from error
        except TextRefused as error:
            raise EmbedderDenied(f"{error}: check GH_BACKFILL_EMBEDDING_MODEL") from error

    def _asked(self, texts: Sequence[str]) -> EmbeddedTexts:
        """Ask until the answer is a good one, at most `TRIES` times."""
        for attempt in range(1, TRIES):
            try:
                return self._once(texts)
            except EmbedderAway as error:
                pause = max(error.wait, 2.0 ** (attempt - 1))
                if pause > LONGEST_WAIT:
                    raise
                self.sleep(pause)
            except EmbedderWrong:
                self.sleep(1.0)
        return self._once(texts)

    def _once(self, texts: Sequence[str]) -> EmbeddedTexts:
        if self._pause > LONGEST_WAIT:
            pause, self._pause = self._pause, 0.0
            raise EmbedderAway(f"{self.model} takes no more for {pause:.0f} s (rate limit)", wait=pause)
        if self._pause:
            self.sleep(self._pause)
            self._pause = 0.0
        response = self._sent({"model": self.model, "input": list(texts), "encoding_format": "float"})
        parsed = sense.parsed(response)
        body = parsed if isinstance(parsed, dict) else {}
        if response.status_code // 100 != 2:
            self._refused(response, body)
        vectors = checked(_in_order(body, len(texts)), texts=len(texts), dimensions=DIMENSIONS)
        tokens = _tokens(body)
        self._pause = limits.before_next(response.headers, tokens or sum(map(estimated, texts)))
        return EmbeddedTexts(each=vectors, tokens=sum(map(estimated, texts)) if tokens is None else tokens)

    def _sent(self, wanted: Mapping[str, object]) -> requests.Response:
        if self._shortens:
            wanted = {**wanted, "dimensions": DIMENSIONS}
        headers = {"Content-Type": "application/json"}
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        with transport.session(deadline=self.seconds, largest=LARGEST) as session:
            try:
                return session.post(
                    f"{self.url}/embeddings",
                    data=json.dumps(wanted).encode(),
                    headers=headers,
                    timeout=self.seconds,
                    allow_redirects=False,
                )
            except Exception as error:  # noqa: BLE001  (one boundary for all that a library may throw)
                raise _of_the_way(error, self.url) from None

    def _refused(self, response: requests.Response, body: Mapping[str, Any]) -> Never:
        """Raise what an answer means that is not a good one."""
        told = body.get("error")
        fields = told if isinstance(told, dict) else {"message": told or body.get("detail") or body.get("message")}
        words = self._line(fields.get("message"))
        kind = f"{fields.get('code')} {fields.get('type')}".lower()
        said = f"status {response.status_code}" + (f": {words}" if words else "")
        match response.status_code:
            case 401 | 403:
                raise EmbedderDenied(f"the embedding service does not accept OPENAI_API_KEY ({said}): replace it")
            case 402 | 429 if response.status_code == 402 or "insufficient_quota" in kind or "billing" in kind:
                raise EmbedderDenied(_no_quota(said))
            case 404:
                raise EmbedderDenied(
                    f"the embedding service has no model {self.model}, or is not at {self.url} ({said}): {ADDRESS} and "
                    "GH_BACKFILL_EMBEDDING_MODEL"
                )
            case code if code >= 500 or code in (408, 409, 429):
                wait = limits.after_refusal(response.headers, self.now()) or 0.0
                what = "takes no more" if code == 429 else "fails"
                asks = f"; it asks to wait {wait:.0f} s" if wait > LONGEST_WAIT else ""
                raise EmbedderAway(f"the embedding service {what} just now ({said}){asks}", wait=wait)
            case 400 | 413 | 422:
                raise self._not_taken(words.lower(), said)
        raise EmbedderDenied(f"the embedding service answers with {said}: {ADDRESS}")

    def _not_taken(self, words: str, said: str) -> EmbedderError:
        """Return the error for a request that is at fault itself: what it asks of the model, or one of its texts."""
        if self._shortens and "dimension" in words:
            self._shortens = False  # the length of what comes is looked at
            return EmbedderWrong(f"{self.model} can't shorten its vectors ({said})")
        too_long = any(each in words for each in _TOO_LONG)
        what = "is too long for" if too_long else "is not taken by"
        return TextRefused(f"a text {what} {self.model} ({said})", too_long=too_long)

    def _line(self, value: object) -> str:
        """Return a text of the service as a line without our key, which it might repeat; empty for what is no text."""
        if not isinstance(value, str):
            return ""
        return sense.one_line(value.replace(self.key, "<hidden>") if self.key else value)


def _in_order(body: Mapping[str, Any], texts: int) -> list[list[float]]:
    """Return the vectors of an answer by their index; raises EmbedderWrong where it is not one for each text."""
    try:
        found = {sense.count(each["index"]): [float(value) for value in each["embedding"]] for each in body["data"]}
        told = len(body["data"])
    except sense.UNREADABLE:
        raise EmbedderWrong(f"the answer is none with vectors: {ADDRESS}") from None
    if told != texts or found.keys() != set(range(texts)):
        raise EmbedderWrong(f"{told} vectors came for {texts} texts, or not one for each")
    return [found[place] for place in range(texts)]


def _tokens(body: Mapping[str, Any]) -> int | None:
    try:
        return sense.count(body["usage"]["total_tokens"])
    except sense.UNREADABLE:
        return None


def _no_quota(said: str) -> str:
    return (
        f"the quota of OPENAI_API_KEY is used up ({said}): add credit or wait for the next month, then the same "
        "command goes on where it was"
    )


def _of_the_way(error: Exception, url: str) -> EmbedderError:
    """Return our error for what a library raised when it sent a request."""
    words = reasons.in_words(error, url, setting=ADDRESS)
    if isinstance(reasons.of(error, url), Misrouted):
        return EmbedderDenied(f"the embedding service can't be reached: {words}")
    return EmbedderAway(f"the embedding service can't be reached: {words}; {ADDRESS}, or try again later")
