"""The protocol that every kind of item fulfils: all that the engine has to know to capture it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.items import Collector, CompleteItem, PageItem
from gh_backfill.policy.query_prices import PagePrice
from gh_backfill.store.chunk_rows import Written
from gh_backfill.store.db import Transaction


class Part(Protocol):
    """A row of an item's own lists, that a database may refuse alone."""

    @property
    def github_id(self) -> int:
        """Return GitHub's number of it."""

    @property
    def body(self) -> str:
        """Return its text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedPart:
    """A part, and what the quarantine calls one of its sort."""

    kind: str
    part: Part


class Supply(Protocol):
    """What another way than GraphQL told of the items of a walk, kept for as long as the walk needs it."""

    def supply(self, collector: Collector) -> None:
        """Hand an item what is known of it; what it still lacks then is asked for as ever."""

    def close(self) -> None:
        """Forget it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RestOfWalk:
    """What a walk knows of itself after its first chunk.

    `captured` items are here and `left` are still to be read, in at most `until` seconds; a point takes
    `point_seconds`.  `beat` is called now and then, and ends whatever takes long by False.
    """

    repository: TrackedRepository
    captured: int
    left: int
    point_seconds: float
    until: float
    beat: Callable[[], bool]


class Kind(Protocol):
    """A kind of item: how its pages are asked for and read, what completes an item, and how items are stored.

    Order and end of a walk are the engine's: newest first by date of creation, then what was updated since.
    """

    @property
    def name(self) -> str:
        """Return the name that settings, streams and the command line use: the plural, with underscores."""

    @property
    def words(self) -> str:
        """Return the plural as messages have it."""

    @property
    def item(self) -> str:
        """Return the word for one of them."""

    @property
    def queries(self) -> ItemQueries:
        """Return its documents, and what reads their answers."""

    @property
    def price(self) -> PagePrice:
        """Return what a page of a list costs."""

    def first_page(self, total: int, mean_size: float | None, low_budget: bool, usual: int | None) -> int:
        """Return how many items to ask for first, of so many in all; later pages follow what works.

        `usual` is the page that other repositories of the size took, where there are enough.
        """

    def collector(self, item: PageItem) -> Collector:
        """Return what brings an item of a page to completeness."""

    def people(self, items: Sequence[CompleteItem]) -> list[Person]:
        """Return everybody who occurs in items, each id and each login once."""

    def write(
        self,
        tx: Transaction,
        repository: TrackedRepository,
        items: Sequence[CompleteItem],
        unreadable: Sequence[Unreadable],
    ) -> Written:
        """Write the rows of a chunk, whose people are stored; what is unreadable goes to the quarantine.

        Raises StoreConflict where another worker came in between: the transaction is replayed.
        """

    def own_numbers(self, tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteItem]) -> int:
        """Let each number belong to the one row with GitHub's id; returns how many rows of older imports gave way."""

    def parts(self, item: CompleteItem) -> list[NamedPart]:
        """Return the parts of an item that have rows of their own."""

    def with_parts(self, item: CompleteItem, parts: Sequence[NamedPart]) -> CompleteItem:
        """Return an item with only these of its parts."""

    def without_row(self, item: CompleteItem, reason: str) -> Unreadable:
        """Return what the quarantine keeps of an item that the database refuses."""

    def repository_total(self, page: Page) -> int | None:
        """Return what a page says of the number of pull requests of its repository; None for other kinds."""

    def supply(
        self, graphql: GraphQL, lists: RestPages, items: Sequence[CompleteItem], rest: RestOfWalk
    ) -> Callable[[], Supply] | None:
        """Return what reads by REST that which serves the rest of a walk; None where GraphQL alone is as good.

        Decided once, with the items of a walk's first chunk.
        """
