"""Pull requests with their reviews, review comments and conversations, as the engine captures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from gh_backfill.clients import pull_requests as client
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.kind import NamedPart, RestOfWalk, Supply
from gh_backfill.engine.pull_requests import rest_listing
from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.pull_requests import Comment, CompletePullRequest, Review, ReviewComment
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy import chunking, query_prices
from gh_backfill.policy.items import CompleteItem, PageItem
from gh_backfill.policy.pull_requests.completeness import PullRequestCollector
from gh_backfill.policy.pull_requests.follow_ups import PagePullRequest
from gh_backfill.policy.query_prices import PagePrice
from gh_backfill.store import pull_requests as rows
from gh_backfill.store import quarantine
from gh_backfill.store.chunk_rows import Written
from gh_backfill.store.db import Transaction

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class PullRequests:
    """The kind that every repository captures where nothing else is said."""

    name: str = PULL_REQUESTS
    words: str = "pull requests"
    item: str = "pull request"
    queries: ItemQueries = client.QUERIES
    price: PagePrice = query_prices.PULL_REQUESTS

    def first_page(self, total: int, mean_size: float | None, low_budget: bool, usual: int | None) -> int:
        """Return the first page by the customer's table, or by what repositories of the size took."""
        return chunking.first_page(total, complexity=mean_size, low_budget=low_budget, usual=usual)

    def collector(self, item: PageItem) -> PullRequestCollector:
        """Return what brings a pull request to completeness."""
        assert isinstance(item, PagePullRequest)
        return PullRequestCollector(item)

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
        """Write pull requests with all that belongs to them."""
        return rows.write(tx, repository, [_whole(item) for item in items], unreadable)

    def own_numbers(self, tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteItem]) -> int:
        """Let each number belong to the row with GitHub's id."""
        return rows.own_numbers(tx, repository, [_whole(item) for item in items])

    def parts(self, item: CompleteItem) -> list[NamedPart]:
        """Return reviews and comments."""
        whole = _whole(item)
        return [
            *(NamedPart(kind="review", part=each) for each in whole.reviews),
            *(NamedPart(kind="issue_comment", part=each) for each in whole.comments),
            *(NamedPart(kind="review_comment", part=each) for each in whole.review_comments),
        ]

    def with_parts(self, item: CompleteItem, parts: Sequence[NamedPart]) -> CompletePullRequest:
        """Return a pull request with only these of its parts."""
        return replace(
            _whole(item),
            reviews=_of(Review, parts),
            comments=_of(Comment, parts),
            review_comments=_of(ReviewComment, parts),
        )

    def without_row(self, item: CompleteItem, reason: str) -> Unreadable:
        """Return title and body for the quarantine."""
        pull_request = _whole(item).pull_request
        texts = {"title": pull_request.title, "body": pull_request.body or ""}
        return Unreadable(
            kind="pull_request",
            identity=pull_request.node_id,
            github_id=pull_request.github_id,
            number=pull_request.number,
            reason=reason,
            payload={name: quarantine.plain_text(text) for name, text in texts.items()},
        )

    def repository_total(self, page: Page) -> int | None:
        """Return GitHub's count."""
        return page.total

    def supply(
        self, graphql: GraphQL, lists: RestPages, items: Sequence[CompleteItem], rest: RestOfWalk
    ) -> Callable[[], Supply] | None:
        """Return what reads the review comments from REST's list, as far down as that pays."""
        found = rest_listing.plan(graphql, lists, [_whole(item) for item in items], rest)
        return None if found is None else partial(rest_listing.read, lists, rest.repository, found, rest.beat)


def _whole(item: CompleteItem) -> CompletePullRequest:
    assert isinstance(item, CompletePullRequest)
    return item


def _of(thing: type[Thing], parts: Sequence[NamedPart]) -> tuple[Thing, ...]:
    return tuple(each.part for each in parts if isinstance(each.part, thing))
