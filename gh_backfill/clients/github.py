"""What we ask GitHub, in our terms: repositories, pages of pull requests, and what completes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from gh_backfill.clients import documents, parsing
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Gone
from gh_backfill.models import Repository, Spent, Unreadable
from gh_backfill.policy.completeness import (
    Answer as ItemAnswer,
)
from gh_backfill.policy.completeness import (
    CommentsOfReview,
    CommentsOfThread,
    MoreComments,
    MoreReviews,
    PageItem,
    Threads,
    Want,
)

IDS_A_QUERY = 100
NAMES_A_QUERY = 50
_TEMPLATES: dict[type[Want], str] = {
    CommentsOfReview: "TopUpReviewComments",
    Threads: "TopUpThreads",
    CommentsOfThread: "TopUpThreadComments",
    MoreReviews: "TopUpPullRequestReviews",
    MoreComments: "TopUpPullRequestComments",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page of pull requests, and what GitHub says of the repository at that moment."""

    items: tuple[PageItem, ...]
    unreadable: tuple[Unreadable, ...]
    total: int
    next: str | None
    end: str | None
    full_name: str
    is_private: bool
    server_time: datetime
    spent: Spent


def repositories_by_name(graphql: GraphQL, names: Sequence[tuple[str, str]]) -> list[Repository | None]:
    """Return the repositories of (owner, name) pairs in their order; None for one that is not there or not for us.

    A renamed repository is found by its old name too, and comes with the new one.
    """
    found: list[Repository | None] = []
    for part in _parts(names, NAMES_A_QUERY):
        variables: dict[str, object] = {}
        for number, (owner, name) in enumerate(part):
            variables |= {f"owner{number}": owner, f"name{number}": name}
        answer = graphql.execute(documents.aliases(("RepositoryByName",) * len(part)), variables)
        nodes = (answer.data[f"a{number}"] for number in range(len(part)))
        found.extend(None if node is None else parsing.repository(node) for node in nodes)
    return found


def repositories_by_id(graphql: GraphQL, node_ids: Sequence[str]) -> list[Repository | None]:
    """Return the repositories of node ids in their order; None for one that is gone or not for us."""
    found: list[Repository | None] = []
    for part in _parts(node_ids, IDS_A_QUERY):
        answer = graphql.execute(documents.aliases(("RepositoriesById",)), {"ids": list(part)})
        found.extend(parsing.repository(node) if node else None for node in answer.data["nodes"])
    return found


def page(
    graphql: GraphQL,
    repository_node_id: str,
    *,
    first: int,
    after: str | None,
    order: Literal["CREATED_AT", "UPDATED_AT"] = "CREATED_AT",
) -> Page:
    """Return one page of pull requests, newest first by `order`, after the cursor `after`.

    Raises Gone if the repository is not there any more, and what `GraphQL.execute` raises.
    """
    variables = {"repository": repository_node_id, "first": first, "after": after, "field": order}
    answer = graphql.execute(documents.operation("Page"), variables)
    node = answer.data["node"]
    if not node:
        raise Gone("GitHub does not show this repository any more (deleted, or made private)")
    listing = parsing.listing(node["pullRequests"], "pull_request", parsing.page_item)
    return Page(
        items=listing.items,
        unreadable=listing.unreadable,
        total=listing.total,
        next=listing.next,
        end=node["pullRequests"]["pageInfo"]["endCursor"],
        full_name=node["nameWithOwner"],
        is_private=node["isPrivate"],
        server_time=answer.server_time,
        spent=answer.spent,
    )


def top_up(graphql: GraphQL, wants: Sequence[Want]) -> tuple[list[tuple[Want, ItemAnswer | None]], Spent]:
    """Ask for several wants in one query; each comes back with its answer, None where it is gone meanwhile."""
    by_ids = list(islice((want for want in wants if _fits_ids(want)), IDS_A_QUERY))
    chosen = set(by_ids)
    singles = sorted((want for want in wants if want not in chosen), key=lambda want: _TEMPLATES[type(want)])
    templates = [_TEMPLATES[type(want)] for want in singles]
    variables: dict[str, object] = {}
    for number, want in enumerate(singles):
        variables |= {f"id{number}": want.node_id, f"after{number}": want.after}
        if isinstance(want, Threads):
            variables[f"first{number}"] = want.first
    if by_ids:
        templates.append("TopUpReviews")
        variables["ids"] = [want.node_id for want in by_ids]
    answer = graphql.execute(documents.aliases(tuple(templates)), variables)
    nodes = [answer.data[f"a{number}"] for number in range(len(singles))]
    if by_ids:
        nodes += answer.data["nodes"]
    pairs = zip([*singles, *by_ids], nodes, strict=True)
    return [(want, _listing(want, node) if node else None) for want, node in pairs], answer.spent


def _fits_ids(want: Want) -> bool:
    return isinstance(want, CommentsOfReview) and want.after is None


def _listing(want: Want, node: dict[str, Any]) -> ItemAnswer:
    match want:
        case MoreReviews():
            return parsing.listing(node["reviews"], "review", parsing.review)
        case MoreComments():
            return parsing.listing(node["comments"], "issue_comment", parsing.comment)
        case CommentsOfReview(review_id=review_id):
            return parsing.listing(
                node["comments"], "review_comment", lambda child: parsing.review_comment(child, review_id)
            )
        case CommentsOfThread():
            return parsing.listing(node["comments"], "review_comment", parsing.review_comment)
        case Threads():
            return parsing.listing(node["reviewThreads"], "review_comment", parsing.thread)


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
