"""Answers about issues."""

from __future__ import annotations

from typing import Any

from gh_backfill.simulator.connections import ConnectionPage, Order, by_position
from gh_backfill.simulator.fields import page
from gh_backfill.simulator.query_fields import not_found
from gh_backfill.simulator.rows import AccountRow, IssueRow, PullRequestRow, RepositoryRow


def issue(row: RepositoryRow, info: Any, number: int) -> IssueRow:
    """An issue by its number; the number of a deleted one, or of a pull request, is that of none."""
    found: IssueRow | None = info.context.world.issue(row.id, number)
    if found is None:
        raise not_found(f"Could not resolve to an Issue with the number of {number}.")
    return found


def issues(row: RepositoryRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The issues, in the order that is asked for; `since` is inclusive.  None where a repository has them disabled."""
    shelf = info.context.world.shelves[row.id]
    by = arguments.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    found = shelf.issues if row.has_issues else {}
    keys = [key for key in shelf.ordered_issues(by["field"]) if key[2] in found]
    filters = arguments.get("filterBy") or {}
    states = arguments.get("states") or filters.get("states") or ()
    labels = frozenset(arguments.get("labels") or filters.get("labels") or ())
    since = filters.get("since") or ""
    if states or labels or since:
        keys = [key for key in keys if _matches(found[key[2]], states, labels, since)]
    order = Order(name=by["field"], keys=keys, row=lambda key: found[key[2]], descending=by["direction"] == "DESC")
    return page(info, order, arguments)


def assignees(row: IssueRow | PullRequestRow, info: Any, **arguments: Any) -> ConnectionPage:
    """The users whom an item is assigned to; bots are in `assignedActors` only (microsoft/vscode#7324)."""
    return page(info, by_position([person for person in _assigned(row, info) if person.type == "User"]), arguments)


def assigned_actors(row: IssueRow, info: Any, **arguments: Any) -> ConnectionPage:
    """Whoever an issue is assigned to, bots too."""
    return page(info, by_position(_assigned(row, info)), arguments)


def state_reason(row: IssueRow, _info: Any, **arguments: bool) -> str | None:
    """Say why an issue is closed, in GraphQL's spelling; a duplicate is only so for who asks for it."""
    if row.state_reason == "duplicate" and not arguments.get("enableDuplicate"):
        return "NOT_PLANNED"
    return row.state_reason.upper() if row.state_reason else None


def _matches(issue: IssueRow, states: Any, labels: frozenset[str], since: str) -> bool:
    return (
        (not states or issue.state in states)
        and issue.updated_at >= since
        and (not labels or not labels.isdisjoint(label.name for label in issue.labels))
    )


def _assigned(row: IssueRow | PullRequestRow, info: Any) -> list[AccountRow]:
    """Return the accounts that are still there: whoever deletes an account is no assignee any more."""
    return [person for identity in row.assignees if (person := info.context.person(identity)) is not None]
