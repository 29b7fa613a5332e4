"""Marks of pull requests: labels, assignees, milestones and requests for a review, put on while somebody reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.new_rows import new_review_request
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import PullRequestRow
from gh_backfill.simulator.targets import labels_of, milestone_of, next_time, people_of, person_of, pull_of
from gh_backfill.simulator.world import World

# What stands for a team, and for somebody who is not shown, among the logins whose review is asked for.
TEAM, HIDDEN = "@", "?"


def mark(
    world: World,
    repository: str,
    number: int,
    *,
    labels: Sequence[str] | None = None,
    assignees: Sequence[str] | None = None,
    milestone: str | None = None,
    reviewers: Sequence[str] | None = None,
    moves: bool = True,
    at: str | None = None,
) -> PullRequestRow:
    """Put other marks on a pull request; of what is not given, the old ones stay, and a milestone "" means none.

    `reviewers` are logins, `@name` for a team, `?` for somebody who is not shown.  Whether each of these moves
    `updated_at`, GitHub does not say: `moves` does.
    """
    with world.lock:
        home, pull = pull_of(world, repository, number)
        now = at or next_time(world, home)
        fields: dict[str, Any] = {"updated_at": now} if moves else {}
        if labels is not None:
            fields["labels"] = labels_of(world, home, labels)
        if assignees is not None:
            fields["assignees"] = people_of(world, assignees)
        if milestone is not None:
            fields["milestone"] = milestone_of(world, home, milestone, now) if milestone else None
        if reviewers is not None:
            fields["review_requests"] = tuple(
                _request(world, home.id, number, index, name) for index, name in enumerate(reviewers)
            )
        changed = replace(pull, **fields)
        world.shelves[home.id].put(changed)
        return changed


def _request(world: World, repository_id: int, number: int, index: int, name: str) -> ReviewRequestRow:
    if name == HIDDEN:
        return new_review_request(repository_id, number, index)
    if name.startswith(TEAM):
        known = name.removeprefix(TEAM)
        made = TeamRow(
            id=derive.whole(f"team {known}") % 2**31, node_id=f"T_{derive.derived_oid('team', known)[:16]}", name=known
        )
        return new_review_request(repository_id, number, index, team=made)
    return new_review_request(repository_id, number, index, account=person_of(world, name))
