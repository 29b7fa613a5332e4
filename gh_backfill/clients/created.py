"""Counts of what was created since a day, of which GitHub's lists tell none: its search does, a point for all of them.

The search may lag behind the lists by minutes, and counts none where the token may not search a repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from gh_backfill.clients import documents, sense
from gh_backfill.clients.graphql import GraphQL
from gh_backfill.models.work import PULL_REQUESTS

# The kinds that GitHub's search tells apart, by its own words for them.
_WORDS = {PULL_REQUESTS: "is:pr", "issues": "is:issue"}


def created_since(graphql: GraphQL, full_name: str, since: Mapping[str, datetime]) -> dict[str, int]:
    """Return how many items of each of these kinds were created since its time; without one that GitHub did not tell.

    Raises what `GraphQL.execute` raises.
    https://docs.github.com/en/search-github/searching-on-github/searching-issues-and-pull-requests
    """
    kinds = [kind for kind in since if kind in _WORDS]
    if not kinds:
        return {}
    words = {
        f"words{at}": f"repo:{full_name} {_WORDS[kind]} created:>={since[kind].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        for at, kind in enumerate(kinds)
    }
    answer = graphql.execute(documents.aliases(("CreatedSince",) * len(kinds)), words)
    found: dict[str, int] = {}
    for at, kind in enumerate(kinds):
        try:
            found[kind] = sense.count(answer.data[f"a{at}"]["issueCount"])
        except sense.UNREADABLE:
            continue
    return found
