"""Items as a search finds them: by words, by vectors, by number; and what is shown of each.

The functions take an open transaction.  Those of vectors need pgvector, see `vectors`, and `reach_vectors` before them,
in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from gh_backfill import hidden
from gh_backfill.errors import StoreError, StoreSlow
from gh_backfill.policy.embedding.order import ItemType
from gh_backfill.policy.search.words import WordQuery, WordsAsked
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Transaction

_SQL = sql("search")
_VECTORS = sql("search_vectors")
_PAGES = sql("pages")
# The newest items with the words that are ranked, of each type and by title and text each.
POOL = 50
# Of what has the words of a phrase, the newest that are looked through for it as it stands, and for other forms of it.
REACH, CHECKED = 3_000, 100
# Up to so many vectors all of a scope are compared.  Each takes 4 microseconds, most of them to fetch it.
EXACT = 6_000
# Of each type so many are taken from an index where anything is filtered: what is near and passes may come late.
DEEP = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchScope:
    """Where is searched: our ids of repositories (None: all), types, states (None: any), and who reads.

    Up to `exact_up_to` items all of them are compared.
    """

    repositories: tuple[str, ...] | None = None
    types: tuple[ItemType, ...] = tuple(ItemType)
    states: tuple[str, ...] | None = None
    public_only: bool = False
    exact_up_to: int = EXACT

    @property
    def narrow(self) -> bool:
        """Say whether some of the items that are here do not pass."""
        return self.repositories is not None or self.states is not None or self.public_only

    def parameters(self) -> dict[str, object]:
        """Return it as the statements have it."""
        return {
            "repositories": self.repositories,
            "types": tuple(each.value for each in self.types),
            "states": self.states,
            "public_only": self.public_only,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemKey:
    """An item by its type and its id."""

    item_type: ItemType
    item_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemShown:
    """What is shown of an item."""

    key: ItemKey
    number: int
    title: str
    state: str | None
    repository_id: str
    full_name: str
    is_private: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NearItems:
    """The nearest items with their cosine distances, and whether there are vectors of another recipe among them."""

    distances: dict[ItemKey, float]
    others: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnVector:
    """A stored vector as PostgreSQL writes it, and the fingerprint of its recipe, empty for an application's."""

    vector: str
    fingerprint: str


@contextmanager
def reading(db: Database, seconds: int) -> Iterator[Transaction]:
    """Run the block in a transaction that only reads; StoreError where a statement of it takes over so many seconds."""
    try:
        with db.transaction(read_only=True) as tx:
            tx.later(_PAGES["limit_time"], seconds=str(seconds))
            yield tx
    except StoreSlow as error:
        advice = "name a repository, or a rarer word, or try again"
        raise StoreError(f"the database took longer than {seconds} s for this search: {advice}") from error


def by_words(tx: Transaction, scope: SearchScope, words: WordQuery, literal: str, most: int) -> list[ItemKey]:
    """Return the items that have the words, the best first; those that have the text as it stands before all others."""
    pool = max(POOL, most)
    tx.later(_SQL["search_tell_costs"])
    rows = tx.rows(
        _SQL["search_words"],
        **scope.parameters(),
        words=words.as_asked,
        loose=words.loose,
        literal=literal,
        phrased=words.phrased,
        either=words.either,
        patterns=words.patterns,
        excluded=words.excluded,
        reach=max(REACH, pool) if words.phrased else pool,
        checked=max(CHECKED, pool),
        pool=pool,
        most=most,
    )
    tx.later(_SQL["search_forget_costs"])
    return [_key(row) for row in rows]


def by_number(tx: Transaction, scope: SearchScope, asked: WordsAsked, most: int) -> list[ItemKey]:
    """Return the items whose number was asked for; none where no repository was chosen."""
    if asked.number is None or scope.repositories is None:
        return []
    rows = tx.rows(_SQL["search_number"], **scope.parameters(), number=asked.number, most=most)
    return [_key(row) for row in rows]


def size(tx: Transaction, scope: SearchScope) -> int:
    """Return how many items a scope has, as far as that decides whether all are compared; 0 where none has a vector."""
    row = tx.row(_VECTORS["search_size"], **scope.parameters(), most=scope.exact_up_to + 1)
    assert row is not None
    return int(row["found"]) if row["has_vectors"] else 0


def reach_vectors(tx: Transaction) -> bool:
    """Make the type of vectors known to this transaction; return whether its indexes go on until enough is found."""
    tx.later(_VECTORS["search_reach_vectors"])
    tx.later(_VECTORS["search_load_vectors"])
    row = tx.row(_VECTORS["search_ready_vectors"])
    assert row is not None
    return row["iterative"] is True


def scan_on(tx: Transaction) -> None:
    """Let the indexes look further from here on, before they give up."""
    tx.later(_VECTORS["search_scan_on"])


def nearest(
    tx: Transaction,
    scope: SearchScope,
    vector: str,
    fingerprint: str,
    most: int,
    *,
    exact: bool,
    other_than: ItemKey | None = None,
) -> NearItems:
    """Return the items nearest to a vector of a recipe, the nearest first; `exact` compares every one of the scope."""
    rows = tx.rows(
        _VECTORS["search_exact" if exact else "search_index"],
        **scope.parameters(),
        vector=vector,
        fingerprint=fingerprint,
        most=most,
        deep=max(DEEP, most) if scope.narrow else most,
        **{"except": None if other_than is None else other_than.item_id},
    )
    others = any(row.get("others") for row in rows)
    if len(rows) < most and not others:
        row = tx.row(_VECTORS["search_others"], **scope.parameters(), fingerprint=fingerprint)
        others = row is not None and bool(row["others"])
    return NearItems(distances={_key(row): row["distance"] for row in rows}, others=others)


def vector_of(tx: Transaction, item: ItemKey) -> OwnVector | None:
    """Return the vector of an item; None where it has none."""
    row = tx.row(_VECTORS["search_own"], items=[_named(item)])
    return None if row is None else OwnVector(**row)


def named(tx: Transaction, repository_id: str, number: int) -> ItemKey | None:
    """Return the item of a repository that has a number; None where there is none, or it is gone."""
    row = tx.row(_SQL["search_named"], repository_id=repository_id, number=number)
    return None if row is None else _key(row)


def shown(tx: Transaction, items: Sequence[ItemKey]) -> dict[ItemKey, ItemShown]:
    """Return what is shown of items; what is gone meanwhile is left out."""
    found = {}
    for row in tx.rows(_SQL["search_items"], items=[_named(item) for item in items]) if items else ():
        hidden.repository(row["full_name"], row["repository_id"], is_private=row["is_private"])
        key = ItemKey(item_type=ItemType(row.pop("item_type")), item_id=row.pop("item_id"))
        found[key] = ItemShown(key=key, **row)
    return found


def _key(row: dict[str, object]) -> ItemKey:
    return ItemKey(item_type=ItemType(str(row["item_type"])), item_id=str(row["item_id"]))


def _named(item: ItemKey) -> dict[str, object]:
    return {"item_type": item.item_type.value, "item_id": item.item_id}
