"""Pull requests by their numbers: read those that are known, and find out which of the next numbers are some."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gh_backfill.clients import damage, documents, parsing, pull_requests, sense
from gh_backfill.clients.graphql import Answer
from gh_backfill.clients.pages import KnownNumber, NumbersAsked, Page
from gh_backfill.errors import Gone, TooBig
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.policy.items import Slot
from gh_backfill.policy.surcharges import Counted


def templates(asked: NumbersAsked) -> list[str]:
    """Return what of `capture.graphql` it takes."""
    ids, alone = _by_id(asked), _alone(asked)
    return ["PullRequestByNumber"] * len(alone) + ["Known"] * bool(ids) + ["Numbers"]


def variables(asked: NumbersAsked, first: int) -> dict[str, object]:
    """Return the variables of those templates, of which the first is at this place of the query."""
    found: dict[str, object] = {"repository": asked.repository}
    found |= {f"q{place}": number for place, number in enumerate(asked.numbers)}
    found |= {f"number{place}": known.number for place, known in enumerate(_alone(asked), first)}
    return found | ({"known": [known.node_id for known in ids]} if (ids := _by_id(asked)) else {})


@sense.understood()
def page(answer: Answer, asked: NumbersAsked, first: int) -> Page:
    """Read the pull requests, but for those that are none or gone, and what is told of the numbers after them.

    Its places are numbers; `first` is the place of its first template in the query.  Where the next page begins is for
    the caller to say.  Raises Gone, TooBig and Unreachable as a page by cursor does.
    """
    node = answer.data[documents.NUMBERS]
    if not node and (documents.NUMBERS,) in answer.not_found:
        raise Gone("GitHub does not show this repository any more (deleted, or made private)")
    if not node or (node.get("pullRequests") or {}).get("totalCount") is None:
        raise TooBig("GitHub left out the whole page") if answer.too_heavy else answer.why(documents.NUMBERS)
    slots = _slots(answer, asked, first)
    lost = sum(slot.item is None for slot in slots)
    if answer.too_heavy and asked.first > 1 and 2 * lost > len(slots):
        raise TooBig(f"GitHub left out {lost} of {len(slots)} pull requests")
    return Page(
        slots=slots,
        total=sense.count(node["pullRequests"]["totalCount"]),
        next=None,
        end=None,
        full_name=sense.full_name(node["nameWithOwner"]),
        is_private=sense.truth(node["isPrivate"]),
        server_time=answer.server_time,
        spent=answer.spent,
        told=_told(node, answer, asked),
    )


def named(slot: Slot, known: KnownNumber) -> Slot:
    """Return a slot whose place is the number, and whose losses name the pull request."""
    lost = tuple(
        replace(each, number=known.number, identity=known.node_id or f"#{known.number}")
        if each.number is None
        else each
        for each in slot.unreadable
    )
    return replace(slot, after=str(known.number), unreadable=lost)


def counted(asked: NumbersAsked) -> Counted:
    """Return what of it has a price beside its pull requests: its fields at the root, and one count."""
    ids = bool(_by_id(asked))
    return Counted(ids=ids, aliases=len(_alone(asked)) + ids + 1, counts=1)


def _by_id(asked: NumbersAsked) -> list[KnownNumber]:
    return [known for known in asked.known if known.node_id is not None]


def _alone(asked: NumbersAsked) -> list[KnownNumber]:
    return [known for known in asked.known if known.node_id is None]


def _slots(answer: Answer, asked: NumbersAsked, first: int) -> tuple[Slot, ...]:
    nodes = answer.data.get("known") or ()
    holders: dict[int, tuple[tuple[str | int, ...], Any, Any]] = {}
    for place, known in enumerate(_by_id(asked)):
        node = nodes[place] if place < len(nodes) else None
        holders[known.number] = ("known", place), node, node
    for place, known in enumerate(_alone(asked), first):
        holder = answer.data.get(f"a{place}")
        holders[known.number] = (f"a{place}", documents.ONE), holder, (holder or {}).get(documents.ONE)
    slots = []
    for known in asked.known:
        path, holder, node = holders[known.number]
        if path not in answer.not_found:
            reason = "GitHub did not say what it is" if node is None else holder.get(damage.MARK)
            edge = {"node": node} | ({damage.MARK: reason} if reason else {})
            slots.append(named(parsing.slot(pull_requests.QUERIES, edge, None, f"#{known.number}"), known))
    return tuple(slots)


def _told(node: dict[str, Any], answer: Answer, asked: NumbersAsked) -> dict[int, Named[NodeId]]:
    return {number: _number(node.get(f"q{place}"), answer, f"q{place}") for place, number in enumerate(asked.numbers)}


def _number(found: dict[str, Any] | None, answer: Answer, alias: str) -> Named[NodeId]:
    """Return the id of a pull request; an issue has none here, for it is not found as one."""
    if (documents.NUMBERS, alias) in answer.not_found:
        return NotFound()
    if found is None or damage.MARK in found:
        return Unknown(reason=str(answer.why(documents.NUMBERS, alias)))
    return sense.node_id(found["id"]) if "id" in found else NotFound()
