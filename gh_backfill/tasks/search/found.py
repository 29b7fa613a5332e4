"""The finds of a search: items in their order, how each came to its place, and what is to be known of the search."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.policy.pages.plain import plain
from gh_backfill.policy.search.item_names import address
from gh_backfill.store.search import ItemShown


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundItem:
    """An item, its score, its places by words and by vector (from 1), and the cosine of its vector with the other one.

    None is what played no part.
    """

    item: ItemShown
    score: float
    by_words: int | None = None
    by_vector: int | None = None
    similarity: float | None = None

    @property
    def name(self) -> str:
        """Return what it is called."""
        return f"{self.item.full_name}#{self.item.number}"

    @property
    def url(self) -> str:
        """Return where it is at GitHub."""
        return address(self.item.full_name, self.item.key.item_type, self.item.number)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return {
            "type": self.item.key.item_type.value,
            "number": self.item.number,
            "title": self.item.title,
            "repository": self.item.full_name,
            "state": self.item.state,
            "url": self.url,
            "created_at": self.item.created_at,
            "updated_at": self.item.updated_at,
            "score": round(self.score, 6),
            "rank_by_words": self.by_words,
            "rank_by_vector": self.by_vector,
            "similarity": None if self.similarity is None else round(self.similarity, 6),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The items that were found for what was `asked`, the best first; `notes` are sentences about how."""

    asked: str
    items: tuple[FoundItem, ...]
    by_words: bool
    by_vectors: bool
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return {
            "asked": self.asked,
            "by_words": self.by_words,
            "by_vectors": self.by_vectors,
            "notes": list(self.notes),
            "items": plain(self.items),
        }
