"""What should be stored of a repository whose walk has a goal, read from the world itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from gh_backfill.models.work import Goal
from gh_backfill.simulator.rows import PullRequestRow
from gh_backfill.simulator.world import World
from gh_backfill.store import backfills
from gh_backfill.tasks import capture
from tests.comparison import Differences, compare
from tests.expected import Repository
from tests.storm.expected_world import expected_world, pulls_of
from tests.tasks.conftest import ENGINE, House


def state_of(pull: PullRequestRow) -> str:
    """Return the state of a pull request, as the database spells it."""
    return "open" if pull.open else "merged" if pull.merged_at else "closed"


def pulls(world: World) -> list[PullRequestRow]:
    """Return the pull requests of the large repository, newest first."""
    home = world.repository(*ENGINE.split("/"))
    assert home is not None
    return sorted(pulls_of(world, home.id), key=lambda pull: (pull.created_at, pull.id), reverse=True)


def of_goal(world: World, goal: Goal) -> list[int]:
    """Return the numbers of what a goal is about, newest first."""
    found = [
        pull.number
        for pull in pulls(world)
        if (goal.since is None or datetime.fromisoformat(pull.created_at) >= goal.since)
        and (goal.until is None or datetime.fromisoformat(pull.created_at) < goal.until)
        and (not goal.states or state_of(pull) in goal.states)
    ]
    return found[: goal.max_items]


def expected_of(world: World, numbers: Iterable[int]) -> Repository:
    """Return the large repository with nothing but these pull requests."""
    (whole,) = expected_world(world, ENGINE, moved=True)
    kept = frozenset(numbers)
    return replace(
        whole,
        pull_requests=tuple(each for each in whole.pull_requests if each.number in kept),
        reviews=tuple(each for each in whole.reviews if each.pull_request in kept),
        review_comments=tuple(each for each in whole.review_comments if each.pull_request in kept),
        comments=tuple(each for each in whole.comments if each.pull_request in kept),
    )


def differences(house: House, numbers: Iterable[int]) -> Differences:
    """Compare what is stored with these pull requests and all that belongs to them."""
    with house.db.transaction(read_only=True) as tx:
        return compare(tx, [expected_of(house.github.world, numbers)], stood_still=False)


def aim(house: House, goal: Goal) -> None:
    """Give the backfill of the large repository a goal, as whoever asks for it does."""
    repository = capture.find(house.db, ENGINE)
    with house.db.transaction() as tx:
        backfills.open_backfill(tx, repository.id, total=repository.total or 0, goal=goal)
