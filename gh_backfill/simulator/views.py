"""REST objects of the world's rows."""

from __future__ import annotations

from typing import Any

from gh_backfill.simulator import derive
from gh_backfill.simulator.request_rows import TeamRow
from gh_backfill.simulator.rows import (
    AccountRow,
    CommitRow,
    IssueComment,
    IssueRow,
    LabelRow,
    MilestoneRow,
    PullRequestRow,
    RepositoryRow,
    ReviewCommentRow,
    ReviewRow,
)
from gh_backfill.simulator.world import World

SITE = "https://github.com"
View = dict[str, Any]
GHOST = AccountRow(
    id=derive.GHOST_ID,
    node_id="MDQ6VXNlcjEwMTM3",
    login="ghost",
    type="User",
    avatar_url=f"https://avatars.githubusercontent.com/u/{derive.GHOST_ID}?v=4",
)


def user(account: AccountRow) -> View:
    """The object of an account."""
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": account.avatar_url,
        "html_url": f"{SITE}/{account.login}",
        "type": account.type,
        "site_admin": False,
    }


def author(world: World, identity: int | None) -> View:
    """The author of a pull request, an issue or a conversation comment: a deleted one is `ghost`."""
    return user(world.account(identity) or GHOST)


def reviewer(world: World, identity: int | None) -> View | None:
    """The author of a review or a review comment: a deleted one is null."""
    found = world.account(identity)
    return None if found is None else user(found)


def repository(world: World, row: RepositoryRow) -> View:
    """The object of a repository."""
    licence = (
        {"key": row.license_key, "name": row.license_name, "spdx_id": row.license_spdx} if row.license_key else None
    )
    return {
        "id": row.id,
        "node_id": row.node_id,
        "name": row.name,
        "full_name": row.full_name,
        "private": row.private,
        "owner": author(world, row.owner_id),
        "html_url": f"{SITE}/{row.full_name}",
        "description": row.description,
        "fork": row.fork,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "pushed_at": row.pushed_at,
        "homepage": row.homepage,
        "size": row.size,
        "stargazers_count": row.stargazers,
        "watchers_count": row.stargazers,
        "language": row.language,
        "has_issues": row.has_issues,
        "has_projects": row.has_projects,
        "has_wiki": row.has_wiki,
        "has_discussions": row.has_discussions,
        "forks_count": row.forks,
        "archived": row.archived,
        "disabled": row.disabled,
        "open_issues_count": sum(issue.open for issue in world.shelves[row.id].issues.values())
        if row.id in world.shelves
        else 0,
        "license": licence,
        "is_template": row.template,
        "visibility": "private" if row.private else "public",
        "default_branch": row.default_branch,
    }


def pull_request(world: World, row: PullRequestRow, *, full: bool = False) -> View:
    """The object of a pull request; lists leave out what takes counting."""
    repository = world.repositories[row.repository_id]
    view = _issue_like(world, row) | {
        "html_url": f"{SITE}/{repository.full_name}/pull/{row.number}",
        "draft": row.draft,
        "merged_at": row.merged_at,
        "merge_commit_sha": row.merge_commit,
        "requested_reviewers": [
            user(person) for each in row.review_requests if (person := world.account(each.account))
        ],
        "requested_teams": [team(each.team) for each in row.review_requests if each.team is not None],
        "head": {"ref": row.head_ref, "sha": row.head_oid},
        "base": {
            "ref": row.base_ref,
            "sha": row.base_oid,
            "repo": {"id": repository.id, "full_name": repository.full_name},
        },
    }
    if full:
        view |= {
            "merged": row.merged_at is not None,
            "merged_by": reviewer(world, row.merged_by),
            "comments": len(row.comments),
            "review_comments": len(row.review_comments),
            "commits": row.commit_count,
            "additions": row.additions,
            "deletions": row.deletions,
            "changed_files": row.changed_files,
        }
    return view


def issue(world: World, origin: str, row: IssueRow | PullRequestRow) -> View:
    """The object of an issue; a pull request is one too, and says so."""
    name = world.repositories[row.repository_id].full_name
    closer = row.closed_by if isinstance(row, IssueRow) else None
    view = _issue_like(world, row) | {"comments": len(row.comments), "closed_by": reviewer(world, closer)}
    view["url"] = f"{origin}/repos/{name}/issues/{row.number}"
    if isinstance(row, PullRequestRow):
        address = f"{SITE}/{name}/pull/{row.number}"
        return view | {"html_url": address, "pull_request": {"html_url": address, "merged_at": row.merged_at}}
    return view | {"html_url": f"{SITE}/{name}/issues/{row.number}", "state_reason": row.state_reason}


def review(world: World, row: ReviewRow) -> View:
    """The object of a review."""
    return _written(row) | {
        "user": reviewer(world, row.author),
        "state": row.state,
        "submitted_at": row.submitted_at,
        "commit_id": row.commit_id,
    }


def review_comment(world: World, row: ReviewCommentRow) -> View:
    """The object of a comment on the difference."""
    name = world.repositories[row.repository_id].full_name
    view = _written(row) | {
        "user": reviewer(world, row.author),
        "pull_request_review_id": row.review_id,
        "pull_request_url": f"https://api.github.com/repos/{name}/pulls/{row.number}",
        "path": row.path,
        "diff_hunk": row.diff_hunk,
        "position": row.position,
        "original_position": row.original_position,
        "line": row.line,
        "original_line": row.original_line,
        "start_line": row.start_line,
        "original_start_line": row.original_start_line,
        "commit_id": row.commit_id,
        "original_commit_id": row.original_commit_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    return view if row.reply_to is None else view | {"in_reply_to_id": row.reply_to}


def issue_comment(world: World, row: IssueComment) -> View:
    """The object of a conversation comment."""
    name = world.repositories[row.repository_id].full_name
    return _written(row) | {
        "user": author(world, row.author),
        "issue_url": f"https://api.github.com/repos/{name}/issues/{row.number}",
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def commit(row: CommitRow) -> View:
    """The object of a commit, without its people."""
    return {"sha": row.oid, "commit": {"message": row.message, "committer": {"date": row.committed_at}}}


def label(row: LabelRow) -> View:
    """The object of a label."""
    return {
        "id": row.id,
        "node_id": row.node_id,
        "name": row.name,
        "color": row.color,
        "default": row.default,
        "description": row.description,
    }


def team(row: TeamRow) -> View:
    """The object of a team, without its addresses."""
    return {"id": row.id, "node_id": row.node_id, "name": row.name, "slug": row.name.lower()}


def milestone(row: MilestoneRow) -> View:
    """The object of a milestone."""
    return {
        "id": row.id,
        "node_id": row.node_id,
        "number": row.number,
        "title": row.title,
        "description": row.description,
        "state": row.state.lower(),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
        "due_on": row.due_on,
    }


def _written(row: ReviewRow | ReviewCommentRow | IssueComment) -> View:
    return {"id": row.id, "node_id": row.node_id, "body": row.body, "author_association": row.association}


def _issue_like(world: World, row: IssueRow | PullRequestRow) -> View:
    assignees = [user(person) for identity in row.assignees if (person := world.account(identity)) is not None]
    return {
        "id": row.id,
        "node_id": row.node_id,
        "number": row.number,
        "title": row.title,
        "body": row.body or None,
        "state": "open" if row.open else "closed",
        "locked": row.locked,
        "user": author(world, row.author),
        "labels": [label(found) for found in row.labels],
        "assignee": assignees[0] if assignees else None,
        "assignees": assignees,
        "milestone": milestone(row.milestone) if row.milestone else None,
        "author_association": row.association,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
    }
