"""All repositories of an account, as far as the token may see them."""

from __future__ import annotations

from collections.abc import Iterator

from gh_backfill.clients import damage, documents, parsing
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.errors import Gone, Unreachable
from gh_backfill.models import Repository

# A thousand requests: whoever has more repositories than that has other troubles.
MOST_PAGES = 1_000


def repositories_of(graphql: GraphQL, login: str) -> Iterator[list[Repository]]:
    """Yield the repositories of a user or an organisation by name, a page of at most 100 at a time; a point each.

    Raises Gone where there is no such account, Unreachable where GitHub leaves out a part, and what `execute` raises.
    """
    after: str | None = None
    for _ in range(MOST_PAGES):
        answer = graphql.execute(documents.aliases(("RepositoriesOfOwner",)), {"login": login, "after": after})
        owner = answer.data.get("repositoryOwner")
        if owner is None and not answer.too_heavy:
            raise Gone(f"GitHub has no account {login}, or shows none of its repositories")
        listed = (owner or {}).get("repositories")
        if not owner or damage.MARK in owner or not listed or None in (listed.get("nodes") or [None]):
            raise Unreachable(f"GitHub left out a part of the repositories of {login}")
        yield [parsing.repository(node) for node in listed["nodes"]]
        following = listed["pageInfo"]["endCursor"] if listed["pageInfo"]["hasNextPage"] else None
        if following is None or following == after:
            return
        after = following
