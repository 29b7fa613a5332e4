"""The target of a change of the world: found by name, or made where it may be."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.rows import IssueRow, LabelRow, MilestoneRow, PullRequestRow, RepositoryRow
from gh_backfill.simulator.world import World

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Ids of what happens later: above those of `synthetic`, below those of `derive`, counted up in each world.
_FIRST_ID = 200_000_000_000_000


def repository_of(world: World, full_name: str) -> RepositoryRow:
    """Return a repository by `owner/name`; LookupError where there is none."""
    owner, _, name = full_name.partition("/")
    found = world.repository(owner, name)
    if found is None:
        raise LookupError(f"there is no repository {full_name} in this world")
    return found


def pull_of(world: World, full_name: str, number: int) -> tuple[RepositoryRow, PullRequestRow]:
    """Return a repository and one of its pull requests; LookupError where there is none."""
    home = repository_of(world, full_name)
    pull = world.pull(home.id, number)
    if pull is None:
        raise LookupError(f"{full_name} has no pull request #{number}")
    return home, pull


def item_of(world: World, full_name: str, number: int) -> IssueRow | PullRequestRow:
    """Return the issue or the pull request of a number; LookupError where there is none."""
    home = repository_of(world, full_name)
    return world.issue(home.id, number) or pull_of(world, full_name, number)[1]


def put(world: World, home: RepositoryRow, row: IssueRow | PullRequestRow) -> None:
    """Put an issue or a pull request in place of the one with its number."""
    if isinstance(row, IssueRow):
        world.shelves[home.id].put_issue(row)
    else:
        world.shelves[home.id].put(row)


def person_of(world: World, login: str) -> int:
    """Return the id of an account, which is made if nobody has that login."""
    found = world.account_by_login(login)
    if found is None:
        found = account({"login": login})
        world.add_account(found)
    return found.id


def people_of(world: World, logins: Sequence[str]) -> tuple[int, ...]:
    """Return the ids of accounts, made where there are none."""
    return tuple(person_of(world, login) for login in logins)


def labels_of(world: World, home: RepositoryRow, names: Sequence[str]) -> tuple[LabelRow, ...]:
    """Return labels by their names, made where there are none."""
    shelf = world.shelves[home.id]
    known = {label.name: label for label in shelf.labels}
    for name in names:
        if name not in known:
            known[name] = LabelRow(id=next_id(world), node_id=derive.label_node_id(home.full_name, name), name=name)
    shelf.labels = tuple(known.values())
    return tuple(known[name] for name in names)


def milestone_of(world: World, home: RepositoryRow, title: str, now: str) -> MilestoneRow:
    """Return a milestone by its title, made if no issue has it."""
    issues = world.shelves[home.id].issues.values()
    known = {issue.milestone.title: issue.milestone for issue in issues if issue.milestone is not None}
    if title in known:
        return known[title]
    number = max((row.number for row in known.values()), default=0) + 1
    node_id = f"MI_{derive.derived_oid(home.id, 'milestone', number)[:16]}"
    return MilestoneRow(
        repository_id=home.id,
        id=next_id(world),
        node_id=node_id,
        number=number,
        title=title,
        created_at=now,
        updated_at=now,
    )


def next_time(world: World, home: RepositoryRow) -> str:
    """Return the time of the next change: now, or just after the last one."""
    shelf = world.shelves[home.id]
    latest = (
        *shelf.ordered("UPDATED_AT")[-1:],
        *shelf.ordered_issues("UPDATED_AT")[-1:],
        *shelf.ordered_discussions("UPDATED_AT")[-1:],
    )
    last = max((key[0] for key in latest), default="")
    after = datetime.strptime(last, _FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1) if last else None
    now = datetime.fromtimestamp(time.time(), UTC)
    return (max(now, after) if after else now).strftime(_FORMAT)


def next_id(world: World) -> int:
    """Return an id that nothing has."""
    world.events += 1
    return _FIRST_ID + world.events
