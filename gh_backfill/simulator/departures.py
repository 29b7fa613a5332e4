"""Things that leave their place: issues that are transferred or become discussions, and comments that are deleted.

What GitHub's API shows of them afterwards is not documented: each function can do it in the ways that were reported.
"""

from __future__ import annotations

from dataclasses import replace

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKey, NodeKind
from gh_backfill.simulator.discussing import converted
from gh_backfill.simulator.discussion_rows import DiscussionRow
from gh_backfill.simulator.rows import IssueRow, ReviewCommentRow
from gh_backfill.simulator.targets import next_id, next_time, pull_of, put, repository_of
from gh_backfill.simulator.world import World


def transfer_issue(
    world: World, repository: str, number: int, *, to: str, followed: bool = True, keeps_id: bool = True
) -> IssueRow:
    """Move an issue to another repository, where it gets the next number.

    Whoever asks for its old number is shown it in its new place where that is `followed`, else nothing.  It `keeps_id`,
    or is a copy of which the old id knows nothing.
    """
    with world.lock:
        home, target = repository_of(world, repository), repository_of(world, to)
        old, shelf = world.shelves[home.id], world.shelves[target.id]
        issue, new_number = old.issues[number], shelf.last_number + 1
        identity = issue.id if keeps_id else next_id(world)
        node_id = derive.derived_node_id(NodeKind.ISSUE, target.id, new_number, identity)
        moved = replace(
            issue,
            repository_id=target.id,
            number=new_number,
            id=identity,
            node_id=issue.node_id if keeps_id else node_id,
            updated_at=next_time(world, target),
            comments=tuple(replace(each, repository_id=target.id, number=new_number) for each in issue.comments),
        )
        old.remove_issue(number)
        shelf.moved.pop(new_number, None)
        shelf.put_issue(moved)
        if keeps_id:
            world.place_node(issue.node_id, NodeKey(NodeKind.ISSUE, target.id, new_number, identity))
        if followed:
            old.moved = {**old.moved, number: (target.id, new_number)}
        return moved


def convert_issue(
    world: World, repository: str, number: int, *, stays: bool = False, renumbered: bool = False
) -> DiscussionRow:
    """Make a discussion of an issue, under its number or a new one; the issue goes, or `stays`, closed and locked."""
    with world.lock:
        home = repository_of(world, repository)
        shelf = world.shelves[home.id]
        issue = shelf.issues[number]
        if stays:
            now = next_time(world, home)
            put(world, home, replace(issue, open=False, locked=True, closed_at=now, updated_at=now))
        else:
            shelf.remove_issue(number)
        place, identity = shelf.last_number + 1 if renumbered else number, next_id(world)
        made = converted(world, home, issue, place, identity)
        shelf.put_discussion(made)
        return made


def delete_review_comment(world: World, repository: str, number: int, comment_id: int) -> ReviewCommentRow:
    """Take a comment on the difference away; nobody's `updated_at` moves."""
    with world.lock:
        home, pull = pull_of(world, repository, number)
        (gone,) = (row for row in pull.review_comments if row.id == comment_id)
        put(world, home, replace(pull, review_comments=tuple(row for row in pull.review_comments if row is not gone)))
        return gone


def delete_review(world: World, repository: str, number: int, review_id: int) -> None:
    """Take a review away with its comments; nobody's `updated_at` moves."""
    with world.lock:
        home, pull = pull_of(world, repository, number)
        kept = tuple(row for row in pull.review_comments if row.review_id != review_id)
        reviews = tuple(row for row in pull.reviews if row.id != review_id)
        put(world, home, replace(pull, reviews=reviews, review_comments=kept))
