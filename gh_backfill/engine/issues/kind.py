"""Issues with their comments, labels and assignees, as the engine captures them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients import issues as client
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page
from gh_backfill.clients.rest_pages import RestPages
from gh_backfill.engine.kind import NamedPart, RestOfWalk, Supply
from gh_backfill.models.github import Person, Unreadable
from gh_backfill.models.issues import CompleteIssue
from gh_backfill.models.pull_requests import Comment
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.issues.completeness import IssueCollector
from gh_backfill.policy.issues.follow_ups import ISSUES, PageIssue
from gh_backfill.policy.items import CompleteItem, PageItem
from gh_backfill.policy.query_prices import LARGEST_FIRST, PagePrice
from gh_backfill.store import issues as rows
from gh_backfill.store import quarantine
from gh_backfill.store.chunk_rows import Written
from gh_backfill.store.db import Transaction


@dataclass(frozen=True, slots=True)
class Issues:
    """Issues: a page costs one unit whatever its length, so it is as long as GitHub allows from the beginning."""

    name: str = rows.KIND
    words: str = "issues"
    item: str = "issue"
    queries: ItemQueries = client.QUERIES
    price: PagePrice = ISSUES

    def first_page(self, total: int, mean_size: float | None, low_budget: bool, usual: int | None) -> int:
        """Return the longest page: an issue of it has no list that could be too much for GitHub."""
        return LARGEST_FIRST

    def collector(self, item: PageItem) -> IssueCollector:
        """Return what brings an issue to completeness."""
        assert isinstance(item, PageIssue)
        return IssueCollector(item)

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
        """Write issues with all that belongs to them."""
        return rows.write(tx, repository, [_whole(item) for item in items], unreadable)

    def own_numbers(self, tx: Transaction, repository: TrackedRepository, items: Sequence[CompleteItem]) -> int:
        """Let each number belong to the row with GitHub's id."""
        return rows.own_numbers(tx, repository, [_whole(item) for item in items])

    def parts(self, item: CompleteItem) -> list[NamedPart]:
        """Return the comments."""
        return [NamedPart(kind="issue_comment", part=each) for each in _whole(item).comments]

    def with_parts(self, item: CompleteItem, parts: Sequence[NamedPart]) -> CompleteIssue:
        """Return an issue with only these of its comments."""
        return replace(_whole(item), comments=tuple(each.part for each in parts if isinstance(each.part, Comment)))

    def without_row(self, item: CompleteItem, reason: str) -> Unreadable:
        """Return title and body for the quarantine."""
        issue = _whole(item).issue
        texts = {"title": issue.title, "body": issue.body or ""}
        return Unreadable(
            kind="issue",
            identity=issue.node_id,
            github_id=issue.github_id,
            number=issue.number,
            reason=reason,
            payload={name: quarantine.plain_text(text) for name, text in texts.items()},
        )

    def repository_total(self, page: Page) -> int | None:
        """Return nothing: a page of issues does not count pull requests."""
        return None

    def supply(
        self, graphql: GraphQL, lists: RestPages, items: Sequence[CompleteItem], rest: RestOfWalk
    ) -> Callable[[], Supply] | None:
        """Return nothing: GraphQL is the cheaper way.

        By REST a hundred issues and pull requests together cost a request, and their labels and assignees come along;
        by GraphQL these cost a unit each where there are any, a hundred and forty-nine to the point.
        """
        return None


def _whole(item: CompleteItem) -> CompleteIssue:
    assert isinstance(item, CompleteIssue)
    return item
