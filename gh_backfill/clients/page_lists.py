"""Pages of a list by its cursors: what asks for one, and how its answer is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gh_backfill.clients import damage, parsing, sense
from gh_backfill.clients.graphql import Answer
from gh_backfill.clients.item_queries import ItemQueries
from gh_backfill.clients.pages import Page, PageAsked, place_name
from gh_backfill.errors import Gone, TooBig
from gh_backfill.policy.items import Slot


def templates(queries: ItemQueries, asked: PageAsked, template: str) -> list[str]:
    """Return the templates of a query for a page: its own, after the one that counts what its list does not."""
    if asked.counting is None:
        return [template]
    if queries.count is None:
        raise ValueError(f"a list of {queries.items} has all of them")
    return [queries.count, template]


def variables(asked: PageAsked) -> dict[str, object]:
    """Return the variables of those templates."""
    found = {"repository": asked.repository, "first": asked.first, "after": asked.after, "field": asked.order}
    return {**found, **in_states(asked.states), **({"counting": list(asked.counting)} if asked.counting else {})}


def in_states(states: Sequence[str]) -> dict[str, object]:
    """Return the variable that names states; without it a list has all of them."""
    return {"states": list(states)} if states else {}


@sense.understood()
def page(answer: Answer, queries: ItemQueries, asked: PageAsked, *, gaps: bool = False) -> Page:
    """Read the page of an answer; `gaps` takes one in which nothing leads to a place that can't be read.

    Raises Gone if the repository is not there any more, and TooBig if GitHub left the page out, or more than half of
    it, to save itself work.
    """
    node = answer.data["node"]
    if not node and ("node",) in answer.not_found:
        raise Gone("GitHub does not show this repository any more (deleted, or made private)")
    connection = (node or {}).get(queries.connection)
    if not connection or connection["edges"] is None or damage.MARK in node:
        raise TooBig("GitHub left out the whole page") if answer.too_heavy else answer.why("node")
    slots, last = _slots(queries, sense.elements(connection["edges"]), asked)
    if not gaps and any(slot.item is None and slot.after is None for slot in slots[1:]):
        raise TooBig("GitHub left out places of a page, and what leads to them")
    lost = sum(slot.item is None for slot in slots)
    if answer.too_heavy and asked.first > 1 and 2 * lost > len(slots):
        raise TooBig(f"GitHub left out {lost} of the {len(slots)} {queries.items} of a page")
    listed = sense.count(connection["totalCount"])
    counted = None if asked.counting is None else _counted(answer, queries)
    info = connection["pageInfo"]
    more, end = sense.truth(info["hasNextPage"]), sense.text_or_none(info["endCursor"]) or None
    if end in (None, asked.after) and last is not None:
        end = last  # the cursor of the last one leads on as well
    return Page(
        slots=slots,
        total=counted if asked.states and counted is not None else listed,
        wanted=listed if asked.states else counted,
        next=end if more else None,
        end=end,
        more=more,
        full_name=sense.full_name(node["nameWithOwner"]),
        is_private=sense.truth(node["isPrivate"]),
        server_time=answer.server_time,
        spent=answer.spent,
        counted=parsing.stars_and_forks(node),
    )


def _slots(
    queries: ItemQueries, edges: Sequence[dict[str, Any] | None], asked: PageAsked
) -> tuple[tuple[Slot, ...], str | None]:
    """Return the places of a page and the cursor behind the last; what follows a null edge has no cursor before it."""
    slots: list[Slot] = []
    after = asked.after
    for edge in edges:
        slots.append(parsing.slot(queries, edge, after, place_name(after, asked.order, asked.states)))
        after = sense.text_or_none(edge["cursor"]) if edge else None
    return tuple(slots), after


def _counted(answer: Answer, queries: ItemQueries) -> int:
    """Read what was counted beside a list; a page without it is no answer."""
    connection = (answer.data["counted"] or {}).get(queries.connection)
    if not connection or connection.get("totalCount") is None:
        raise TooBig("GitHub left out a count") if answer.too_heavy else answer.why("counted")
    return sense.count(connection["totalCount"])
