"""Discussions with their comments and the replies to these, as the engine captures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients import discussions as client
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.kind import NamedPart, RestOfWalk, Supply
from gh_backfill.models.discussions import CompleteDiscussion, DiscussionComment
from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.discussions.completeness import DiscussionCollector
from gh_backfill.policy.discussions.follow_ups import DISCUSSIONS, PageDiscussion
from gh_backfill.policy.items import CompleteItem, PageItem
from gh_backfill.policy.query_prices import LARGEST_FIRST, PagePrice
from gh_backfill.store import discussions as rows
from gh_backfill.store import quarantine
from gh_backfill.store.chunk_rows import Written
from gh_backfill.store.db import Transaction


@dataclass(frozen=True, slots=True)
class Discussions:
    """Discussions: a page costs one unit whatever its length, and a repository that has them disabled has none."""

    name: str = rows.KIND
    words: str = "discussions"
    item: str = "discussion"
    queries: ItemQueries = client.QUERIES
    price: PagePrice = DISCUSSIONS

    def first_page(self, total: int, mean_size: float | None, low_budget: bool, usual: int | None) -> int:
        """Return the longest page: a discussion of it has no list that could be too much for GitHub."""
        return LARGEST_FIRST

    def collector(self, item: PageItem) -> DiscussionCollector:
        """Return what brings a discussion to completeness."""
        assert isinstance(item, PageDiscussion)
        return DiscussionCollector(item)

    def people(self, items: Sequence[CompleteItem]) -> list[Person]:
        """Return everybody who occurs."""
        return rows.people_of(map(_whole, items))

    def write(
        self,
        tx: Transaction,
        repository: TrackedRepository,
        items: Sequence[CompleteItem],
        unreadable: Sequence[Unreadable],
    ) -> Written:
        """Write discussions with all that belongs to them."""
        return rows.write(tx, repository, [_whole(item) for item in items], unreadable)

    def own_numbers(self, tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteItem]) -> int:
        """Let each number belong to the row with GitHub's id."""
        return rows.own_numbers(tx, repository, [_whole(item) for item in items])

    def parts(self, item: CompleteItem) -> list[NamedPart]:
        """Return the comments, replies among them."""
        return [NamedPart(kind="discussion_comment", part=each) for each in _whole(item).comments]

    def with_parts(self, item: CompleteItem, parts: Sequence[NamedPart]) -> CompleteDiscussion:
        """Return a discussion with only these of its comments."""
        kept = tuple(each.part for each in parts if isinstance(each.part, DiscussionComment))
        return replace(_whole(item), comments=kept)

    def without_row(self, item: CompleteItem, reason: str) -> Unreadable:
        """Return title and body for the quarantine."""
        discussion = _whole(item).discussion
        texts = {"title": discussion.title, "body": discussion.body}
        return Unreadable(
            kind="discussion",
            identity=discussion.node_id,
            github_id=discussion.github_id,
            number=discussion.number,
            reason=reason,
            payload={name: quarantine.plain_text(text) for name, text in texts.items()},
        )

    def repository_total(self, page: Page) -> int | None:
        """Return nothing: a page of discussions does not count pull requests."""
        return None

    def supply(
        self, graphql: GraphQL, lists: RestPages, items: Sequence[CompleteItem], rest: RestOfWalk
    ) -> Callable[[], Supply] | None:
        """Return nothing: REST knows no discussions."""
        return None


def _whole(item: CompleteItem) -> CompleteDiscussion:
    assert isinstance(item, CompleteDiscussion)
    return item
