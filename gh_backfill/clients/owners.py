"""All repositories of an account, as far as the token may see them."""

from __future__ import annotations

from collections.abc import Iterator

from gh_backfill.clients import damage, documents, parsing, sense
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
    been: set[str] = set()
    for _ in range(MOST_PAGES):
        answer = graphql.execute(documents.aliases(("RepositoriesOfOwner",)), {"login": login, "after": after})
        owner = answer.data.get("repositoryOwner")
        if owner is None and ("repositoryOwner",) not in answer.causes:
            raise Gone(f"GitHub has no account {login}, or shows none of its repositories")
        with sense.understood():
            if owner is None or damage.MARK in owner:
                raise answer.why("repositoryOwner")
            listed = owner["repositories"]
            found = [parsing.repository(node) for node in sense.elements(listed["nodes"])]
            info = listed["pageInfo"]
            following = sense.text(info["endCursor"]) if sense.truth(info["hasNextPage"]) else None
        yield found
        if following is None:
            return
        if following in been or not found:
            raise Unreachable(f"GitHub's list of the repositories of {login} does not lead on: try again")
        been.add(following)
        after = following
