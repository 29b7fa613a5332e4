"""Damage that faults do to the decoded answer of a query, each in place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from gh_backfill.simulator.faults import Fault

Path = list[str | int]
Answer = dict[str, Any]
PAGES = ("pullRequests", "issues", "discussions")
# How the node ids of issues begin: as they are now, and as they were, which is `05:Issue` in base 64; and those of
# discussions and their comments.
_DISCUSSIONS = ("D_", "DC_")
_WITH_LISTS = ("I_", "MDU6SXNzdWU", *_DISCUSSIONS)
TOO_MUCH = "Resource limits for this query exceeded."


def limit_resources(fault: Fault, answer: Answer) -> None:
    """Null every row of a page that is too large, each with an error."""
    most = int(fault.size or 25)
    for path, value in list(_objects(answer.get("data"), [])):
        for name in PAGES:
            connection = value.get(name)
            if not isinstance(connection, dict):
                continue
            nodes: list[Any] = connection.get("nodes") or []
            edges: list[Any] = connection.get("edges") or []
            for index in range(len(nodes) if len(nodes) > most else 0):
                nodes[index] = None
                _complain(answer, [*path, name, "nodes", index], "RESOURCE_LIMITS_EXCEEDED")
            for index in range(len(edges) if len(edges) > most else 0):
                if edges[index] is None:
                    continue
                edges[index]["node"] = None
                _complain(answer, [*path, name, "edges", index, "node"], "RESOURCE_LIMITS_EXCEEDED")


def null_with_error(fault: Fault, answer: Answer) -> None:
    """Null what may be null, with an error at it: `labels` is a list that may."""
    for path, value in list(_objects(answer.get("data"), [])):
        numbers = [name for name, child in value.items() if _told(child)]
        for name in ("author", "body", "labels", "milestone", "answer", "requestedReviewer", *numbers):
            if value.get(name) is not None and _chosen(fault, value, path, name):
                value[name] = None
                _complain(answer, [*path, name], "RESOURCE_LIMITS_EXCEEDED")


def null_named(kind: str | None, message: str) -> Callable[[Fault, Answer], None]:
    """Null what is named at the root of a query, with an error of this type."""

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


def shrink(fault: Fault, answer: Answer) -> None:
    """End nested connections early: those below another connection's node, or below a node of many that are named."""
    most = int(fault.size or 10)
    for path, value in _objects(answer.get("data"), []):
        nodes = value.get("nodes")
        if isinstance(nodes, list) and _is_nested(path) and len(nodes) > most:
            del nodes[most:]
            if "totalCount" in value:
                value["totalCount"] = most
            if isinstance(value.get("pageInfo"), dict) and "hasNextPage" in value["pageInfo"]:
                value["pageInfo"]["hasNextPage"] = False


def _is_nested(path: Path) -> bool:
    return bool({"nodes", "edges"} & set(path)) or (len(path) > 1 and isinstance(path[1], int))


def spoil_body(text: str) -> Callable[[Fault, Answer], None]:
    """Put a text into the middle of bodies, and of the descriptions of labels and milestones."""

    def spoil(fault: Fault, answer: Answer) -> None:
        for path, value in _objects(answer.get("data"), []):
            named = "milestone" in path or "labels" in path or "category" in path
            for name in ("body", "description") if named else ("body",):
                if isinstance(value.get(name), str) and _chosen(fault, value, path, name):
                    half = len(value[name]) // 2
                    value[name] = value[name][:half] + text + value[name][half:]

    return spoil


def drop_id(fault: Fault, answer: Answer) -> None:
    """Null the numeric ids of rows, and those of assignees and discussions, which have none for 64 bits."""
    for path, value in _objects(answer.get("data"), []):
        discussed = str(value.get("id")).startswith(_DISCUSSIONS)
        name = "databaseId" if "assignees" in path or discussed else "fullDatabaseId"
        known = "id" in value or name == "databaseId"
        if value.get(name) is not None and known and _chosen(fault, value, path, name):
            value[name] = None


def null_edge(fault: Fault, answer: Answer) -> None:
    """Null places of a page, and rows of the lists below an issue."""
    for path, rows in _pages(answer):
        for index, row in enumerate(rows):
            if row is not None and _chosen(fault, row.get("node", row) or {}, [*path, index], "edge"):
                rows[index] = None


def double(_fault: Fault, answer: Answer) -> None:
    """Put what the first place holds into the second one."""
    for _, rows in _pages(answer):
        if len(rows) > 1 and None not in rows[:2]:
            rows[1] = rows[0]


def _pages(answer: Answer) -> Iterator[tuple[Path, list[Any]]]:
    """The rows of pages, and those of the lists of issues, discussions and their comments."""
    for path, value in list(_objects(answer.get("data"), [])):
        if value.get("edges"):
            yield path, value["edges"]
        if str(value.get("id")).startswith(_WITH_LISTS):
            for name, child in value.items():
                if isinstance(child, dict) and child.get("nodes"):
                    yield [*path, name], child["nodes"]


def _first_places(answer: Answer) -> Iterator[Answer]:
    for _, value in list(_objects(answer.get("data"), [])):
        yield from (edge for edge in (value.get("edges") or [])[:1] if edge is not None and edge.get("node"))


def leave_out_the_newest(_fault: Fault, answer: Answer) -> None:
    """Null what the first place of a page holds."""
    for edge in _first_places(answer):
        edge["node"] = None


def huge_number(_fault: Fault, answer: Answer) -> None:
    """Give what the first place of a page holds a number that nothing has."""
    for edge in _first_places(answer):
        edge["node"]["number"] = 2**31 - 1


def wrong_cursors(_fault: Fault, answer: Answer) -> None:
    """Let every place of a page lead to what follows the page."""
    for _, value in list(_objects(answer.get("data"), [])):
        edges = [edge for edge in value.get("edges") or [] if edge is not None]
        for edge in edges:
            edge["cursor"] = edges[-1]["cursor"]


def no_cursor(fault: Fault, answer: Answer, _variables: Mapping[str, Any]) -> None:
    """Say that lists go on, and not where."""
    for _, connection in _lists(fault, answer):
        _go_on_at(connection, None)


def old_cursor(fault: Fault, answer: Answer, variables: Mapping[str, Any]) -> None:
    """Let lists go on where they were asked to begin, or at the cursor of the fault."""
    for path, connection in _lists(fault, answer):
        place = str(path[0])[1:]
        asked = variables.get(f"after{place}" if place.isdecimal() else "after")
        if (cursor := fault.cursor or asked) is not None:
            _go_on_at(connection, cursor)


def _go_on_at(connection: Answer, cursor: str | None) -> None:
    connection["pageInfo"] |= {"hasNextPage": True, "endCursor": cursor}
    for edge in filter(None, connection.get("edges") or ()):
        edge["cursor"] = cursor


def empty(fault: Fault, answer: Answer, _variables: Mapping[str, Any]) -> None:
    """Empty lists that say that they go on."""
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


def count_more(fault: Fault, answer: Answer) -> None:
    """Count more than there are."""
    for path, value in _objects(answer.get("data"), []):
        if "totalCount" in value and path[-1] in ((fault.on,) if fault.on else PAGES):
            value["totalCount"] += int(fault.size or 1)


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


def _complain(answer: Answer, path: Path, kind: str | None, message: str = TOO_MUCH) -> None:
    error = {"path": path, "message": message}
    answer.setdefault("errors", []).append(error if kind is None else {"type": kind} | error)
