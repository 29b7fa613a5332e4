"""Answers at the top of a query."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError

from gh_backfill.simulator import derive
from gh_backfill.simulator.rows import AccountRow, RepositoryRow
from gh_backfill.simulator.scope import Scope
from gh_backfill.simulator.world import Node


def not_found(message: str) -> GraphQLError:
    """GitHub's error for what is not there, or not for whoever asks."""
    return GraphQLError(message, extensions={"type": "NOT_FOUND"})


def repository(_: Any, info: Any, owner: str, name: str, **arguments: bool) -> RepositoryRow | None:
    """A repository by its name, following renames unless told not to."""
    scope: Scope = info.context
    if scope.price.dry_run:
        return None
    found = scope.world.repository(owner, name, follow_renames=arguments.get("followRenames", True))
    if found is None or not scope.sees(found):
        raise not_found(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
    return found


def repository_owner(_: Any, info: Any, login: str) -> AccountRow | None:
    """An account that may have repositories; one that is not there is null, without an error."""
    scope: Scope = info.context
    found = None if scope.price.dry_run else scope.world.account_by_login(login)
    return found if found is not None and found.type in ("User", "Organization") else None


def search(_: Any, info: Any, query: str, **_arguments: Any) -> dict[str, int]:
    """How many items are found by `repo:`, `is:pr` or `is:issue`, and `created:>=`; none of a repository not shown."""
    scope: Scope = info.context
    given = dict(word.split(":", 1) for word in query.split())
    owner, _slash, name = given.get("repo", "").partition("/")
    found = None if scope.price.dry_run else scope.world.repository(owner, name)
    if found is None or not scope.sees(found):
        return {"issueCount": 0}
    shelf = scope.world.shelves[found.id]
    pulls = [outline.created_at for outline in shelf.outlines()]
    created = pulls if given.get("is") == "pr" else [issue.created_at for issue in shelf.issues.values()]
    since = given.get("created", "").removeprefix(">=")
    return {"issueCount": sum(each >= since for each in created)}


def node(_: Any, info: Any, id: str) -> Node | None:  # noqa: A002 - the schema names it so
    """Anything by its node id."""
    if info.context.price.dry_run:
        return None
    found = _find(info.context, id)
    if isinstance(found, GraphQLError):
        raise found
    return found


def nodes(_: Any, info: Any, ids: list[str]) -> list[Node | GraphQLError]:
    """Many things by their node ids; what is not there is null, with an error at its place."""
    return [] if info.context.price.dry_run else [_find(info.context, node_id) for node_id in ids]


def _find(scope: Scope, node_id: str) -> Node | GraphQLError:
    found = scope.world.node(node_id)
    if found is None or not _visible(scope, found):
        return not_found(f"Could not resolve to a node with the global id of '{node_id}'")
    scope.nodes += 1
    return found


def _visible(scope: Scope, row: Node) -> bool:
    if isinstance(row, AccountRow):
        return True
    repository = row if isinstance(row, RepositoryRow) else scope.world.repositories.get(row.repository_id)
    return repository is not None and scope.sees(repository)


def rate_limit(_: Any, info: Any, **_arguments: Any) -> dict[str, Any]:
    """The price of this query and how the budget stands."""
    scope: Scope = info.context
    standing = scope.standing
    return {
        "cost": scope.price.cost,
        "limit": standing.limit,
        "nodeCount": scope.price.nodes,
        "remaining": standing.remaining,
        "resetAt": scope.reset_at,
        "used": standing.used,
    }


def viewer(_: Any, info: Any) -> AccountRow:
    """Whoever asks."""
    login = info.context.identity
    identity = derive.derived_user_id(login)
    picture = f"https://avatars.githubusercontent.com/u/{identity}?v=4"
    return AccountRow(
        id=identity, node_id=derive.account_node_id("User", identity), login=login, type="User", avatar_url=picture
    )
