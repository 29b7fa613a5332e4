"""Goals as rows of walks have them."""

from __future__ import annotations

from gh_backfill.models.pull_requests import PullRequestState
from gh_backfill.models.work import Goal
from gh_backfill.store.db import Row

_COLUMNS = ("goal_max_items", "goal_since", "goal_until", "goal_states")


def from_row(row: Row) -> Goal:
    """Read the goal of a row that has the columns of one, each null where nothing is said."""
    return Goal(
        max_items=row["goal_max_items"],
        since=row["goal_since"],
        until=row["goal_until"],
        states=tuple(map(PullRequestState, row["goal_states"] or ())),
    )


def with_aim(row: Row) -> Row:
    """Return a row with its goal as `aim` in the place of those columns."""
    return {**{name: value for name, value in row.items() if name not in _COLUMNS}, "aim": from_row(row)}


def params(goal: Goal) -> Row:
    """Return a goal as the parameters of a statement."""
    return {
        "max_items": goal.max_items,
        "goal_since": goal.since,
        "goal_until": goal.until,
        "goal_states": tuple(map(str, goal.states)) or None,
    }
