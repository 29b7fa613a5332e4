"""How the world moves: what people do at GitHub while somebody reads it.

Each function takes the world and a repository as `owner/name`, changes one thing and returns the row it made.  Times
are texts; without one, a change happens just after the last one in the repository, or now, whichever is later.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.accounts import account
from gh_backfill.simulator.derive import Kind
from gh_backfill.simulator.rows import (
    Issue,
    IssueComment,
    Label,
    PullRequest,
    Repository,
    Review,
    ReviewComment,
)
from gh_backfill.simulator.world import World

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
# Ids of what happens later: above those of `synthetic`, below those of `derive`, counted up in each world.
_FIRST_ID = 200_000_000_000_000


def open_pull_request(
    world: World, repository: str, *, author: str, title: str = "A new one", body: str = "", at: str | None = None
) -> PullRequest:
    """Open a pull request under the next number."""
    with world.lock:
        home = _repository(world, repository)
        number, identity, now = world.shelves[home.id].last_number + 1, _next_id(world), at or _now(world, home)
        made = PullRequest(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(Kind.PULL_REQUEST, home.id, number, identity),
            author=_person(world, author),
            association="CONTRIBUTOR",
            title=title,
            body=body,
            open=True,
            draft=False,
            locked=False,
            created_at=now,
            updated_at=now,
            closed_at=None,
            merged_at=None,
            merged_by=None,
            merge_commit=None,
            additions=1,
            deletions=0,
            changed_files=1,
            commit_count=1,
            commits=(),
            base_ref=home.default_branch,
            base_oid=derive.derived_oid(home.id, number, "base"),
            head_ref=derive.head_ref(number),
            head_oid=derive.derived_oid(home.id, number, "head"),
            labels=(),
            reviews=(),
            review_comments=(),
            comments=(),
        )
        world.shelves[home.id].put(made)
        return made


def edit(world: World, repository: str, number: int, *, at: str | None = None, **fields: Any) -> PullRequest:
    """Change fields of a pull request, such as `title` or `body`; moves `updated_at`."""
    with world.lock:
        home, pull = _pull(world, repository, number)
        changed = replace(pull, **{"updated_at": at or _now(world, home), **fields})
        world.shelves[home.id].put(changed)
        return changed


def close(
    world: World, repository: str, number: int, *, merged_by: str | None = None, at: str | None = None
) -> PullRequest:
    """Close a pull request, merging it if somebody is named who did."""
    with world.lock:
        home, _ = _pull(world, repository, number)
        now = at or _now(world, home)
        merged = {"merged_at": now, "merged_by": _person(world, merged_by)} if merged_by else {}
        return edit(world, repository, number, at=now, open=False, closed_at=now, **merged)


def delete(world: World, repository: str, number: int) -> None:
    """Take a pull request away with everything below it."""
    with world.lock:
        home, _ = _pull(world, repository, number)
        world.shelves[home.id].remove(number)


def comment(
    world: World, repository: str, number: int, *, author: str, body: str = "Thanks!", at: str | None = None
) -> IssueComment:
    """Write in the conversation of a pull request or an issue."""
    with world.lock:
        home = _repository(world, repository)
        identity, now = _next_id(world), at or _now(world, home)
        made = IssueComment(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(Kind.ISSUE_COMMENT, home.id, number, identity),
            author=_person(world, author),
            association="NONE",
            body=body,
            created_at=now,
            updated_at=now,
        )
        shelf = world.shelves[home.id]
        if (issue := shelf.issues.get(number)) is not None:
            shelf.put_issue(replace(issue, updated_at=now, comments=(*issue.comments, made)))
        else:
            _, pull = _pull(world, repository, number)
            shelf.put(replace(pull, updated_at=now, comments=(*pull.comments, made)))
        return made


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
) -> Review:
    """Review a pull request, with a comment on the difference for each text of `comments`."""
    with world.lock:
        home, pull = _pull(world, repository, number)
        identity, now = _next_id(world), at or _now(world, home)
        made = Review(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(Kind.REVIEW, home.id, number, identity),
            author=_person(world, author),
            association="MEMBER",
            state=state,
            body=body,
            commit_id=pull.head_oid,
            created_at=now,
            updated_at=now,
            submitted_at=now,
        )
        below = tuple(_review_comment(world, made, text) for text in comments)
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
    at: str | None = None,
) -> Issue:
    """Open an issue under the next number."""
    with world.lock:
        home = _repository(world, repository)
        number, identity, now = world.shelves[home.id].last_number + 1, _next_id(world), at or _now(world, home)
        made = Issue(
            repository_id=home.id,
            number=number,
            id=identity,
            node_id=derive.derived_node_id(Kind.ISSUE, home.id, number, identity),
            author=_person(world, author),
            association="NONE",
            title=title,
            body=body,
            open=True,
            state_reason=None,
            locked=False,
            created_at=now,
            updated_at=now,
            closed_at=None,
            labels=_labels(world, home, labels),
            comments=(),
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
    labels: Sequence[str] | None = None,
) -> Issue:
    """Change an issue; `state` is `open` or `closed`."""
    with world.lock:
        home = _repository(world, repository)
        shelf, now = world.shelves[home.id], _now(world, home)
        issue = shelf.issues[number]
        fields: dict[str, Any] = {"updated_at": now}
        fields |= {name: value for name, value in (("title", title), ("body", body)) if value is not None}
        if state is not None:
            fields |= {"open": state == "open", "closed_at": None if state == "open" else now}
        if labels is not None:
            fields["labels"] = _labels(world, home, labels)
        shelf.put_issue(replace(issue, **fields))
        return shelf.issues[number]


def rename_repository(
    world: World, repository: str, *, owner: str | None = None, name: str | None = None
) -> Repository:
    """Rename or transfer a repository; the old name leads to the new one."""
    with world.lock:
        home = _repository(world, repository)
        changed = replace(home, name=name or home.name)
        if owner is not None:
            changed = replace(changed, owner=owner, owner_id=_person(world, owner))
        world.replace_repository(changed)
        return changed


def make_private(world: World, repository: str, *, private: bool = True) -> Repository:
    """Hide a repository from all but the private readers of the options, or show it again."""
    with world.lock:
        changed = replace(_repository(world, repository), private=private)
        world.replace_repository(changed)
        return changed


def delete_repository(world: World, repository: str) -> None:
    """Delete a repository."""
    with world.lock:
        world.remove_repository(_repository(world, repository).id)


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
        key = (_repository(world, repository).id, int(run["id"]))
        world.runs[key], world.jobs[key] = dict(run), [dict(job) for job in jobs]


def collide_comments(world: World, repository: str, number: int) -> int:
    """Give a conversation comment of a pull request the id of one of its review comments; the two spaces overlap.

    Its node id stays.  Returns the id that two comments now share.
    """
    with world.lock:
        home, pull = _pull(world, repository, number)
        if not pull.comments or not pull.review_comments:
            raise LookupError(f"{repository} #{number} has not both kinds of comments")
        shared = pull.review_comments[0].id
        changed = replace(
            pull.comments[0], id=shared, node_id=derive.derived_node_id(Kind.ISSUE_COMMENT, home.id, number, shared)
        )
        comments = tuple(sorted((changed, *pull.comments[1:]), key=lambda row: row.id))
        world.shelves[home.id].put(replace(pull, comments=comments))
        return shared


def _review_comment(world: World, review: Review, body: str) -> ReviewComment:
    identity = _next_id(world)
    return ReviewComment(
        repository_id=review.repository_id,
        number=review.number,
        id=identity,
        node_id=derive.derived_node_id(Kind.REVIEW_COMMENT, review.repository_id, review.number, identity),
        author=review.author,
        association=review.association,
        body=body,
        created_at=review.created_at,
        updated_at=review.created_at,
        review_id=review.id,
        reply_to=None,
        path="README.md",
        diff_hunk="@@ -1 +1 @@\n-old\n+new",
        position=1,
        original_position=1,
        line=1,
        original_line=1,
        start_line=None,
        original_start_line=None,
        commit_id=review.commit_id,
        original_commit_id=review.commit_id,
    )


def _repository(world: World, full_name: str) -> Repository:
    owner, _, name = full_name.partition("/")
    found = world.repository(owner, name)
    if found is None:
        raise LookupError(f"there is no repository {full_name} in this world")
    return found


def _pull(world: World, full_name: str, number: int) -> tuple[Repository, PullRequest]:
    home = _repository(world, full_name)
    pull = world.pull(home.id, number)
    if pull is None:
        raise LookupError(f"{full_name} has no pull request #{number}")
    return home, pull


def _person(world: World, login: str) -> int:
    found = world.account_by_login(login)
    if found is None:
        found = account({"login": login})
        world.add_account(found)
    return found.id


def _labels(world: World, home: Repository, names: Sequence[str]) -> tuple[Label, ...]:
    shelf = world.shelves[home.id]
    known = {label.name: label for label in shelf.labels}
    for name in names:
        if name not in known:
            known[name] = Label(id=_next_id(world), node_id=f"LA_{derive.derived_oid(home.id, name)[:16]}", name=name)
    shelf.labels = tuple(known.values())
    return tuple(known[name] for name in names)


def _now(world: World, home: Repository) -> str:
    last = max((key[0] for key in world.shelves[home.id].ordered("UPDATED_AT")[-1:]), default="")
    after = datetime.strptime(last, _FORMAT).replace(tzinfo=UTC) + timedelta(seconds=1) if last else None
    now = datetime.fromtimestamp(time.time(), UTC)
    return (max(now, after) if after else now).strftime(_FORMAT)


def _next_id(world: World) -> int:
    world.events += 1
    return _FIRST_ID + world.events
