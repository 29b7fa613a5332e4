"""Answers about what a repository holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError

from gh_backfill.simulator import profiles, stars
from gh_backfill.simulator.connections import ConnectionPage, Order, by_position, sorted_by
from gh_backfill.simulator.fields import page, page_rows
from gh_backfill.simulator.options import ClosedStars
from gh_backfill.simulator.query_fields import not_found
from gh_backfill.simulator.rows import AccountRow, IssueRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.star_list import star_of
from gh_backfill.simulator.world import World


def pull_request(row: RepositoryRow, info: Any, number: int) -> PullRequestRow:
    """A pull request by its number."""
    found: PullRequestRow | None = info.context.world.pull(row.id, number)
    if found is None:
        raise not_found(f"Could not resolve to a PullRequest with the number of {number}.")
    return found


def issue_or_pull_request(row: RepositoryRow, info: Any, number: int) -> IssueRow | PullRequestRow:
    """An issue or a pull request by its number."""
    world: World = info.context.world
    found = world.pull(row.id, number) or world.issue(row.id, number)
    if found is None:
        raise not_found(f"Could not resolve to an issue or pull request with the number of {number}.")
    return found


def pull_requests(row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The pull requests; without an order, by id."""
    shelf = info.context.world.shelves[row.id]
    by = arguments.get("orderBy") or {"field": "ID", "direction": "ASC"}
    if by["field"] == "COMMENTS":
        raise GraphQLError("The simulator does not order pull requests by COMMENTS.")
    keys = shelf.ordered(by["field"], arguments.get("states"))
    wanted = {name: arguments[name] for name in ("baseRefName", "headRefName", "labels") if arguments.get(name)}
    if wanted:
        keys = [key for key in keys if _matches(shelf.pull(key[2]), wanted)]
    order = Order(name=by["field"], keys=keys, row=lambda key: shelf.pull(key[2]), descending=by["direction"] == "DESC")
    return page(info, order, arguments)


def _matches(pull: PullRequestRow, wanted: Mapping[str, Any]) -> bool:
    names = {label.name for label in pull.labels}
    return (
        wanted.get("baseRefName") in (None, pull.base_ref)
        and wanted.get("headRefName") in (None, pull.head_ref)
        and (not wanted.get("labels") or not names.isdisjoint(wanted["labels"]))
    )


def repositories_of(row: AccountRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The repositories that an account owns and the asker may see, by name."""
    rows = [
        each
        for each in info.context.world.repositories.values()
        if each.owner_id == row.id
        and info.context.sees(each)
        and arguments.get("isFork") in (None, each.fork)
        and arguments.get("isArchived") in (None, each.archived)
        and (arguments.get("privacy") is None or (arguments["privacy"] == "PRIVATE") == each.private)
    ]
    order = sorted_by("NAME", rows, lambda each: each.name, descending=False)
    beside = profiles.of(row).public_repos if arguments.get("privacy") == "PUBLIC" else 0
    return page(info, order, arguments, count=len(rows) + beside)


def forks(row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The forks that are known."""
    world: World = info.context.world
    by = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    found = world.shelves[row.id].forks.ordered(by["field"], world.repositories)
    order = Order(name=by["field"], keys=found.keys, row=found.row, descending=by["direction"] == "DESC")
    return page(info, order, arguments)


def stargazers(row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """Since 2026-06-30 the list is for those who run the repository."""
    options, world = info.context.options, info.context.world
    shown = stars.shown(world, options, row)
    if not shown and options.closed_stargazers is not ClosedStars.EMPTY:
        raise GraphQLError("Resource not accessible by personal access token", extensions={"type": "FORBIDDEN"})
    keys = world.shelves[row.id].stars.keys if shown else ()
    by = arguments.get("orderBy") or {"direction": "ASC"}
    order = Order(name="STARRED_AT", keys=keys, row=star_of, descending=by["direction"] == "DESC")
    return page(info, order, arguments)


def watchers(_row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """Nobody: who watches is not in the world."""
    return page(info, by_position(()), arguments)


def star_nodes(page: ConnectionPage, info: Any) -> list[AccountRow | None]:
    """The accounts of a page of stars."""
    return [info.context.person(star.account) for star in page_rows(page, info)]
