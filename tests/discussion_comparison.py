"""Discussions as they are stored against those of a simulated world, row by row and value by value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import ceil
from typing import Any

from gh_backfill.simulator.discussion_rows import DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.rows import RepositoryRow
from gh_backfill.simulator.world import World
from gh_backfill.store.db import Transaction
from tests.comparison import Difference, Differences

GHOST = (10137, "ghost")
UNITS = 149
Values = dict[str, Any]

_STORED = """
    select 'discussion' as what, d.node_id as key, d.github_id::text as github_id, d.number, d.title, d.body,
           d.category_id, d.category_name, d.category_description, d.category_emoji, d.author_id, d.author_login,
           d.created_at,
           d.updated_at, d.is_answered, d.answer_id, d.answer_chosen_at, d.answer_chosen_by, d.upvote_count,
           d.comment_count as many, d.url, d.locked, d.state, d.state_reason, d.closed_at, null as parent
    from discussions d join repositories r on r.id = d.repository_id
    where r.github_id = %(id)s and d.gone_at is null
    union all
    select 'comment', c.node_id, c.github_id::text, c.discussion_number, d.title, c.body, null, null, null, null,
           c.author_github_id, c.author_login, c.created_at, c.updated_at, c.is_answer, null, c.deleted_at, null,
           c.upvote_count, c.reply_count, c.url, null, null, null, null, p.github_id::text
    from discussion_comments c
    join discussions d on d.id = c.discussion_id
    join repositories r on r.id = d.repository_id
    left join discussion_comments p on p.id = c.parent_comment_id
    where r.github_id = %(id)s and c.gone_at is null
"""
# Of these nothing tells where the world has moved: who is called otherwise, and what was deleted.
_UNTOLD = frozenset({"author_login", "answer_chosen_by", "many", "url"})


def differences(tx: Transaction, world: World, name: str) -> list[str]:
    """Name each row that is missing, too much, or not as GitHub has it."""
    return sorted(str(each) for each in compare_discussions(tx, world, name).found)


def compare_discussions(tx: Transaction, world: World, name: str, *, moved: bool = False) -> Differences:
    """Compare the discussions and their comments that are stored of a repository with those of a world.

    Each row is named by its number in GitHub.  Of a world that `moved` some values are as fresh as their last reading.
    """
    stored = {row["key"]: dict(row) for row in tx.rows(_STORED, id=_home(world, name).id)}
    wanted = {each["key"]: each for each in expected(world, name)}
    found = [Difference(kind="missing", row=_named(wanted[key])) for key in wanted - stored.keys()]
    found += [Difference(kind="surplus", row=_named(stored[key])) for key in stored.keys() - wanted]
    for key in wanted.keys() & stored.keys():
        for field, value in wanted[key].items():
            there = stored[key][field]
            there = there.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(there, "strftime") else there
            if there != value and not (moved and field in _UNTOLD):
                row = _named(wanted[key])
                found.append(Difference(kind="different", row=row, field=field, expected=value, found=there))
    many = Counter(f"{each['what']}s" for each in wanted.values())
    compared = {"discussions": many["discussions"], "discussion comments": many["comments"]}
    return Differences(found=tuple(found), compared=compared)


def _named(row: Values) -> str:
    return f"{row['what']} of discussion #{row['number']}, {row['github_id']}"


def _home(world: World, name: str) -> RepositoryRow:
    owner, _, short = name.partition("/")
    home = world.repository(owner, short)
    assert home is not None
    return home


def expected(world: World, name: str) -> Iterator[Values]:
    """Yield the rows that a capture of a repository must end with."""
    home = _home(world, name)
    for row in world.shelves[home.id].discussions.values():
        at = f"https://github.com/{name}/discussions/{row.number}"
        yield _discussion(world, row, at)
        yield from (_comment(world, row, each, at) for each in row.comments)


def floor(world: World, name: str) -> float:
    """Return the fewest points: 149 units a point, and no query asks for what an answer before it has to tell.

    Units are pages of a hundred discussions, and those of each list that is not empty.  A page leads to the next one
    and to the comments of its discussions, a page of comments to the next one and to replies, for a point at least.
    """
    home = _home(world, name)
    rows = sorted(world.shelves[home.id].discussions.values(), key=lambda row: row.created_at, reverse=True)
    units, deepest = max(1, ceil(len(rows) / 100)), max(1, ceil(len(rows) / 100))
    for place, row in enumerate(rows):
        comments = row.replies(None)
        units += ceil(len(comments) / 100)
        for below, comment in enumerate(comments):
            pages = ceil(len(row.replies(comment.id)) / 100)
            units += pages
            deepest = max(deepest, place // 100 + 1 + below // 100 + 1 + pages)
    return max(units / UNITS, deepest)


def _person(world: World, identity: int | None) -> tuple[int, str]:
    found = world.account(identity)
    return GHOST if found is None else (found.id, found.login)


def _discussion(world: World, row: DiscussionRow, at: str) -> Values:
    author, login = _person(world, row.author)
    answer = next((each.node_id for each in row.comments if each.id == row.answer), None)
    chooser = world.account(row.answer_chosen_by)
    return {
        "what": "discussion",
        "key": row.node_id,
        "github_id": str(row.id),
        "number": row.number,
        "title": row.title,
        "body": row.body,
        "category_id": row.category.node_id,
        "category_name": row.category.name,
        "category_description": row.category.description,
        "category_emoji": row.category.emoji,
        "author_id": author,
        "author_login": login,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "is_answered": row.category.answerable and row.answer is not None,
        "answer_id": answer,
        "answer_chosen_at": row.answer_chosen_at,
        "answer_chosen_by": None if chooser is None else chooser.login,
        "upvote_count": row.upvotes,
        "many": len(row.replies(None)),
        "url": at,
        "locked": row.locked,
        "state": row.state.lower(),
        "state_reason": row.state_reason,
        "closed_at": row.closed_at,
    }


def _comment(world: World, row: DiscussionRow, comment: DiscussionCommentRow, at: str) -> Values:
    author, login = _person(world, comment.author)
    return {
        "what": "comment",
        "key": comment.node_id,
        "github_id": str(comment.id),
        "number": row.number,
        "body": comment.body,
        "author_id": author,
        "author_login": login,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "is_answered": row.answer == comment.id,
        "answer_chosen_at": comment.deleted_at,
        "upvote_count": comment.upvotes,
        "many": len(row.replies(comment.id)),
        "url": f"{at}#discussioncomment-{comment.id}",
        "parent": next((str(each.id) for each in row.comments if each.id == comment.reply_to), None),
    }
