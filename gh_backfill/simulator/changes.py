"""Moves of the world: what people do at GitHub while somebody reads it.

Each function takes the world and a repository as `owner/name`, changes one thing and returns the row it made.  Times
are texts; without one, a change happens just after the last one in the repository, or now, whichever is later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.derive import NodeKind
from gh_backfill.simulator.maker import START
from gh_backfill.simulator.new_rows import (
    new_comment,
    new_issue,
    new_pull,
    new_repository,
    new_review,
    new_review_comment,
)
from gh_backfill.simulator.rows import IssueComment, IssueRow, PullRequestRow, RepositoryRow, ReviewRow
from gh_backfill.simulator.shelf import Shelf
from gh_backfill.simulator.targets import (
    item_of,
    labels_of,
    milestone_of,
    next_id,
    next_time,
    people_of,
    person_of,
    pull_of,
    put,
    repository_of,
)
from gh_backfill.simulator.world import World


def open_pull_request(
    world: World, repository: str, *, author: str, title: str = "A new one", body: str = "", at: str | None = None
) -> PullRequestRow:
    """Open a pull request under the next number."""
    with world.lock:
        home = repository_of(world, repository)
        number, identity, now = world.shelves[home.id].last_number + 1, next_id(world), at or next_time(world, home)
        made = new_pull(home, number, identity, now, author=person_of(world, author), title=title, body=body)
        world.shelves[home.id].put(made)
        return made


def edit(world: World, repository: str, number: int, *, at: str | None = None, **fields: Any) -> PullRequestRow:
    """Change fields of a pull request, such as `title` or `body`; moves `updated_at`."""
    with world.lock:
        home, pull = pull_of(world, repository, number)
        changed = replace(pull, **{"updated_at": at or next_time(world, home), **fields})
        world.shelves[home.id].put(changed)
        return changed


def close(
    world: World, repository: str, number: int, *, merged_by: str | None = None, at: str | None = None
) -> PullRequestRow:
    """Close a pull request, merging it if somebody is named who did."""
    with world.lock:
        home, _ = pull_of(world, repository, number)
        now = at or next_time(world, home)
        merged = {"merged_at": now, "merged_by": person_of(world, merged_by)} if merged_by else {}
        return edit(world, repository, number, at=now, open=False, closed_at=now, **merged)


def delete(world: World, repository: str, number: int) -> None:
    """Take a pull request away with everything below it."""
    with world.lock:
        home, _ = pull_of(world, repository, number)
        world.shelves[home.id].remove(number)


def comment(
    world: World, repository: str, number: int, *, author: str, body: str = "Thanks!", at: str | None = None
) -> IssueComment:
    """Write in the conversation of a pull request or an issue."""
    with world.lock:
        home = repository_of(world, repository)
        identity, now = next_id(world), at or next_time(world, home)
        made = new_comment(home, number, identity, now, author=person_of(world, author), body=body)
        owner = item_of(world, repository, number)
        put(world, home, replace(owner, updated_at=now, comments=(*owner.comments, made)))
        return made


def edit_comment(
    world: World, repository: str, number: int, comment_id: int, *, body: str, moves: bool = True, at: str | None = None
) -> IssueComment:
    """Change a conversation comment; whether that moves its issue or pull request too, GitHub does not say."""
    with world.lock:
        home = repository_of(world, repository)
        owner, now = item_of(world, repository, number), at or next_time(world, home)
        (old,) = (row for row in owner.comments if row.id == comment_id)
        made = replace(old, body=body, updated_at=now)
        comments = tuple(made if row is old else row for row in owner.comments)
        put(world, home, replace(owner, comments=comments, updated_at=now if moves else owner.updated_at))
        return made


def delete_comment(world: World, repository: str, number: int, comment_id: int) -> None:
    """Take a conversation comment away; nobody's `updated_at` moves (neomjs/neo#10092)."""
    with world.lock:
        owner = item_of(world, repository, number)
        comments = tuple(row for row in owner.comments if row.id != comment_id)
        put(world, repository_of(world, repository), replace(owner, comments=comments))


def review(
    world: World,
    repository: str,
    number: int,
    *,
    author: str,
    state: str = "COMMENTED",
    body: str = "",
    comments: Sequence[str] = (),
    at: str | None = None,
) -> ReviewRow:
    """Review a pull request, with a comment on the difference for each text of `comments`."""
    with world.lock:
        home, pull = pull_of(world, repository, number)
        identity, now = next_id(world), at or next_time(world, home)
        made = new_review(home, pull, identity, now, author=person_of(world, author), state=state, body=body)
        below = tuple(new_review_comment(made, next_id(world), body=text) for text in comments)
        changed = replace(
            pull, updated_at=now, reviews=(*pull.reviews, made), review_comments=(*pull.review_comments, *below)
        )
        world.shelves[home.id].put(changed)
        return made


def open_issue(
    world: World,
    repository: str,
    *,
    title: str,
    author: str,
    body: str = "",
    labels: Sequence[str] = (),
    assignees: Sequence[str] = (),
    at: str | None = None,
) -> IssueRow:
    """Open an issue under the next number."""
    with world.lock:
        home = repository_of(world, repository)
        number, identity, now = world.shelves[home.id].last_number + 1, next_id(world), at or next_time(world, home)
        made = new_issue(
            home,
            number,
            identity,
            now,
            author=person_of(world, author),
            title=title,
            body=body,
            labels=labels_of(world, home, labels),
            assignees=people_of(world, assignees),
        )
        world.shelves[home.id].put_issue(made)
        return made


def edit_issue(
    world: World,
    repository: str,
    number: int,
    *,
    title: str | None = None,
    body: str | None = None,
    state: str | None = None,
    reason: str | None = None,
    by: str | None = None,
    labels: Sequence[str] | None = None,
    assignees: Sequence[str] | None = None,
    milestone: str | None = None,
    at: str | None = None,
) -> IssueRow:
    """Change an issue; moves `updated_at`, also for labels, assignees and a milestone, of which "" means none.

    `state` is `open` or `closed`, for a `reason`, `by` somebody.
    """
    with world.lock:
        home, now = repository_of(world, repository), at or next_time(world, repository_of(world, repository))
        shelf = world.shelves[home.id]
        fields: dict[str, Any] = {"updated_at": now}
        fields |= {name: value for name, value in (("title", title), ("body", body)) if value is not None}
        if state == "open":
            fields |= {"open": True, "closed_at": None, "closed_by": None, "state_reason": reason or "reopened"}
        elif state is not None:
            closer = person_of(world, by) if by else None
            fields |= {"open": False, "closed_at": now, "closed_by": closer, "state_reason": reason or "completed"}
        if labels is not None:
            fields["labels"] = labels_of(world, home, labels)
        if assignees is not None:
            fields["assignees"] = people_of(world, assignees)
        if milestone is not None:
            fields["milestone"] = milestone_of(world, home, milestone, now) if milestone else None
        shelf.put_issue(replace(shelf.issues[number], **fields))
        return shelf.issues[number]


def delete_issue(world: World, repository: str, number: int) -> None:
    """Take an issue away with its comments."""
    with world.lock:
        shelf = world.shelves[repository_of(world, repository).id]
        if number not in shelf.issues:
            raise LookupError(f"{repository} has no issue #{number}")
        shelf.remove_issue(number)


def rename_repository(
    world: World, repository: str, *, owner: str | None = None, name: str | None = None
) -> RepositoryRow:
    """Rename or transfer a repository; the old name leads to the new one."""
    with world.lock:
        home = repository_of(world, repository)
        changed = replace(home, name=name or home.name)
        if owner is not None:
            changed = replace(changed, owner=owner, owner_id=person_of(world, owner))
        world.replace_repository(changed)
        return changed


def make_private(world: World, repository: str, *, private: bool = True) -> RepositoryRow:
    """Hide a repository from all but the private readers of the options, or show it again."""
    with world.lock:
        changed = replace(repository_of(world, repository), private=private)
        world.replace_repository(changed)
        return changed


def add_repository(
    world: World, repository: str, *, private: bool = False, fork: bool = False, archived: bool = False, at: str = START
) -> RepositoryRow:
    """Make an empty repository, and the account that owns it where there is none."""
    with world.lock:
        owner, _, name = repository.partition("/")
        owner_id = person_of(world, owner)
        made = new_repository(owner, name, at, owner_id=owner_id, private=private, fork=fork, archived=archived)
        world.add_repository(made, Shelf())
        return made


def delete_repository(world: World, repository: str) -> None:
    """Delete a repository."""
    with world.lock:
        world.remove_repository(repository_of(world, repository).id)


def rename_account(world: World, login: str, *, to: str) -> None:
    """Give an account another login; its id stays, and nobody's `updated_at` moves."""
    with world.lock:
        found = world.account_by_login(login)
        if found is None:
            raise LookupError(f"nobody is called {login}")
        world.add_account(replace(found, login=to))


def delete_account(world: World, login: str) -> None:
    """Delete an account: what it wrote has no author any more."""
    with world.lock:
        found = world.account_by_login(login)
        if found is None:
            raise LookupError(f"nobody is called {login}")
        world.remove_account(found.id)


def set_run(world: World, repository: str, run: dict[str, Any], jobs: Sequence[dict[str, Any]] = ()) -> None:
    """Make a run of GitHub Actions known, by its `id`, with its jobs."""
    with world.lock:
        key = (repository_of(world, repository).id, int(run["id"]))
        world.runs[key], world.jobs[key] = dict(run), [dict(job) for job in jobs]


def collide_comments(world: World, repository: str, number: int) -> int:
    """Give a conversation comment of a pull request the id of one of its review comments; the two spaces overlap.

    Its node id stays.  Returns the id that two comments now share.
    """
    with world.lock:
        home, pull = pull_of(world, repository, number)
        if not pull.comments or not pull.review_comments:
            raise LookupError(f"{repository} #{number} has not both kinds of comments")
        shared = pull.review_comments[0].id
        changed = replace(
            pull.comments[0], id=shared, node_id=derive.derived_node_id(NodeKind.ISSUE_COMMENT, home.id, number, shared)
        )
        comments = tuple(sorted((changed, *pull.comments[1:]), key=lambda row: row.id))
        world.shelves[home.id].put(replace(pull, comments=comments))
        return shared
