"""Ask GitHub for pages of pull requests, for single ones, and for what completes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from gh_backfill.clients import damage, documents, numbers, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.pages import Asked, KnownNumber, NumbersAsked, Order, Page, PageAsked
from gh_backfill.errors import GitHubError, Gone, TooBig
from gh_backfill.models.github import Named, NodeId, NotFound, Spent, Unknown
from gh_backfill.policy import query_prices
from gh_backfill.policy.pull_requests.follow_ups import Answer as ItemAnswer
from gh_backfill.policy.pull_requests.follow_ups import (
    CommentsOfReview,
    CommentsOfThread,
    FollowUp,
    MoreComments,
    MoreReviews,
    Slot,
    Threads,
    by_id,
)
from gh_backfill.policy.query_prices import UNITS_OF_ONE_POINT

IDS_A_QUERY = 100
AGAIN_UNITS = 3
_TEMPLATES: dict[type[FollowUp], str] = {
    CommentsOfReview: "TopUpReviewComments",
    Threads: "TopUpThreads",
    CommentsOfThread: "TopUpThreadComments",
    MoreReviews: "TopUpPullRequestReviews",
    MoreComments: "TopUpPullRequestComments",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAndFollowUps:
    """What one query brought: an answer to each want, or why there is none; the page, or why it is not there."""

    answers: Sequence[tuple[FollowUp, Named[ItemAnswer]]]
    page: Page | GitHubError | None
    spent: Spent


def outline(graphql: GraphQL, asked: Asked) -> Page:
    """Return the places of a page whose pull requests can't be read: their slots are `Unreadable` by design.

    Nothing may lead to some of them.
    """
    if isinstance(asked, NumbersAsked):
        answer = graphql.execute(documents.aliases(("Numbers",)), {"repository": asked.repository})
        return numbers.page(answer, replace(asked, numbers=()), first=0)
    return _page(graphql.execute(documents.aliases(("Outline",)), _variables(asked)), asked, gaps=True)


def again(
    graphql: GraphQL, repository_node_id: NodeId, slots: Sequence[Slot], order: Order
) -> tuple[list[Slot], Spent]:
    """Ask once more for pull requests of a page, each alone by its place; one that is gone comes back empty."""
    fresh: list[Slot] = []
    spent = Spent()
    for part in _parts(slots, UNITS_OF_ONE_POINT // AGAIN_UNITS):
        variables: dict[str, object] = {"repository": repository_node_id, "field": order}
        variables |= {f"after{number}": slot.after for number, slot in enumerate(part)}
        answer = graphql.execute(
            documents.aliases(("PullRequestAfter",) * len(part)),
            variables,
            points=query_prices.points(AGAIN_UNITS * len(part)),
        )
        spent += answer.spent
        with sense.understood():
            fresh += [_again(answer.data[f"a{number}"], slot) for number, slot in enumerate(part)]
    return fresh, spent


def again_by_number(graphql: GraphQL, repository_node_id: NodeId, slots: Sequence[Slot]) -> tuple[list[Slot], Spent]:
    """Do what `again` does for slots whose places are numbers."""
    found, spent = by_number(graphql, repository_node_id, [int(slot.after or 0) for slot in slots])
    fresh = []
    for slot, (number, answer) in zip(slots, found.items(), strict=True):
        identity = next((each.identity for each in slot.unreadable), None)
        known = KnownNumber(number=number, node_id=None if identity is None else NodeId(identity))
        match answer:
            case Unknown():
                fresh.append(slot)
            case NotFound():
                fresh.append(replace(slot, item=None, unreadable=()))
            case Slot():
                fresh.append(numbers.named(answer, known))
    return fresh, spent


def by_number(
    graphql: GraphQL, repository_node_id: NodeId, wanted: Sequence[int]
) -> tuple[dict[int, Named[Slot]], Spent]:
    """Return pull requests by their numbers, as far as GitHub tells of them."""
    found: dict[int, Named[Slot]] = {}
    spent = Spent()
    for part in _parts(wanted, UNITS_OF_ONE_POINT // 2):
        variables: dict[str, object] = {"repository": repository_node_id}
        variables |= {f"number{index}": number for index, number in enumerate(part)}
        answer = graphql.execute(
            documents.aliases(("PullRequestByNumber",) * len(part)),
            variables,
            points=query_prices.points(2 * len(part)),
            divisible=True,
        )
        spent += answer.spent
        with sense.understood():
            for index, number in enumerate(part):
                found[number] = _by_number(answer, (f"a{index}", "pullRequest"))
    return found, spent


def _by_number(answer: Answer, path: tuple[str, str]) -> Named[Slot]:
    if path in answer.not_found:
        return NotFound()
    holder = answer.data[path[0]] or {}
    if holder.get("pullRequest") is None:
        return Unknown(reason=str(answer.why(*path)))
    return parsing.slot({"node": holder["pullRequest"], **_mark(holder)}, None)


def _again(node: dict[str, Any] | None, slot: Slot) -> Slot:
    edges = ((node or {}).get("pullRequests") or {}).get("edges")
    if node is None or edges is None or damage.MARK in node:
        return slot
    return parsing.slot(edges[0], slot.after) if edges else Slot(after=slot.after, item=None, unreadable=())


def _mark(node: dict[str, Any]) -> dict[str, str]:
    return {damage.MARK: node[damage.MARK]} if damage.MARK in node else {}


def _slots(edges: Sequence[dict[str, Any] | None], after: str | None) -> tuple[tuple[Slot, ...], str | None]:
    """Return the places of a page and the cursor behind the last; what follows a null edge has no cursor before it."""
    slots: list[Slot] = []
    for edge in edges:
        slots.append(parsing.slot(edge, after))
        after = sense.text_or_none(edge["cursor"]) if edge else None
    return tuple(slots), after


@sense.understood()
def _page(answer: Answer, asked: PageAsked, *, gaps: bool = False) -> Page:
    """Read the page of an answer; `gaps` takes one in which nothing leads to a place that can't be read.

    Raises Gone if the repository is not there any more, and TooBig if GitHub left the page out, or more than half of
    it, to save itself work.
    """
    node = answer.data["node"]
    if not node and ("node",) in answer.not_found:
        raise Gone("GitHub does not show this repository any more (deleted, or made private)")
    connection = (node or {}).get("pullRequests")
    if not connection or connection["edges"] is None or damage.MARK in node:
        raise TooBig("GitHub left out the whole page") if answer.too_heavy else answer.why("node")
    slots, last = _slots(sense.elements(connection["edges"]), asked.after)
    if not gaps and any(slot.item is None and slot.after is None for slot in slots[1:]):
        raise TooBig("GitHub left out places of a page, and what leads to them")
    lost = sum(slot.item is None for slot in slots)
    if answer.too_heavy and asked.first > 1 and 2 * lost > len(slots):
        raise TooBig(f"GitHub left out {lost} of the {len(slots)} pull requests of a page")
    info = connection["pageInfo"]
    more, end = sense.truth(info["hasNextPage"]), sense.text_or_none(info["endCursor"]) or None
    if end in (None, asked.after) and last is not None:
        end = last  # the cursor of the last pull request leads on as well
    return Page(
        slots=slots,
        total=sense.count(connection["totalCount"]),
        next=end if more else None,
        end=end,
        more=more,
        full_name=sense.full_name(node["nameWithOwner"]),
        is_private=sense.truth(node["isPrivate"]),
        server_time=answer.server_time,
        spent=answer.spent,
    )


def ask(graphql: GraphQL, wants: Sequence[FollowUp], page: Asked | None = None, *, points: int) -> PageAndFollowUps:
    """Ask for several wants and a page in one query, which is expected to cost `points`.

    What can't be answered comes back as such, its neighbours with their answers.  Raises what `GraphQL.execute` raises.
    """
    by_ids = list(islice(filter(by_id, wants), IDS_A_QUERY))
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
    many, first = 0, len(templates)
    match page:
        case PageAsked():
            templates.append("Page")
            variables |= _variables(page)
        case NumbersAsked():
            templates += numbers.templates(page)
            variables |= numbers.variables(page, first)
            many = len(page.numbers)
    document = documents.aliases(tuple(templates), numbers=many)
    answer = graphql.execute(document, variables, points=points, divisible=True)
    return PageAndFollowUps(
        answers=_answers(answer, singles, by_ids),
        page=None if page is None else _page_or_why_not(answer, page, first),
        spent=answer.spent,
    )


@sense.understood()
def _answers(
    answer: Answer, singles: Sequence[FollowUp], by_ids: Sequence[FollowUp]
) -> list[tuple[FollowUp, Named[ItemAnswer]]]:
    paths: list[tuple[str | int, ...]] = [(f"a{number}",) for number in range(len(singles))]
    nodes = [answer.data[f"a{number}"] for number in range(len(singles))]
    if by_ids:
        paths += (("nodes", number) for number in range(len(by_ids)))
        nodes += answer.data["nodes"] or [None] * len(by_ids)
    replies = zip([*singles, *by_ids], nodes, paths, strict=True)
    return [(want, _reply(want, node, path, answer)) for want, node, path in replies]


def _page_or_why_not(answer: Answer, asked: Asked, first: int) -> Page | GitHubError:
    try:
        return _page(answer, asked) if isinstance(asked, PageAsked) else numbers.page(answer, asked, first)
    except GitHubError as error:
        return error


def _variables(page: PageAsked) -> dict[str, object]:
    return {"repository": page.repository, "first": page.first, "after": page.after, "field": page.order}


def _reply(
    want: FollowUp, node: dict[str, Any] | None, path: tuple[str | int, ...], answer: Answer
) -> Named[ItemAnswer]:
    if path in answer.not_found:
        return NotFound()
    try:
        if not node or damage.MARK in node:
            return Unknown(reason=str(answer.why(*path)))
        return _listing(want, node)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)}")


def _listing(want: FollowUp, node: dict[str, Any]) -> ItemAnswer:
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
