"""All repositories of an account, as far as the token may see them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gh_backfill.clients import damage, documents, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.errors import Gone, Unreachable
from gh_backfill.models.github import Repository, Unknown

# A thousand requests: whoever has more repositories than that has other troubles.
MOST_PAGES = 1_000
_AT = ("repositoryOwner", "repositories", "nodes")


def repositories_of(graphql: GraphQL, login: str) -> Iterator[list[Repository | Unknown]]:
    """Yield the repositories of a user or an organisation by name, a page of at most 100 at a time; a point each.

    One of which GitHub does not tell is Unknown, and so are all that it counts and did not list in the end.  Raises
    Gone where there is no such account, Unreachable where the list does not lead on, and what `execute` raises.
    """
    after: str | None = None
    been: set[str] = set()
    listed = 0
    for _ in range(MOST_PAGES):
        answer = graphql.execute(documents.aliases(("RepositoriesOfOwner",)), {"login": login, "after": after})
        with sense.understood():
            page = _page(answer, login)
            found = [_told(answer, node, place) for place, node in enumerate(sense.elements(page["nodes"]))]
            info = page["pageInfo"]
            more, after = sense.truth(info["hasNextPage"]), sense.text_or_none(info["endCursor"])
            listed, total = listed + len(found), sense.count(page["totalCount"])
        if not more:
            lost = "GitHub counts it among the repositories of the account, and does not list it"
            yield found + [Unknown(reason=lost)] * (total - listed)
            return
        yield found
        if after is None or after in been or not found:
            break
        been.add(after)
    raise Unreachable(f"GitHub's list of the repositories of {login} does not lead on: try again")


def _page(answer: Answer, login: str) -> dict[str, Any]:
    owner = answer.data.get("repositoryOwner")
    if owner is None and ("repositoryOwner",) not in answer.causes:
        raise Gone(f"GitHub has no account {login}, or shows none of its repositories")
    if owner is None or damage.MARK in owner or owner.get("repositories") is None:
        raise answer.why("repositoryOwner")
    page: dict[str, Any] = owner["repositories"]
    return page


def _told(answer: Answer, node: dict[str, Any] | None, place: int) -> Repository | Unknown:
    if not node or node.get(damage.MARK, damage.MENDED) != damage.MENDED:
        return Unknown(reason=str(answer.why(*_AT, place)))
    try:
        return parsing.repository(node)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {error}")
