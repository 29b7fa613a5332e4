"""Embedder of any service that speaks OpenAI's `POST /embeddings`.

https://platform.openai.com/docs/api-reference/embeddings/create.  Nothing of an answer is believed before it is whole:
one vector for each text, told by its index, of the right length and of numbers.
"""

from __future__ import annotations

import json
import logging
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
    NoTimeToWait,
    OtherDimensions,
    TextRefused,
)
from gh_backfill.policy.embedding import limits
from gh_backfill.policy.embedding.echo import without_texts
from gh_backfill.policy.embedding.recipe import DIMENSIONS, VectorRecipe
from gh_backfill.policy.embedding.tokens import cut, estimated

log = logging.getLogger(__name__)

MODEL = "text-embedding-3-small"
TRIES = 5
# An answer that can't be stored comes again as it was, most often; who asked for many then asks for fewer.
TRIES_WRONG = 2
# In seconds: whoever waits for so long says so.
LONG_WAIT = 5.0
SECONDS = 60.0
LARGEST = 64 * 2**20
# In seconds: who is told to wait longer than this ends, and says for how long.
LONGEST_WAIT = 90.0
ADDRESS = "check OPENAI_BASE_URL"
# Models that can shorten their vectors; the others are not asked to.
_SHORTEN = ("text-embedding-3", "qwen3-embedding", "nomic-embed-text-v1.5", "embeddinggemma", "jina-embeddings-v3")
_TOO_LONG = ("maximum context", "context length", "too long", "too many tokens", "max_tokens", "too large")
# So many characters of a message are looked at.
LONGEST_WORDS = 600
# A single text that is too long is halved so often.
HALVINGS = 6


@dataclass(kw_only=True)
class OpenAIEmbedder:
    """Asks a service, at most `tries` times for the same; an answer may take `seconds`.

    `sleep` waits between tries and for the service's limits.
    """

    url: str
    key: str | None = field(repr=False)
    model: str = MODEL
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    seconds: float = SECONDS
    tries: int = TRIES
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
        """Ask until the answer is a good one, at most `tries` times."""
        for attempt in range(1, self.tries):
            try:
                return self._once(texts)
            except NoTimeToWait:
                raise  # what it asked for holds, also where there is no time for it
            except EmbedderAway as error:
                pause = max(error.wait, 2.0 ** (attempt - 1))
                if pause > LONGEST_WAIT:
                    raise
                log.warning("%s; it is asked again in %.0f s", error, pause)
                self.sleep(pause)
            except EmbedderWrong:
                if attempt >= TRIES_WRONG:
                    raise
                self.sleep(1.0)
        return self._once(texts)

    def _once(self, texts: Sequence[str]) -> EmbeddedTexts:
        if self._pause > LONGEST_WAIT:
            pause, self._pause = self._pause, 0.0
            raise EmbedderAway(f"{self.model} takes no more for {pause:.0f} s (rate limit)", wait=pause)
        if self._pause:
            pause, self._pause = self._pause, 0.0
            if pause >= LONG_WAIT:
                log.info("%s takes no more for %.0f s (rate limit): they are waited for", self.model, pause)
            self.sleep(pause)
        response = self._sent(texts)
        body = _body(response)
        if self._shortens and _can_not_shorten(response, body):
            self._shortens = False  # the length of what comes is looked at
            response = self._sent(texts)
            body = _body(response)
        if response.status_code // 100 != 2 or _is_refusal(body):
            self._refused(response, body, texts)
        vectors = checked(_in_order(body, len(texts)), texts=len(texts), dimensions=DIMENSIONS)
        tokens = _tokens(body)
        self._pause = limits.before_next(response.headers, tokens or sum(map(estimated, texts)))
        return EmbeddedTexts(each=vectors, tokens=sum(map(estimated, texts)) if tokens is None else tokens)

    def _sent(self, texts: Sequence[str]) -> requests.Response:
        wanted: dict[str, object] = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        if self._shortens:
            wanted["dimensions"] = DIMENSIONS
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

    def _refused(self, response: requests.Response, body: Mapping[str, Any], texts: Sequence[str]) -> Never:
        """Raise what an answer means that is not a good one; some services say the status within the answer."""
        words, kind, within = _told(body)
        status = response.status_code if response.status_code // 100 != 2 else within
        safe = self._line(words, texts)
        said = (f"status {status}" if status else "an error") + (f": {safe}" if safe else "")
        match status:
            case 401 | 403:
                raise EmbedderDenied(f"the embedding service does not accept OPENAI_API_KEY ({said}): replace it")
            case _ if status == 402 or (status in (0, 429) and ("insufficient_quota" in kind or "billing" in kind)):
                raise EmbedderDenied(_no_quota(said))
            case 404:
                raise EmbedderDenied(
                    f"the embedding service has no model {self.model}, or is not at {self.url} ({said}): {ADDRESS} and "
                    "GH_BACKFILL_EMBEDDING_MODEL"
                )
            case code if code >= 500 or code in (0, 408, 409, 429):
                wait = limits.after_refusal(response.headers, self.now()) or 0.0
                what = "takes no more" if code == 429 else "fails"
                asks = f"; it asks to wait {wait:.0f} s" if wait > LONGEST_WAIT else ""
                raise EmbedderAway(f"the embedding service {what} just now ({said}){asks}", wait=wait)
            case 400 | 413 | 422:
                too_long = any(each in words.lower() for each in _TOO_LONG)
                what = "is too long for" if too_long else "is not taken by"
                raise TextRefused(f"a text {what} {self.model} ({said})", too_long=too_long)
        raise EmbedderDenied(f"the embedding service answers with {said}: {ADDRESS}")

    def _line(self, words: str, texts: Sequence[str]) -> str:
        """Return words of the service as a line without our key and our texts, which it might repeat."""
        short = (words.replace(self.key, "<hidden>") if self.key else words)[:LONGEST_WORDS]
        return sense.one_line(without_texts(short, texts))


def _body(response: requests.Response) -> Mapping[str, Any]:
    parsed = sense.parsed(response)
    return parsed if isinstance(parsed, dict) else {}


def _is_refusal(body: Mapping[str, Any]) -> bool:
    """Say whether an answer that calls itself good is an error."""
    return bool(body.get("error")) and not body.get("data")


def _can_not_shorten(response: requests.Response, body: Mapping[str, Any]) -> bool:
    """Say whether it is the number of dimensions that is refused, also where the answer calls itself good."""
    refused = response.status_code in (400, 422) or (response.status_code // 100 == 2 and _is_refusal(body))
    return refused and "dimension" in _told(body)[0].lower()


def _told(body: Mapping[str, Any]) -> tuple[str, str, int]:
    """Return what an answer says of an error: its message, its kind, and the status where that stands in it, else 0."""
    told = body.get("error")
    fields = told if isinstance(told, dict) else {"message": told or body.get("detail") or body.get("message")}
    words, code = fields.get("message"), fields.get("code")
    within = code if type(code) is int and 400 <= code <= 599 else 0
    return words if isinstance(words, str) else "", f"{code} {fields.get('type')}".lower(), within


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
