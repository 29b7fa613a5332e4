"""The questions of a proof to GitHub: items by their ids, numbers, and things that may be gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gh_backfill import hidden
from gh_backfill.clients import damage, discussions, documents, issues, pull_requests, sense
from gh_backfill.clients.graphql import Answer, GraphQL
from gh_backfill.errors import TooBig
from gh_backfill.models.discussions import Discussion
from gh_backfill.models.github import Named, NodeId, NotFound, Unknown
from gh_backfill.models.issues import Issue
from gh_backfill.models.pull_requests import PullRequest
from gh_backfill.policy.query_prices import MOST_IDS
from gh_backfill.policy.verify.numbers import NumberIs

# Many more were answered in one query; no real answer has shown yet how many are too many.
NUMBERS_A_QUERY = 250
_KINDS = {"PullRequest": NumberIs.PULL_REQUEST, "Issue": NumberIs.ISSUE, "Discussion": NumberIs.DISCUSSION}
_TEMPLATES = {
    "pull_requests": ("PullRequestProofs", "pulls"),
    "issues": ("IssueProofs", "issues"),
    "discussions": ("DiscussionProofs", "discussions"),
}
Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """A repository as it is now: how many items of each kind GitHub counts, and the highest of the newest numbers."""

    node_id: NodeId
    full_name: str
    is_private: bool
    totals: Mapping[str, int]
    highest: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownItem:
    """An item as GitHub shows it, and the repository it is in now.

    `replies` are all replies to the comments of a discussion; None where it has more comments than were looked at.
    """

    repository: NodeId
    full_name: str
    item: PullRequest | Issue | Discussion
    replies: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownNumber:
    """What GitHub shows under a number, and where that is now."""

    what: NumberIs
    repository: NodeId
    full_name: str
    number: int


def home(graphql: GraphQL, repository: NodeId, owner: str, name: str) -> tuple[Named[NodeId], Named[Home]]:
    """Return which repository a name leads to, and the one that has an id.  Raises what `GraphQL.execute` raises."""
    variables = {"repository": repository, "owner": owner, "name": name}
    answer = graphql.execute(documents.aliases(("ProofHome",)), variables)
    return (
        _read(answer, answer.data.get("named"), ("named",), lambda node: sense.node_id(node["id"])),
        _read(answer, answer.data.get("home"), ("home",), _home),
    )


def items(graphql: GraphQL, repository: NodeId, wanted: Sequence[tuple[str, NodeId]]) -> list[Named[ShownItem]]:
    """Return what GitHub says of items, each a kind and an id, in their order.

    What is too much together is asked for in halves.  While the repository itself can't be read nothing is not found,
    but unknown.  Raises what `GraphQL.execute` raises.
    """
    found: list[Named[ShownItem]] = []
    for part in _parts(wanted, MOST_IDS):
        found += _halved(lambda some: _items(graphql, repository, some), part)
    return found


def still_there(graphql: GraphQL, repository: NodeId, ids: Sequence[NodeId]) -> list[Named[NodeId]]:
    """Return which things are still there, asked for by their ids, in their order; otherwise as `items`."""
    found: list[Named[NodeId]] = []
    for part in _parts(ids, MOST_IDS):
        document = documents.aliases(("ProofReadable", "StillThere"))
        answer = graphql.execute(document, {"repository": repository, "ids": list(part)})
        nodes = _list(answer.data.get("nodes"), len(part))
        told = [
            _read(answer, node, ("nodes", place), lambda found: sense.node_id(found["id"]))
            for place, node in enumerate(nodes)
        ]
        found += _known(answer, told)
    return found


def numbers(graphql: GraphQL, repository: NodeId, wanted: Sequence[int]) -> dict[int, Named[ShownNumber]]:
    """Return what numbers are: pull requests and issues first, and what is none of them as discussions.

    A transferred issue may be shown where it is now.  Otherwise as `items`.
    """
    found = _numbers(graphql, repository, wanted, "NumbersAre", documents.NUMBERS)
    others = [number for number in wanted if isinstance(found[number], NotFound)]
    return found | _numbers(graphql, repository, others, "DiscussionsAre", documents.DISCUSSIONS)


def _numbers(
    graphql: GraphQL, repository: NodeId, wanted: Sequence[int], template: str, name: str
) -> dict[int, Named[ShownNumber]]:
    found: dict[int, Named[ShownNumber]] = {}

    def ask(part: Sequence[int]) -> list[Named[ShownNumber]]:
        variables: dict[str, object] = {"repository": repository}
        variables |= {f"q{place}": number for place, number in enumerate(part)}
        document = documents.aliases(("ProofReadable", template), numbers=len(part))
        answer = graphql.execute(document, variables, divisible=len(part) > 1)
        holder = answer.data.get(name) or {}
        return _known(
            answer,
            [_read(answer, holder.get(f"q{place}"), (name, f"q{place}"), _number) for place, _ in enumerate(part)],
        )

    for part in _parts(wanted, NUMBERS_A_QUERY):
        found |= dict(zip(part, _halved(ask, part), strict=True))
    return found


def _items(graphql: GraphQL, repository: NodeId, wanted: Sequence[tuple[str, NodeId]]) -> list[Named[ShownItem]]:
    templates, variables = ["ProofReadable"], dict[str, object](repository=repository)
    for kind, (template, name) in _TEMPLATES.items():
        if ids := [node_id for each, node_id in wanted if each == kind]:
            templates.append(template)
            variables[name] = ids
    answer = graphql.execute(documents.aliases(tuple(templates)), variables, divisible=len(wanted) > 1)
    places = dict.fromkeys(_TEMPLATES, 0)
    told: list[Named[ShownItem]] = []
    for kind, _ in wanted:
        nodes, place = answer.data.get(kind) or (), places[kind]
        node = nodes[place] if place < len(nodes) else None
        told.append(_read(answer, node, (kind, place), _READERS[kind]))
        places[kind] += 1
    return _known(answer, told)


def _known(answer: Answer, told: Sequence[Named[Thing]]) -> list[Named[Thing]]:
    """Return what was told; where the repository can't be read, that something is not found says nothing."""
    if (answer.data.get("readable") or {}).get("id"):
        return list(told)
    reason = "the repository can't be read now"
    return [Unknown(reason=reason) if isinstance(each, NotFound) else each for each in told]


def _read(answer: Answer, node: Any, path: tuple[str | int, ...], read: Any) -> Named[Any]:
    if path in answer.not_found:
        return NotFound()
    try:
        if not node or node.get(damage.MARK, damage.MENDED) != damage.MENDED:
            return Unknown(reason=str(answer.why(*path)))
        return read(node)
    except sense.UNREADABLE as error:
        return Unknown(reason=f"GitHub's answer can't be read: {sense.one_line(error)}")


def _home(node: Mapping[str, Any]) -> Home:
    name, is_private = sense.full_name(node["nameWithOwner"]), sense.truth(node["isPrivate"])
    newest = [
        sense.number(each["number"])
        for connection in ("newestPullRequest", "newestIssue", "newestDiscussion")
        for each in node[connection]["nodes"]
    ]
    return Home(
        node_id=sense.node_id(node["id"]),
        full_name=name,
        is_private=is_private,
        totals={
            "pull_requests": sense.count(node["pullRequests"]["totalCount"]),
            "issues": sense.count(node["issues"]["totalCount"]),
            "discussions": sense.count(node["discussions"]["totalCount"]),
        },
        highest=max(newest, default=0),
    )


def _place(node: Mapping[str, Any]) -> tuple[NodeId, str]:
    """Return the repository that a thing is in; from then on this process knows whether its name may be told."""
    found = node["repository"]
    name = sense.full_name(found["nameWithOwner"])
    hidden.repository(name, str(sense.identity(found["databaseId"])), is_private=sense.truth(found["isPrivate"]))
    return sense.node_id(found["id"]), name


def _pull_request(node: Mapping[str, Any]) -> ShownItem:
    repository, name = _place(node)
    return ShownItem(repository=repository, full_name=name, item=pull_requests.pull_request(node))


def _issue(node: Mapping[str, Any]) -> ShownItem:
    repository, name = _place(node)
    return ShownItem(repository=repository, full_name=name, item=issues.issue(node))


def _discussion(node: Mapping[str, Any]) -> ShownItem:
    repository, name = _place(node)
    item = discussions.discussion(node)
    replies = [sense.count(each["replies"]["totalCount"]) for each in sense.elements(node["first"]["nodes"])]
    whole = len(replies) == item.comments
    return ShownItem(repository=repository, full_name=name, item=item, replies=sum(replies) if whole else None)


_READERS = {"pull_requests": _pull_request, "issues": _issue, "discussions": _discussion}


def _number(node: Mapping[str, Any]) -> ShownNumber:
    repository, name = _place(node)
    return ShownNumber(
        what=_KINDS[node["__typename"]], repository=repository, full_name=name, number=sense.number(node["number"])
    )


def _halved(ask: Any, part: Sequence[Any]) -> list[Any]:
    """Ask for a part; what is too much together is asked for in halves, and what is too much alone is unknown."""
    try:
        return ask(part)  # type: ignore[no-any-return]
    except TooBig as error:
        if len(part) == 1:
            return [Unknown(reason=str(error))]
        half = len(part) // 2
        return [*_halved(ask, part[:half]), *_halved(ask, part[half:])]


def _list(value: Any, length: int) -> list[Any]:
    known = value if isinstance(value, list) else []
    return [*known, *[None] * length][:length]


def _parts(things: Sequence[Thing], size: int) -> Iterator[Sequence[Thing]]:
    return (things[start : start + size] for start in range(0, len(things), size))
