"""What each fault does.

`instead` answers in place of the server, which then neither runs nor charges the request; `data` changes the decoded
answer of a GraphQL query that ran, `ends` how its lists end, for which it sees the variables; `wire` changes the answer
on its way out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gh_backfill.simulator import refusals
from gh_backfill.simulator.faults import Fault
from gh_backfill.simulator.messages import Delivery, Response, reply
from gh_backfill.simulator.refusals import Exhausted, Secondary

Path = list[str | int]
Answer = dict[str, Any]
_TOO_MUCH = "Resource limits for this query exceeded."
_SAML = (
    "Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this "
    "organization."
)


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What the effect may want to know: the time, the path asked for, the user's id."""

    now: float
    path: str
    user_id: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a fault does, in words and in code."""

    text: str
    instead: Callable[[Fault, Moment], Response] | None = None
    data: Callable[[Fault, Answer], None] | None = None
    ends: Callable[[Fault, Answer, Mapping[str, Any]], None] | None = None
    wire: Callable[[Fault, Response], Response] | None = None


def _limit_resources(fault: Fault, answer: Answer) -> None:
    most = int(fault.size or 25)
    for path, value in list(_objects(answer.get("data"), [])):
        connection = value.get("pullRequests")
        if not isinstance(connection, dict):
            continue
        nodes: list[Any] = connection.get("nodes") or []
        edges: list[Any] = connection.get("edges") or []
        for index in range(len(nodes) if len(nodes) > most else 0):
            nodes[index] = None
            _complain(answer, [*path, "pullRequests", "nodes", index], "RESOURCE_LIMITS_EXCEEDED")
        for index in range(len(edges) if len(edges) > most else 0):
            if edges[index] is None:
                continue
            edges[index]["node"] = None
            _complain(answer, [*path, "pullRequests", "edges", index, "node"], "RESOURCE_LIMITS_EXCEEDED")


def _null_with_error(fault: Fault, answer: Answer) -> None:
    for path, value in list(_objects(answer.get("data"), [])):
        numbers = [name for name, child in value.items() if _told(child)]
        for name in ("author", "body", *numbers):
            if value.get(name) is not None and _chosen(fault, value, path, name):
                value[name] = None
                _complain(answer, [*path, name], "RESOURCE_LIMITS_EXCEEDED")


def _null_named(kind: str | None, message: str) -> Callable[[Fault, Answer], None]:
    def null(fault: Fault, answer: Answer) -> None:
        data = answer.get("data") or {}
        all_of_them = fault if fault.size is not None else replace(fault, size=1.0)
        for name, value in list(data.items()):
            if name == "rateLimit":
                continue
            holder, keys = (value, range(len(value))) if isinstance(value, list) else (data, (name,))
            for key in keys:
                path = [name, key] if isinstance(value, list) else [name]
                if isinstance(holder[key], dict) and _chosen(all_of_them, holder[key], path, "named"):
                    holder[key] = None
                    _complain(answer, path, kind, message)

    return null


def _told(value: Any) -> bool:
    """Say whether this is the answer to `issueOrPullRequest`."""
    return isinstance(value, dict) and value.get("__typename") in ("Issue", "PullRequest")


def _shrink(fault: Fault, answer: Answer) -> None:
    """Nested means: below another connection's node, or below an alias."""
    most = int(fault.size or 10)
    for path, value in _objects(answer.get("data"), []):
        nodes = value.get("nodes")
        if isinstance(nodes, list) and {"nodes", "edges"} & set(path) and len(nodes) > most:
            del nodes[most:]
            if "totalCount" in value:
                value["totalCount"] = most
            if isinstance(value.get("pageInfo"), dict) and "hasNextPage" in value["pageInfo"]:
                value["pageInfo"]["hasNextPage"] = False


def _spoil_body(text: str) -> Callable[[Fault, Answer], None]:
    def spoil(fault: Fault, answer: Answer) -> None:
        for path, value in _objects(answer.get("data"), []):
            if isinstance(value.get("body"), str) and _chosen(fault, value, path, "body"):
                half = len(value["body"]) // 2
                value["body"] = value["body"][:half] + text + value["body"][half:]

    return spoil


def _drop_id(fault: Fault, answer: Answer) -> None:
    for path, value in _objects(answer.get("data"), []):
        if value.get("fullDatabaseId") is not None and "id" in value and _chosen(fault, value, path, "fullDatabaseId"):
            value["fullDatabaseId"] = None


def _null_edge(fault: Fault, answer: Answer) -> None:
    for path, value in list(_objects(answer.get("data"), [])):
        edges = value.get("edges") or []
        for index, edge in enumerate(edges):
            if edge is not None and _chosen(fault, edge.get("node") or {}, [*path, index], "edge"):
                edges[index] = None


def _double(_fault: Fault, answer: Answer) -> None:
    for _, value in list(_objects(answer.get("data"), [])):
        edges = value.get("edges") or []
        if len(edges) > 1 and None not in edges[:2]:
            edges[1] = edges[0]


def _first_places(answer: Answer) -> Iterator[Answer]:
    for _, value in list(_objects(answer.get("data"), [])):
        yield from (edge for edge in (value.get("edges") or [])[:1] if edge is not None and edge.get("node"))


def _leave_out_the_newest(_fault: Fault, answer: Answer) -> None:
    for edge in _first_places(answer):
        edge["node"] = None


def _huge_number(_fault: Fault, answer: Answer) -> None:
    for edge in _first_places(answer):
        edge["node"]["number"] = 2**31 - 1


def _wrong_cursors(_fault: Fault, answer: Answer) -> None:
    for _, value in list(_objects(answer.get("data"), [])):
        edges = [edge for edge in value.get("edges") or [] if edge is not None]
        for edge in edges:
            edge["cursor"] = edges[-1]["cursor"]


def _no_cursor(fault: Fault, answer: Answer, _variables: Mapping[str, Any]) -> None:
    for _, connection in _lists(fault, answer):
        _go_on_at(connection, None)


def _old_cursor(fault: Fault, answer: Answer, variables: Mapping[str, Any]) -> None:
    for path, connection in _lists(fault, answer):
        place = str(path[0])[1:]
        asked = variables.get(f"after{place}" if place.isdecimal() else "after")
        if (cursor := fault.cursor or asked) is not None:
            _go_on_at(connection, cursor)


def _go_on_at(connection: Answer, cursor: str | None) -> None:
    connection["pageInfo"] |= {"hasNextPage": True, "endCursor": cursor}
    for edge in filter(None, connection.get("edges") or ()):
        edge["cursor"] = cursor


def _empty(fault: Fault, answer: Answer, _variables: Mapping[str, Any]) -> None:
    for _, connection in _lists(fault, answer):
        connection["pageInfo"]["hasNextPage"] = True
        for rows in ("nodes", "edges"):
            if rows in connection:
                connection[rows] = []


def _lists(fault: Fault, answer: Answer) -> list[tuple[Path, Answer]]:
    """The connections of an answer that are read page by page, all or those of one name."""
    return [
        (path, value)
        for path, value in _objects(answer.get("data"), [])
        if "hasNextPage" in value.get("pageInfo", ()) and fault.on in ("", path[-1])
    ]


def _count_more(fault: Fault, answer: Answer) -> None:
    for path, value in _objects(answer.get("data"), []):
        if "totalCount" in value and path[-1] == (fault.on or "pullRequests"):
            value["totalCount"] += int(fault.size or 1)


def _empty_list(_fault: Fault, response: Response) -> Response:
    """Empty a list of REST that says it has more."""
    if not response.body.startswith(b"["):
        return response
    return replace(response, body=b"[]").with_headers({"Link": '<https://api.github.com/?page=2>; rel="next"'})


def _cut(fault: Fault, response: Response) -> Response:
    return replace(response, body=response.body[: int(len(response.body) * (fault.size or 0.5))])


def _secondary(shape: Secondary) -> Callable[[Fault, Moment], Response]:
    return lambda fault, moment: refusals.slow_down(shape, int(fault.size or 60), moment.now)


def _exhausted(shape: Exhausted) -> Callable[[Fault, Moment], Response]:
    return lambda fault, moment: reply(refusals.points_used_up(shape, moment.user_id))


EFFECTS: dict[str, Effect] = {
    "502_json": Effect(
        text="502 with GraphQL's `Something went wrong` body and no rate limit headers, the usual time-out",
        instead=lambda fault, moment: refusals.timed_out(moment.now),
    ),
    "502_html": Effect(text="502 with a page of HTML", instead=lambda fault, moment: refusals.bad_gateway()),
    "504": Effect(text="504 `We couldn't respond in time`", instead=lambda fault, moment: refusals.no_answer_in_time()),
    "200_timeout": Effect(
        text="200 with the `Something went wrong` body",
        instead=lambda fault, moment: reply(refusals.went_wrong(moment.now, timeout=False)),
    ),
    "truncated": Effect(text="200 with JSON cut off at `size` (0.5) of its length", wire=_cut),
    "reset": Effect(
        text="the request is carried out and charged, then the connection is cut before the answer",
        wire=lambda fault, response: replace(response, delivery=Delivery.RESET),
    ),
    "stall": Effect(
        text="the request is carried out and charged, then nothing is sent until either side gives up",
        wire=lambda fault, response: replace(response, delivery=Delivery.STALLED),
    ),
    "secondary_a": Effect(
        text="a secondary limit with `retry-after: size` (60)", instead=_secondary(Secondary.RETRY_AFTER)
    ),
    "secondary_b": Effect(
        text="a secondary limit with `x-ratelimit-reset` in `size` (60) seconds",
        instead=_secondary(Secondary.RESET_SOON),
    ),
    "secondary_c": Effect(text="a secondary limit with ordinary headers", instead=_secondary(Secondary.SILENT)),
    "rate_limited": Effect(
        text="200 `type: RATE_LIMITED`, whatever is left", instead=_exhausted(Exhausted.RATE_LIMITED)
    ),
    "rate_limit": Effect(
        text="200 `type: RATE_LIMIT`, `code: graphql_rate_limit`", instead=_exhausted(Exhausted.RATE_LIMIT)
    ),
    "resource_limits": Effect(
        text="pages of more than `size` (25) pull requests come back as nulls, one RESOURCE_LIMITS_EXCEEDED each",
        data=_limit_resources,
    ),
    "null_with_error": Effect(
        text="in `size` (0.1) of all objects `author`, `body` or `issueOrPullRequest` is null with an error at it",
        data=_null_with_error,
    ),
    "node_unread": Effect(
        text="`size` (1) of what is named (`repository`, `node`, `nodes`, `viewer`) is null: RESOURCE_LIMITS_EXCEEDED",
        data=_null_named("RESOURCE_LIMITS_EXCEEDED", _TOO_MUCH),
    ),
    "node_forbidden": Effect(
        text="`size` (1) of what is named is null with FORBIDDEN, as an organisation with SAML answers",
        data=_null_named("FORBIDDEN", _SAML),
    ),
    "node_untyped": Effect(
        text="`size` (1) of what is named is null with an error that has no type",
        data=_null_named(None, "Something is wrong here."),
    ),
    "shrink": Effect(
        text="connections below a node end at `size` (10) rows, as if there were no more, without an error",
        data=_shrink,
    ),
    "phantoms": Effect(
        text="`size` (1) more are counted than listed of the connection `on` (pullRequests)", data=_count_more
    ),
    "no_cursor": Effect(
        text="lists (`on`: those of this name) say that there is more and give no cursor", ends=_no_cursor
    ),
    "old_cursor": Effect(
        text="lists (`on`: those of this name) go on at `cursor`, or where they were asked to begin", ends=_old_cursor
    ),
    "empty_page": Effect(text="lists (`on`: those of this name) have no rows and say that there is more", ends=_empty),
    "empty_list": Effect(text="a list of REST has no rows and says that there is more", wire=_empty_list),
    "bad_credentials": Effect(
        text="401 `Bad credentials`", instead=lambda fault, moment: refusals.bad_credentials(moment.path)
    ),
    "forbidden": Effect(
        text="403 `Resource not accessible by integration`", instead=lambda fault, moment: refusals.not_accessible()
    ),
    "blocked": Effect(text="451 `Repository access blocked`", instead=lambda fault, moment: refusals.blocked()),
    "nul_in_body": Effect(text="`size` (0.1) of all bodies have a NUL character in them", data=_spoil_body("\0")),
    "lone_surrogate": Effect(
        text="`size` (0.1) of all bodies have half of a surrogate pair in them", data=_spoil_body("\ud83d")
    ),
    "null_edge": Effect(
        text="`size` (0.1) of the places of a page are null, their cursors too, without an error", data=_null_edge
    ),
    "double": Effect(text="the second place of a page holds what the first one holds", data=_double),
    "newest_unread": Effect(text="the first place of a page is null, without an error", data=_leave_out_the_newest),
    "huge_number": Effect(text="the first place of a page has the number 2,147,483,647", data=_huge_number),
    "wrong_cursors": Effect(text="every place of a page leads to what follows the page", data=_wrong_cursors),
    "missing_id": Effect(
        text="`size` (0.1) of all objects have `fullDatabaseId: null`, without an error", data=_drop_id
    ),
}


def _chosen(fault: Fault, value: Answer, path: Path, name: str) -> bool:
    """Choose by what the object is, so that the same one is chosen at every reading."""
    what = value.get("id") or "/".join(map(str, path))
    digest = hashlib.blake2b(f"{fault.seed}:{name}:{what}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") < (0.1 if fault.size is None else fault.size) * 2**32


def _objects(value: Any, path: Path) -> Iterator[tuple[Path, Answer]]:
    """All objects of an answer with their paths, from the top down."""
    if isinstance(value, dict):
        yield path, value
        for key, child in list(value.items()):
            yield from _objects(child, [*path, key])
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _objects(child, [*path, index])


def _complain(answer: Answer, path: Path, kind: str | None, message: str = _TOO_MUCH) -> None:
    error = {"path": path, "message": message}
    answer.setdefault("errors", []).append(error if kind is None else {"type": kind} | error)
