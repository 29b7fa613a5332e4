"""Changes of people in discussions while somebody reads them; `changes` has the rest.

Whether a comment or a reply moves its discussion's `updated_at`, GitHub does not say: each change does it or does not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.discussion_maker import categories, general
from gh_backfill.simulator.discussion_rows import DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.rows import IssueRow, RepositoryRow
from gh_backfill.simulator.targets import next_id, next_time, person_of, repository_of
from gh_backfill.simulator.world import World


def open_discussion(
    world: World,
    repository: str,
    *,
    author: str,
    title: str = "A new one",
    body: str = "",
    category: str = "General",
    at: str | None = None,
) -> DiscussionRow:
    """Open a discussion under the next number; a repository that had them disabled has them then."""
    with world.lock:
        allow_discussions(world, repository)
        home = repository_of(world, repository)
        now = at or next_time(world, home)
        number, identity = world.shelves[home.id].last_number + 1, next_id(world)
        made = DiscussionRow(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.DISCUSSION, home.id, number, identity),
            author=person_of(world, author),
            title=title,
            body=body,
            category=next(each for each in categories(home.id) if each.name == category),
            created_at=now,
            updated_at=now,
        )
        world.shelves[home.id].put_discussion(made)
        return made


def edit_discussion(
    world: World, repository: str, number: int, *, at: str | None = None, **fields: Any
) -> DiscussionRow:
    """Change fields of a discussion, such as `title`, `open` or `answer`; moves `updated_at`."""
    with world.lock:
        home, row = _discussion_of(world, repository, number)
        return _put(world, home, replace(row, **{"updated_at": at or next_time(world, home), **fields}))


def say(
    world: World,
    repository: str,
    number: int,
    *,
    author: str,
    body: str = "Thanks!",
    reply_to: int | None = None,
    moves: bool = True,
    at: str | None = None,
) -> DiscussionCommentRow:
    """Comment on a discussion, or reply to one of its comments."""
    with world.lock:
        home, row = _discussion_of(world, repository, number)
        identity, now = next_id(world), at or next_time(world, home)
        made = DiscussionCommentRow(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(NodeKind.DISCUSSION_COMMENT, home.id, number, identity),
            author=person_of(world, author),
            body=body,
            created_at=now,
            updated_at=now,
            reply_to=reply_to,
        )
        _put(world, home, replace(row, comments=(*row.comments, made), updated_at=now if moves else row.updated_at))
        return made


def edit_said(
    world: World, repository: str, number: int, comment_id: int, *, body: str, moves: bool = True, at: str | None = None
) -> DiscussionCommentRow:
    """Change a comment or a reply."""
    with world.lock:
        home, row = _discussion_of(world, repository, number)
        now = at or next_time(world, home)
        (old,) = (each for each in row.comments if each.id == comment_id)
        made = replace(old, body=body, updated_at=now)
        comments = tuple(made if each is old else each for each in row.comments)
        _put(world, home, replace(row, comments=comments, updated_at=now if moves else row.updated_at))
        return made


def unsay(world: World, repository: str, number: int, comment_id: int) -> None:
    """Delete a comment or a reply; of one that has replies an empty comment stays.  Nobody's `updated_at` moves."""
    with world.lock:
        home, row = _discussion_of(world, repository, number)
        (old,) = (each for each in row.comments if each.id == comment_id)
        kept = [each for each in row.comments if each is not old]
        if row.replies(comment_id):
            now = next_time(world, home)
            kept = [
                replace(each, body="", author=None, deleted_at=now) if each is old else each for each in row.comments
            ]
        answer = None if row.answer == comment_id else row.answer
        _put(world, home, replace(row, comments=tuple(kept), answer=answer))


def delete_discussion(world: World, repository: str, number: int) -> None:
    """Take a discussion away with its comments."""
    with world.lock:
        home, _ = _discussion_of(world, repository, number)
        world.shelves[home.id].remove_discussion(number)


def allow_discussions(world: World, repository: str, *, allowed: bool = True) -> None:
    """Enable or disable the discussions of a repository."""
    with world.lock:
        home = repository_of(world, repository)
        if home.has_discussions != allowed:
            world.replace_repository(replace(home, has_discussions=allowed))


def converted(world: World, home: RepositoryRow, issue: IssueRow, number: int, identity: int) -> DiscussionRow:
    """Return what an issue becomes: a discussion with its author, its text and its comments, which have new ids."""
    comments = []
    for each in issue.comments:
        new = next_id(world)
        comments.append(
            DiscussionCommentRow(
                repository_id=home.id,
                number=number,
                id=new,
                node_id=derive.derived_node_id(NodeKind.DISCUSSION_COMMENT, home.id, number, new),
                author=each.author,
                body=each.body,
                created_at=each.created_at,
                updated_at=each.updated_at,
            )
        )
    return DiscussionRow(
        repository_id=home.id,
        number=number,
        id=identity,
        node_id=derive.derived_node_id(NodeKind.DISCUSSION, home.id, number, identity),
        author=issue.author,
        title=issue.title,
        body=issue.body,
        category=general(home),
        created_at=issue.created_at,
        updated_at=next_time(world, home),
        comments=tuple(comments),
    )


def _discussion_of(world: World, repository: str, number: int) -> tuple[RepositoryRow, DiscussionRow]:
    home = repository_of(world, repository)
    row = world.discussion(home.id, number)
    if row is None:
        raise LookupError(f"{repository} has no discussion #{number}")
    return home, row


def _put(world: World, home: RepositoryRow, row: DiscussionRow) -> DiscussionRow:
    world.shelves[home.id].put_discussion(row)
    return row
