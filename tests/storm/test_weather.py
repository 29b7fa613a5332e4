"""The people at work in the simulated world."""

from __future__ import annotations

from gh_backfill.simulator.loading import load
from gh_backfill.simulator.rows import IssueRow
from gh_backfill.simulator.world import World
from tests.storm.expected_world import expected_world
from tests.storm.weather import Mover

NAME = "octo/moving"


def moved() -> tuple[Mover, World]:
    world = load(recipes=[f"{NAME}:120:discussions=12"])
    mover = Mover(world, (NAME,), 1)
    for _ in range(400):
        mover.move()
    return mover, world


def issues_of(world: World) -> list[IssueRow]:
    return [issue for shelf in world.shelves.values() for issue in shelf.issues.values()]


def test_people_do_everything_to_issues_that_can_be_done_to_them() -> None:
    mover, world = moved()
    assert mover.done.keys() >= {
        "open_issue", "edit_issue", "comment_on_issue", "label", "assign", "plan", "close_or_reopen", "edit_comment",
        "delete_comment", "delete_issue",
    }  # fmt: skip
    (repository,) = expected_world(world, moved=True)
    assert len(repository.issues) == len(issues_of(world))
    assert {issue.number for issue in repository.issues} >= {comment.issue for comment in repository.issue_comments}
    assert mover.deleted


def test_people_do_everything_in_discussions_that_can_be_done_there() -> None:
    mover, world = moved()
    assert mover.done.keys() >= {
        "open_discussion", "edit_discussion", "say", "edit_said", "unsay", "delete_discussion",
    }  # fmt: skip
    there = [row for shelf in world.shelves.values() for row in shelf.discussions.values()]
    assert any(row.title.startswith("Edited ") for row in there)
    assert not mover.deleted & {each.id for row in there for each in row.comments}
