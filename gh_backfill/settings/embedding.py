"""The settings of embeddings: who makes vectors of texts, with which model, and at what price."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from gh_backfill.settings.dispatch import DispatchSettings
from gh_backfill.settings.values import Address, Token, Whole, given_as, unread

OPENAI = "https://api.openai.com/v1"


class EmbeddingProvider(StrEnum):
    """Who makes vectors."""

    OPENAI = "openai"
    LOCAL = "local"
    HASH = "hash"
    OFF = "off"


ProviderAddress = Annotated[Address, unread("the key and all texts")]


class EmbeddingSettings(DispatchSettings):
    """What `embed` and whatever looks for texts need to know beside what every command does."""

    openai_api_key: Token | None = given_as("OPENAI_API_KEY")
    openai_base_url: ProviderAddress | None = given_as("OPENAI_BASE_URL")
    embedding_provider: EmbeddingProvider | None = given_as("GH_BACKFILL_EMBEDDING_PROVIDER")
    embedding_model: str | None = given_as("GH_BACKFILL_EMBEDDING_MODEL")
    embedding_batch: Whole = Field(default=200, ge=1, le=2_000, validation_alias="GH_BACKFILL_EMBEDDING_BATCH")
    embedding_threads: Whole = Field(default=2, ge=1, le=256, validation_alias="GH_BACKFILL_EMBEDDING_THREADS")
    embedding_price: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, validation_alias="GH_BACKFILL_EMBEDDING_PRICE"
    )

    @property
    def embedding_folder(self) -> Path | None:
        """Return the directory of a local model; None where what was given is none."""
        given = Path(self.embedding_model).expanduser() if self.embedding_model else None
        return given if given is not None and given.is_dir() else None

    @property
    def embedding_choice(self) -> EmbeddingProvider:
        """Return who makes vectors: as given, else by what is set: a directory with a model, a key or an address."""
        if self.embedding_provider is not None:
            return self.embedding_provider
        if self.embedding_folder is not None:
            return EmbeddingProvider.LOCAL
        if self.openai_api_key is not None or self.openai_base_url is not None:
            return EmbeddingProvider.OPENAI
        return EmbeddingProvider.OFF
