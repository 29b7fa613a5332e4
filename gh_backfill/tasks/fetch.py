"""Fetch one chunk: the page, and then what its pull requests still lack, until nothing is left.  No database here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import TooBig
from gh_backfill.models import Claim, CompletePullRequest, Spent, Unreadable
from gh_backfill.policy.completeness import TRIES, Gathering, all_wants
from gh_backfill.policy.progress import page_limit, wanted
from gh_backfill.policy.wants import Slot, Want, pack


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A page as GitHub gave it, its wanted pull requests complete, what could not be read, and what all of it cost.

    `read` counts the places of the page, `kept` those that the stream is about.
    """

    page: github.Page
    items: tuple[CompletePullRequest, ...]
    unreadable: tuple[Unreadable, ...]
    kept: int
    spent: Spent

    @property
    def read(self) -> int:
        """Return how many pull requests the page had, readable or not, wanted or not."""
        return len(self.page.slots)


def fetch(graphql: GraphQL, repository_node_id: str, claim: Claim, alive: Callable[[], None] = lambda: None) -> Chunk:
    """Fetch the chunk of a claim; `alive` is called before every further query, to keep the claim alive.

    What GitHub fails to read is asked for again, alone; what stays unreadable comes back as such.  Raises TooBig if the
    page, or the smallest query that completes it, is too heavy.
    """
    order = _order(claim)
    page = github.page(
        graphql,
        repository_node_id,
        first=page_limit(claim.stream, claim.page_size),
        after=claim.after,
        order=order,
    )
    slots, spent = _salvage(graphql, repository_node_id, page.slots, order, alive)
    slots, cost = _identify(graphql, repository_node_id, slots, order)
    spent += cost
    kept = wanted(claim.stream, slots)
    gatherings = [Gathering(slot.item) for slot in kept if slot.item is not None]
    spent += complete(graphql, gatherings, alive)
    return Chunk(
        page=page,
        items=tuple(gathering.complete() for gathering in gatherings),
        unreadable=tuple(
            each for slot in kept for each in slot.unreadable if slot.item is None or each.kind == "pull_request"
        ),
        kept=len(page.slots) - (len(slots) - len(kept)),
        spent=page.spent + spent,
    )


def skip(graphql: GraphQL, repository_node_id: str, claim: Claim, reason: str) -> Chunk:
    """Return a chunk that steps over the one pull request that can't be read, with its number and the reason."""
    page = github.outline(graphql, repository_node_id, after=claim.after, order=_order(claim))
    lost = tuple(replace(each, reason=reason) for slot in page.slots for each in slot.unreadable)
    return Chunk(page=page, items=(), unreadable=lost, kept=len(page.slots), spent=page.spent)


def complete(graphql: GraphQL, gatherings: Sequence[Gathering], alive: Callable[[], None] = lambda: None) -> Spent:
    """Ask, many pull requests at a time, for what they lack, until they are complete; returns what it cost."""
    spent = Spent()
    while wants := dict(_owners(gatherings)):
        queries = deque(pack(wants))
        while queries:
            query = queries.popleft()
            alive()
            try:
                answers, cost = github.top_up(graphql, query)
            except TooBig:
                if len(query) == 1:
                    raise
                half = len(query) // 2
                queries.extendleft((query[half:], query[:half]))
                continue
            spent += cost
            for want, answer in answers:
                wants[want].take(want, answer)
    return spent


def _salvage(
    graphql: GraphQL,
    repository_node_id: str,
    slots: Sequence[Slot],
    order: github.Order,
    alive: Callable[[], None],
) -> tuple[list[Slot], Spent]:
    """Keep the good places of a page, ask for the others again; those that are gone meanwhile are left out."""
    by_place = {slot.after: slot for slot in slots}
    spent = Spent()
    for _ in range(TRIES - 1):
        spoilt = [slot for slot in by_place.values() if slot.unreadable]
        if not spoilt:
            break
        alive()
        fresh, cost = github.again(graphql, repository_node_id, spoilt, order)
        spent += cost
        by_place |= {slot.after: slot for slot in fresh}
    return [slot for slot in by_place.values() if slot.item is not None or slot.unreadable], spent


def _identify(
    graphql: GraphQL, repository_node_id: str, slots: Sequence[Slot], order: github.Order
) -> tuple[list[Slot], Spent]:
    """Learn the number of what stays unreadable, so that it can be tried again by it."""
    spent = Spent()
    known: list[Slot] = []
    for slot in slots:
        if slot.item is None and any(each.number is None for each in slot.unreadable):
            page = github.outline(graphql, repository_node_id, after=slot.after, order=order)
            spent += page.spent
            named = [each for place in page.slots for each in place.unreadable]
            lost = tuple(
                replace(each, number=name.number, identity=name.identity)
                for each, name in zip(slot.unreadable, named, strict=False)
            )
            known.append(replace(slot, unreadable=lost or slot.unreadable))
        else:
            known.append(slot)
    return known, spent


def _order(claim: Claim) -> github.Order:
    return "CREATED_AT" if claim.stream.kind == "history" else "UPDATED_AT"


def _owners(gatherings: Sequence[Gathering]) -> list[tuple[Want, Gathering]]:
    return [(want, gathering) for gathering, want in all_wants(gatherings)]
