"""Choose who makes vectors by the settings; where nobody can, one sentence says what to set."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from gh_backfill.clients.embedders.embedder import Embedder
from gh_backfill.clients.embedders.hashing import HashEmbedder
from gh_backfill.clients.embedders.openai import MODEL, OpenAIEmbedder
from gh_backfill.errors import ConfigurationError, NoTimeToWait
from gh_backfill.policy.embedding import prices
from gh_backfill.settings import Settings
from gh_backfill.settings.embedding import OPENAI, EmbeddingProvider

OFF = (
    "embeddings are off: nobody is set to make them: set OPENAI_API_KEY, or OPENAI_BASE_URL for a service that speaks "
    "the same, or GH_BACKFILL_EMBEDDING_MODEL to a directory with model.onnx and tokenizer.json"
)


def provider(settings: Settings, given: str | None = None) -> EmbeddingProvider:
    """Return who is to make vectors; `given` overrules the settings.  Raises ConfigurationError for what is nobody."""
    word = (given or "").strip().lower()
    if word and word not in set(EmbeddingProvider):
        raise ConfigurationError(f"vectors are made by {', '.join(EmbeddingProvider)}, not {word[:40]}")
    return EmbeddingProvider(word) if word else settings.embedding_choice


def embedder(settings: Settings, given: str | None = None, sleep: Callable[[float], None] = time.sleep) -> Embedder:
    """Return whoever makes vectors; raises ConfigurationError where nobody is set to, or EmbedderDenied."""
    match provider(settings, given):
        case EmbeddingProvider.OPENAI:
            return _openai(settings, sleep)
        case EmbeddingProvider.LOCAL:
            return _local(settings)
        case EmbeddingProvider.HASH:
            return HashEmbedder()
        case EmbeddingProvider.OFF:
            raise ConfigurationError(OFF)


def in_time(
    deadline: datetime | None,
    sleep: Callable[[float], None] = time.sleep,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Callable[[float], None]:
    """Return what waits as `sleep` does, and raises NoTimeToWait in place of a wait beyond a deadline."""

    def wait(seconds: float) -> None:
        if deadline is not None and now() + timedelta(seconds=seconds) >= deadline:
            raise NoTimeToWait(f"the time is up before whoever makes vectors may be asked again, in {seconds:.0f} s")
        sleep(seconds)

    return wait


def price(settings: Settings, made_by: Embedder) -> float | None:
    """Return what a million tokens costs; None where nobody knows."""
    return prices.price(made_by.recipe.provider, made_by.recipe.model, settings.embedding_price)


def _openai(settings: Settings, sleep: Callable[[float], None]) -> OpenAIEmbedder:
    if settings.openai_api_key is None and settings.openai_base_url is None:
        raise ConfigurationError("the provider openai takes OPENAI_API_KEY: set it")
    if settings.embedding_folder is not None:
        raise ConfigurationError(
            "GH_BACKFILL_EMBEDDING_MODEL is a directory, and the provider openai takes the name of a model"
        )
    key = settings.openai_api_key
    return OpenAIEmbedder(
        url=settings.openai_base_url or OPENAI,
        key=None if key is None else key.get_secret_value(),
        model=settings.embedding_model or MODEL,
        sleep=sleep,
    )


def _local(settings: Settings) -> Embedder:
    from gh_backfill.clients.embedders.local import LocalEmbedder  # noqa: PLC0415  (an extra)

    if settings.embedding_folder is None:
        told = settings.embedding_model or "not set"
        raise ConfigurationError(
            "the provider local takes a directory with model.onnx and tokenizer.json in GH_BACKFILL_EMBEDDING_MODEL "
            f"({told})"
        )
    return LocalEmbedder(settings.embedding_folder, threads=settings.embedding_threads)
