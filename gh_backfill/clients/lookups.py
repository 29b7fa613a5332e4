"""Look up repositories by name or by id: each is found, not found by GitHub's own word, or unknown for now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from gh_backfill.clients import damage, documents, parsing, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.errors import GitHubError, RateLimited, TooBig, Unexpected, Unreachable
from gh_backfill.models.github import Named, NodeId, NotFound, Repository, Unknown

IDS_A_QUERY = 100
NAMES_A_QUERY = 50
# What GitHub says nothing of is asked again in smaller queries, then alone: (how many a query, how many at most).
AGAIN = ((10, 100), (1, 10))
Key = TypeVar("Key")
Told = list[Named[Repository]]


def repositories_by_name(graphql: GraphQL, names: Sequence[tuple[str, str]]) -> Told:
    """Return what GitHub says of (owner, name) pairs, in their order.

    A renamed repository is found by its old name too, and comes with the new one.  What GitHub does not say at first is
    asked again, a bounded number of times.  Raises what `GraphQL.execute` raises where nothing at all was answered.
    """
    return _told(names, NAMES_A_QUERY, partial(_by_name, graphql))


def repositories_by_id(graphql: GraphQL, node_ids: Sequence[NodeId]) -> Told:
    """Return what GitHub says of node ids, in their order; asks and raises as `repositories_by_name` does."""
    return _told(node_ids, IDS_A_QUERY, partial(_by_id, graphql))


def _by_name(graphql: GraphQL, names: Sequence[tuple[str, str]]) -> Told:
    variables: dict[str, object] = {}
    for number, (owner, name) in enumerate(names):
        variables |= {f"owner{number}": owner, f"name{number}": name}
    document = documents.aliases(("RepositoryByName",) * len(names))
    answer = graphql.execute(document, variables, divisible=len(names) > 1)
    return [_named(answer, answer.data.get(f"a{number}"), f"a{number}") for number in range(len(names))]


def _by_id(graphql: GraphQL, node_ids: Sequence[NodeId]) -> Told:
    document = documents.aliases(("RepositoriesById",))
    answer = graphql.execute(document, {"ids": list(node_ids)}, divisible=len(node_ids) > 1)
    nodes = answer.data.get("nodes")
    nodes = nodes if isinstance(nodes, list) else []
    known = [*nodes, *[None] * len(node_ids)][: len(node_ids)]
    return [_named(answer, node, "nodes", place) for place, node in enumerate(known)]


def _named(answer: Answer, node: dict[str, Any] | None, *path: str | int) -> Named[Repository]:
    if path in answer.not_found:
        return NotFound()
    try:
        if not node or node.get(damage.MARK, damage.MENDED) != damage.MENDED:
            return Unknown(reason=str(answer.why(*path)))
        return parsing.repository(node)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {error}")


def _told(keys: Sequence[Key], most: int, ask: Callable[[Sequence[Key]], Told]) -> Told:
    """Ask for all, then again for what is unknown; what can't be asked at all ends the asking.

    It raises where nothing was answered before it.
    """
    told: Told = [Unknown(reason="GitHub was not asked yet") for _ in keys]
    answered = False
    for size, limit in ((most, len(keys)), *AGAIN):
        waiting = [place for place, each in enumerate(told) if isinstance(each, Unknown)][:limit]
        for places in _parts(waiting, size):
            try:
                answers, answered = ask([keys[place] for place in places]), True
            except (TooBig, Unexpected, Unreachable, RateLimited) as error:
                for place in places:
                    told[place] = Unknown(reason=str(error), passing=not isinstance(error, Unexpected))
                if len(places) > 1 and isinstance(error, TooBig | Unexpected):
                    continue
                return _without_the_rest(told, error, answered=answered)
            for place, each in zip(places, answers, strict=True):
                told[place] = each
    return told


def _without_the_rest(told: Told, error: GitHubError, *, answered: bool) -> Told:
    if not answered:
        raise error
    return [Unknown(reason=str(error)) if isinstance(each, Unknown) else each for each in told]


def _parts(places: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (places[start : start + size] for start in range(0, len(places), size))
