"""Ask GitHub for pages of items of any kind, for single ones, and for what completes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, assert_never

from gh_backfill.clients import damage, documents, numbers, page_lists, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.clients.item_queries import ItemQueries, ListQuery
from gh_backfill.clients.pages import Asked, KnownNumber, NumbersAsked, Order, Page, PageAsked, place_name
from gh_backfill.errors import GitHubError
from gh_backfill.models.github import Listing, Named, NodeId, NotFound, Spent, Unknown
from gh_backfill.policy import query_prices
from gh_backfill.policy.items import FollowUp, Slot
from gh_backfill.policy.query_prices import MOST_IDS, UNITS_OF_ONE_POINT


@dataclass(frozen=True, kw_only=True, slots=True)
class PageAndFollowUps:
    """What one query brought: an answer to each follow-up, or why there is none; the page, or why it is not there."""

    answers: Sequence[tuple[FollowUp, Named[Listing[object]]]]
    page: Page | GitHubError | None
    spent: Spent


def outline(graphql: GraphQL, queries: ItemQueries, asked: Asked) -> Page:
    """Return the places of a page whose items can't be read: their slots are `Unreadable` by design.

    Nothing may lead to some of them.
    """
    if isinstance(asked, NumbersAsked):
        answer = graphql.execute(documents.aliases(("Numbers",)), {"repository": asked.repository})
        return numbers.page(answer, replace(asked, numbers=()), first=0)
    templates = page_lists.templates(queries, asked, queries.outline)
    answer = graphql.execute(documents.aliases(tuple(templates)), page_lists.variables(asked))
    return page_lists.page(answer, queries, asked, gaps=True)


def again(
    graphql: GraphQL,
    queries: ItemQueries,
    repository_node_id: NodeId,
    slots: Sequence[Slot],
    order: Order,
    states: Sequence[str] = (),
) -> tuple[list[Slot], Spent]:
    """Ask once more for items of a page, each alone by its place; one that is gone comes back empty."""
    fresh: list[Slot] = []
    spent = Spent()
    units = queries.units + 1
    for part in _parts(slots, UNITS_OF_ONE_POINT // units):
        variables: dict[str, object] = {
            "repository": repository_node_id,
            "field": order,
            **page_lists.in_states(states),
        }
        variables |= {f"after{number}": slot.after for number, slot in enumerate(part)}
        answer = graphql.execute(
            documents.aliases((queries.after,) * len(part)),
            variables,
            points=query_prices.points(units * len(part)),
        )
        spent += answer.spent
        with sense.understood():
            fresh += [
                _again(queries, answer.data[f"a{number}"], slot, place_name(slot.after, order, states))
                for number, slot in enumerate(part)
            ]
    return fresh, spent


def again_by_number(
    graphql: GraphQL, queries: ItemQueries, repository_node_id: NodeId, slots: Sequence[Slot]
) -> tuple[list[Slot], Spent]:
    """Do what `again` does for slots whose places are numbers."""
    found, spent = by_number(graphql, queries, repository_node_id, [int(slot.after or 0) for slot in slots])
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
    graphql: GraphQL, queries: ItemQueries, repository_node_id: NodeId, wanted: Sequence[int]
) -> tuple[dict[int, Named[Slot]], Spent]:
    """Return items by their numbers, as far as GitHub tells of them."""
    found: dict[int, Named[Slot]] = {}
    spent = Spent()
    for part in _parts(wanted, UNITS_OF_ONE_POINT // max(1, queries.units)):
        variables: dict[str, object] = {"repository": repository_node_id}
        variables |= {f"number{index}": number for index, number in enumerate(part)}
        answer = graphql.execute(
            documents.aliases((queries.by_number,) * len(part)),
            variables,
            points=query_prices.points(queries.units * len(part)),
            divisible=True,
        )
        spent += answer.spent
        with sense.understood():
            for index, number in enumerate(part):
                found[number] = _by_number(queries, answer, (f"a{index}", documents.ONE), number)
    return found, spent


def _by_number(queries: ItemQueries, answer: Answer, path: tuple[str, str], number: int) -> Named[Slot]:
    if path in answer.not_found:
        return NotFound()
    holder = answer.data[path[0]] or {}
    if holder.get(documents.ONE) is None:
        return Unknown(reason=str(answer.why(*path)))
    return parsing.slot(queries, {"node": holder[documents.ONE], **_mark(holder)}, None, f"#{number}")


def _again(queries: ItemQueries, node: dict[str, Any] | None, slot: Slot, place: str) -> Slot:
    edges = ((node or {}).get(queries.connection) or {}).get("edges")
    if node is None or edges is None or damage.MARK in node:
        return slot
    if not edges:
        return Slot(after=slot.after, item=None, unreadable=())
    return parsing.slot(queries, edges[0], slot.after, place)


def _mark(node: dict[str, Any]) -> dict[str, str]:
    return {damage.MARK: node[damage.MARK]} if damage.MARK in node else {}


def ask(
    graphql: GraphQL, queries: ItemQueries, follow_ups: Sequence[FollowUp], page: Asked | None = None, *, points: int
) -> PageAndFollowUps:
    """Ask for several follow-ups and a page in one query, which is expected to cost `points`.

    What can't be answered comes back as such, its neighbours with their answers.  Raises what `GraphQL.execute` raises.
    """
    together = _Together()
    for follow_up in sorted(follow_ups, key=lambda follow_up: queries.lists[type(follow_up)].alone):
        together.add(follow_up, queries.lists[type(follow_up)])
    together.list_ids(queries)
    templates, variables, first = together.templates, together.variables, len(together.templates)
    many = 0
    match page:
        case PageAsked():
            templates += page_lists.templates(queries, page, queries.page)
            variables |= page_lists.variables(page)
        case NumbersAsked():
            templates += numbers.templates(page)
            variables |= numbers.variables(page, first)
            many = len(page.numbers)
        case None:
            pass
        case _:
            assert_never(page)
    document = documents.aliases(tuple(templates), numbers=many)
    answer = graphql.execute(document, variables, points=points, divisible=True)
    return PageAndFollowUps(
        answers=together.answers(answer, queries),
        page=None if page is None else _page_or_why_not(answer, queries, page, first),
        spent=answer.spent,
    )


@dataclass(kw_only=True, slots=True)
class _Together:
    """Follow-ups on their way into one query: under an alias each, or in the list of ids of their type."""

    templates: list[str] = field(default_factory=list)
    variables: dict[str, object] = field(default_factory=dict)
    _alone: list[FollowUp] = field(default_factory=list)
    _by_ids: dict[type[FollowUp], list[FollowUp]] = field(default_factory=dict)

    def add(self, follow_up: FollowUp, query: ListQuery) -> None:
        """Take a follow-up."""
        listed = self._by_ids.setdefault(type(follow_up), [])
        if follow_up.by_ids is not None and len(listed) < MOST_IDS:
            listed.append(follow_up)
            return
        number = len(self._alone)
        self._alone.append(follow_up)
        self.templates.append(query.alone)
        self.variables |= {f"id{number}": follow_up.node_id, f"after{number}": follow_up.after}
        if query.first is not None:
            self.variables[f"first{number}"] = query.first(follow_up)

    def list_ids(self, queries: ItemQueries) -> None:
        """Add the lists of ids, after the aliases, whose places are their numbers."""
        for kind, listed in self._by_ids.items():
            query = queries.lists[kind]
            if listed and query.by_ids is not None:
                self.templates.append(query.by_ids)
                self.variables[query.ids] = [follow_up.node_id for follow_up in listed]

    @sense.understood()
    def answers(self, answer: Answer, queries: ItemQueries) -> list[tuple[FollowUp, Named[Listing[object]]]]:
        """Return what an answer says to each follow-up."""
        found = [
            (follow_up, _answered(queries, follow_up, answer.data[f"a{number}"], (f"a{number}",), answer))
            for number, follow_up in enumerate(self._alone)
        ]
        for kind, listed in self._by_ids.items():
            if listed:
                name = queries.lists[kind].name
                nodes = answer.data[name] or [None] * len(listed)
                found += [
                    (follow_up, _answered(queries, follow_up, node, (name, place), answer))
                    for place, (follow_up, node) in enumerate(zip(listed, nodes, strict=True))
                ]
        return found


def _page_or_why_not(answer: Answer, queries: ItemQueries, asked: Asked, first: int) -> Page | GitHubError:
    try:
        if isinstance(asked, NumbersAsked):
            return numbers.page(answer, asked, first)
        return page_lists.page(answer, queries, asked)
    except GitHubError as error:
        return error


def _answered(
    queries: ItemQueries,
    follow_up: FollowUp,
    node: Mapping[str, Any] | None,
    path: tuple[str | int, ...],
    answer: Answer,
) -> Named[Listing[object]]:
    if path in answer.not_found:
        return NotFound()
    try:
        if not node or damage.MARK in node:
            return Unknown(reason=str(answer.why(*path)))
        return queries.lists[type(follow_up)].read(follow_up, node)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)}")


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
