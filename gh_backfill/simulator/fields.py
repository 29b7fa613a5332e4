"""Answers that many types of the schema share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from graphql import FieldNode, GraphQLError

from gh_backfill.simulator import derive
from gh_backfill.simulator.connections import ConnectionPage, Order, by_position, check_bounds
from gh_backfill.simulator.options import LargeIntegers
from gh_backfill.simulator.rows import (
    AccountRow,
    IssueComment,
    IssueRow,
    MilestoneRow,
    PullRequestRow,
    RepositoryRow,
    ReviewCommentRow,
    ReviewRow,
)
from gh_backfill.simulator.world import World

SITE = "https://github.com"
_INT32 = 2**31


def page(info: Any, order: Order, arguments: dict[str, Any], count: int | None = None) -> ConnectionPage:
    """Cut a page out of an order; refused where the arguments are wrong."""
    made = ConnectionPage(
        name=info.field_name, order=order, cursors=info.context.cursors, arguments=arguments, count=count
    )
    if arguments.get("first") is None and arguments.get("last") is None and _rows_wanted(info, info.field_nodes):
        check_bounds(made.name, arguments)
    made.check()
    return made


def database_id(row: Any, info: Any) -> int:
    """The 32 bit id, which GitHub gives whatever its size."""
    identity: int = row.id
    if identity >= _INT32 and info.context.options.large_integers is LargeIntegers.NULL:
        raise GraphQLError(f"Integer out of bounds: {identity}")
    return identity


def url(row: Any, info: Any) -> str:
    """The address of the page."""
    return f"{SITE}{resource_path(row, info)}"


def resource_path(row: Any, info: Any) -> str:
    """The path of the page below the site."""
    world: World = info.context.world
    if isinstance(row, AccountRow):
        return f"/{'apps/' if row.type == 'Bot' else ''}{derive.graphql_login(row.id, row.login)}"
    if isinstance(row, RepositoryRow):
        return f"/{row.full_name}"
    repository = world.repositories[row.repository_id]
    if isinstance(row, MilestoneRow):
        return f"/{repository.full_name}/milestone/{row.number}"
    folder = "issues" if world.pull(row.repository_id, row.number) is None else "pull"
    path = f"/{repository.full_name}/{folder}/{row.number}"
    anchors = {ReviewRow: "#pullrequestreview-", ReviewCommentRow: "#discussion_r", IssueComment: "#issuecomment-"}
    anchor = anchors.get(type(row))
    return f"{path}{anchor}{row.id}" if anchor else path


def edges(page: ConnectionPage, info: Any) -> list[tuple[str, Any]]:
    """The rows of a page with their cursors."""
    return [(page.cursor(key), row) for key, row in zip(page.window[0], page_rows(page, info), strict=True)]


def page_rows(page: ConnectionPage, info: Any) -> list[Any]:
    """The rows of a page, counted as given out."""
    rows = page.rows
    info.context.nodes += len(rows)
    return rows


def start_cursor(page: ConnectionPage, _info: Any) -> str | None:
    """The cursor of the first row; null on an empty page."""
    return page.cursor(page.window[0][0]) if page.window[0] else None


def end_cursor(page: ConnectionPage, _info: Any) -> str | None:
    """The cursor of the last row; null on an empty page."""
    return page.cursor(page.window[0][-1]) if page.window[0] else None


def pull(row: Any, info: Any) -> PullRequestRow | None:
    """The pull request that a row belongs to."""
    found: PullRequestRow | None = info.context.world.pull(row.repository_id, row.number)
    return found


def repository_of(row: Any, info: Any) -> RepositoryRow:
    """The repository that a row belongs to."""
    found: RepositoryRow = info.context.world.repositories[row.repository_id]
    return found


def author(row: Any, info: Any) -> AccountRow | None:
    """Who wrote a row; null for a deleted account."""
    found: AccountRow | None = info.context.person(row.author)
    return found


def commit(name: str) -> Callable[..., dict[str, Any] | None]:
    """Make the answer for a commit that a row names by its id."""

    def resolve(row: Any, _info: Any) -> dict[str, Any] | None:
        oid = getattr(row, name)
        return None if oid is None else {"oid": oid, "row": row}

    return resolve


def labels(row: RepositoryRow | PullRequestRow | IssueRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The labels of a repository, a pull request or an issue, in the order of the source or by name."""
    found = info.context.world.shelves[row.id].labels if isinstance(row, RepositoryRow) else row.labels
    by = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    rows = sorted(found, key=lambda label: label.name.lower()) if by["field"] == "NAME" else found
    return page(info, by_position(rows[::-1] if by["direction"] == "DESC" else rows), arguments)


def _rows_wanted(info: Any, nodes: Iterable[Any]) -> bool:
    """Tell whether more than a count is selected, directly or in a fragment."""
    for node in nodes:
        for selected in node.selection_set.selections:
            if isinstance(selected, FieldNode):
                if selected.name.value in ("nodes", "edges", "pageInfo"):
                    return True
            elif _rows_wanted(info, [info.fragments[selected.name.value] if hasattr(selected, "name") else selected]):
                return True
    return False
