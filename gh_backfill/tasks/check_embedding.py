"""Prove that texts could get their vectors: room in the database, and somebody who makes them.  Nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator

from gh_backfill.errors import BackfillError
from gh_backfill.settings import Settings
from gh_backfill.settings.embedding import OPENAI, EmbeddingProvider
from gh_backfill.store.vectors import Vectors
from gh_backfill.tasks.embedding import choosing
from gh_backfill.tasks.finding import Finding


def maker(settings: Settings) -> Iterator[Finding]:
    """Say who makes vectors and whether that can be had; nothing where nobody is set to."""
    chosen = settings.embedding_choice
    if chosen is EmbeddingProvider.OFF:
        return
    try:
        recipe = choosing.embedder(settings).recipe
    except BackfillError as error:
        yield Finding(name="embeddings", ok=False, text=str(error))
        return
    where = f" at {settings.openai_base_url or OPENAI}" if chosen is EmbeddingProvider.OPENAI else ""
    ask = " (nothing was sent: gh-backfill embed --preflight asks it)" if where else ""
    yield Finding(name="embeddings", ok=True, text=f"{chosen} makes vectors with {recipe.model}{where}{ask}")


def room(settings: Settings, found: Vectors) -> Iterator[Finding]:
    """Say whether the database can keep vectors; that it can't is a fault only where somebody is set to make them."""
    wanted = settings.embedding_choice is not EmbeddingProvider.OFF
    if found.obstacle is not None:
        yield Finding(name="vectors", ok=not wanted, text=found.obstacle)
    elif wanted:
        yield Finding(name="vectors", ok=True, text=f"pgvector {found.version} keeps them")
