"""Fetch one chunk: the page, and then what its pull requests still lack, until nothing is left.  No database here."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from gh_backfill.clients import github
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import TooBig
from gh_backfill.models import Claim, CompletePullRequest, Spent
from gh_backfill.policy.completeness import Gathering, Want, all_wants, pack
from gh_backfill.policy.progress import page_limit, wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """A page as GitHub gave it, its wanted pull requests complete, and what both cost together."""

    page: github.Page
    items: tuple[CompletePullRequest, ...]
    spent: Spent

    @property
    def read(self) -> int:
        """Return how many pull requests the page had, readable or not, wanted or not."""
        return len(self.page.items) + len(self.page.unreadable)


def fetch(graphql: GraphQL, repository_node_id: str, claim: Claim) -> Chunk:
    """Fetch the chunk of a claim.  Raises TooBig if the page, or the smallest query that completes it, is too heavy."""
    stream = claim.stream
    page = github.page(
        graphql,
        repository_node_id,
        first=page_limit(stream, claim.page_size),
        after=claim.after,
        order="CREATED_AT" if stream.kind == "history" else "UPDATED_AT",
    )
    gatherings = [Gathering(item) for item in wanted(stream, page.items)]
    spent = page.spent + complete(graphql, gatherings)
    return Chunk(page=page, items=tuple(gathering.complete() for gathering in gatherings), spent=spent)


def complete(graphql: GraphQL, gatherings: Sequence[Gathering]) -> Spent:
    """Ask, many pull requests at a time, for what they lack, until they are complete; returns what it cost."""
    spent = Spent()
    while wants := dict(_owners(gatherings)):
        queries = deque(pack(wants))
        while queries:
            query = queries.popleft()
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


def _owners(gatherings: Sequence[Gathering]) -> list[tuple[Want, Gathering]]:
    return [(want, gathering) for gathering, want in all_wants(gatherings)]
