"""From GitHub's JSON to our values, the only place that knows its field names.

What can't be read becomes `Unreadable`: its neighbours are kept.  A missing author is a deleted account (ghost), but a
null that GitHub put there because it could not answer is marked by `damage`, and spoils what holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from gh_backfill import hidden
from gh_backfill.clients import sense
from gh_backfill.clients.damage import MARK, MENDED
from gh_backfill.clients.item_queries import ItemQueries, Node
from gh_backfill.clients.sense import UNREADABLE, count, identity, node_id, text, text_or_none, truth
from gh_backfill.models.events import StarsAndForks
from gh_backfill.models.github import GHOST, Listing, Person, Repository, Unreadable
from gh_backfill.models.pull_requests import Comment
from gh_backfill.policy.items import PageItem, Slot

Thing = TypeVar("Thing")


def time(value: str | None) -> datetime | None:
    """Read GitHub's ISO time as UTC; None stays None."""
    return None if value is None else sense.moment(value)


def person(node: Node | None) -> Person:
    """Read an actor.  None is a deleted account; so is one without an id, which nothing could ever match."""
    if node is None or node.get("databaseId") is None:
        return GHOST
    return _person(
        node["__typename"], node["databaseId"], node["login"], node.get("name"), node.get("avatarUrl"), node.get("id")
    )


def comment(node: Node) -> Comment:
    """Read one comment of a conversation; raises KeyError, TypeError or ValueError where a part is missing."""
    return Comment(
        github_id=identity(node["fullDatabaseId"]),
        author=person(node["author"]),
        body=text(node["body"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        node_id=node_id(node["id"]),
    )


def slot(queries: ItemQueries, edge: Node | None, after: str | None, place: str) -> Slot:
    """Read one place of a page; `after` is the cursor that leads to it, `place` what it is called where it is lost."""
    node = edge.get("node") if isinstance(edge, dict) else None
    reason = _mark(edge)
    item: PageItem | None = None
    lost: list[Unreadable] = []
    try:
        item = queries.read(node or {}) if reason is None or _only_mended(node, reason) else None
    except UNREADABLE as error:
        reason = reason or f"{type(error).__name__}: {error}"
    if item is None or reason is not None:
        unread = _unreadable(node, queries.item, reason or "GitHub gave nothing", None, place)
        # Without its number it can't be asked for again by anything but its place.
        lost.append(unread if unread.number is not None else replace(unread, identity=place))
    if item is not None:
        lost += item.unreadable
    return Slot(after=after, item=item, unreadable=tuple(lost))


def listing(node: Node, kind: str, read: Callable[[Node], Thing], number: int | None = None) -> Listing[Thing]:
    """Read one page of a connection; what can't be read, or not be believed, becomes an `Unreadable` of `kind`.

    What has no id is called by its kind, and by the `number` of the item where that is known here.
    """
    items: list[Thing] = []
    unreadable: list[Unreadable] = []
    for child in sense.elements(node["nodes"]):
        reason = _mark(child)
        try:
            if reason is None or _only_mended(child, reason):
                items.append(read(child))
        except UNREADABLE as error:
            reason = reason or f"{type(error).__name__}: {error}"
        if reason is not None:
            place = kind if number is None else f"{kind} of #{number}"
            unreadable.append(_unreadable(child, kind, reason, number, place))
    info = node["pageInfo"]
    return Listing(
        items=tuple(items),
        total=count(node["totalCount"]),
        next=text_or_none(info["endCursor"]) if truth(info["hasNextPage"]) else None,
        unreadable=tuple(unreadable),
    )


def repository(node: Node) -> Repository:
    """Read a repository's metadata; from then on this process knows whether its name may be told."""
    number, is_private = identity(node["databaseId"]), truth(node["isPrivate"])
    hidden.repository(sense.full_name(node["nameWithOwner"]), str(number), is_private=is_private)
    return Repository(
        node_id=node_id(node["id"]),
        github_id=number,
        owner=text(node["owner"]["login"]),
        name=text(node["name"]),
        is_private=is_private,
        pull_requests=count(node["pullRequests"]["totalCount"]),
        others={kind: count(node[kind]["totalCount"]) for kind in ("issues", "discussions") if node.get(kind)},
        description=text_or_none(node["description"]),
        homepage=text_or_none(node["homepageUrl"]),
        language=_name(node["primaryLanguage"]),
        license=_name(node["licenseInfo"]),
        default_branch=_name(node["defaultBranchRef"]),
        avatar_url=text_or_none(node["owner"]["avatarUrl"]),
        is_fork=truth(node["isFork"]),
        is_archived=truth(node["isArchived"]),
        is_disabled=truth(node["isDisabled"]),
        is_template=truth(node["isTemplate"]),
        has_issues=truth(node["hasIssuesEnabled"]),
        has_projects=truth(node["hasProjectsEnabled"]),
        has_wiki=truth(node["hasWikiEnabled"]),
        has_discussions=truth(node["hasDiscussionsEnabled"]),
        stars=count(node["stargazerCount"]),
        forks=count(node["forkCount"]),
        size=count(node["diskUsage"] or 0, most=sense.MOST_ID),
        created_at=time(node["createdAt"]),
        updated_at=time(node["updatedAt"]),
        pushed_at=time(node["pushedAt"]),
    )


def stars_and_forks(node: Node) -> StarsAndForks | None:
    """Read what stands beside something else and spoils none of it: what is missing or odd is unknown, never zero."""
    try:
        return StarsAndForks(stars=count(node["stargazerCount"]), forks=count(node["forkCount"]))
    except sense.UNREADABLE:
        return None


# Who writes once writes often: a repository has far more comments than people.
@lru_cache(maxsize=10_000, typed=True)
def _person(kind: Any, number: Any, login: Any, name: Any, avatar_url: Any, own_id: Any) -> Person:
    is_bot = kind == "Bot"
    suffix = "[bot]" if is_bot and not text(login).endswith("[bot]") else ""
    return Person(
        github_id=identity(number),
        login=text(login) + suffix,
        is_bot=is_bot,
        name=text_or_none(name),
        avatar_url=text_or_none(avatar_url),
        node_id=None if own_id is None else node_id(own_id),
    )


def _only_mended(node: Node | None, reason: str) -> bool:
    """Say whether a marked node is whole but for a few characters: then it is stored, and reported all the same."""
    return node is not None and reason == MENDED


def _mark(node: Node | None) -> str | None:
    return node.get(MARK) if isinstance(node, dict) else None


def _unreadable(node: Node | None, kind: str, reason: str, number: int | None, place: str) -> Unreadable:
    known: Node = node if isinstance(node, dict) else {}
    missing = next((name for name in ("fullDatabaseId", "id") if name in known and known[name] is None), None)
    return Unreadable(
        kind=kind,
        identity=str(known.get("id") or known.get("fullDatabaseId") or place),
        reason=f"{missing} is missing" if missing else reason,
        number=_number(known.get("number"), number),
        payload={key: value for key, value in known.items() if key != MARK},
        created_at=_created_at(known),
    )


def _created_at(node: Node) -> datetime | None:
    try:
        return time(node.get("createdAt"))
    except UNREADABLE:
        return None


def _number(value: Any, otherwise: int | None) -> int | None:
    try:
        return otherwise if value is None else sense.number(value)
    except UNREADABLE:
        return otherwise


def _name(node: Node | None) -> str | None:
    return None if node is None else text(node["name"])
