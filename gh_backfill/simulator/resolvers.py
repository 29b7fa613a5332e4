"""The answers to the fields of the schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gh_backfill.simulator import (
    account_fields,
    derive,
    diff_fields,
    discussion_fields,
    fields,
    issue_fields,
    pull_fields,
    query_fields,
    repository_fields,
)
from gh_backfill.simulator.discussion_rows import CategoryRow, DiscussionCommentRow, DiscussionRow
from gh_backfill.simulator.request_rows import ReviewRequestRow, TeamRow
from gh_backfill.simulator.rows import (
    AccountRow,
    IssueComment,
    IssueRow,
    MilestoneRow,
    PullRequestRow,
    RepositoryRow,
    ReviewCommentRow,
    ReviewRow,
    Star,
    ThreadRow,
)

Resolver = Callable[..., Any]


def _key(name: str) -> Resolver:
    return lambda row, info: row[name]


_CREATED: dict[str, Resolver] = {"publishedAt": lambda row, info: row.created_at}
_ITEM: dict[str, Resolver] = {
    "author": fields.author,
    "authorAssociation": lambda row, info: row.association,
    "databaseId": fields.database_id,
    "fullDatabaseId": lambda row, info: row.id,
    "id": lambda row, info: row.node_id,
    "url": fields.url,
    "permalink": fields.url,
    "resourcePath": fields.resource_path,
    "repository": fields.repository_of,
    "pullRequest": fields.pull,
    "closed": lambda row, info: not row.open,
    "labels": fields.labels,
}
_ADDRESS: dict[str, Resolver] = {"url": discussion_fields.address_of, "resourcePath": discussion_fields.path_of}
_ACCOUNT: dict[str, Resolver] = {
    "avatarUrl": lambda row, info, size=None: row.avatar_url,
    "createdAt": account_fields.told("created_at"),
    "updatedAt": lambda row, info: "2020-01-01T00:00:00Z",
    "databaseId": fields.database_id,
    "id": lambda row, info: row.node_id,
    "login": lambda row, info: derive.graphql_login(row.id, row.login),
    "resourcePath": fields.resource_path,
    "url": fields.url,
}
_OWNER = _ACCOUNT | {
    "email": account_fields.address,
    "location": account_fields.told("location"),
    "repositories": repository_fields.repositories_of,
    "websiteUrl": account_fields.told("blog"),
}
_USER = _OWNER | {
    "bio": account_fields.told("bio"),
    "company": account_fields.told("company"),
    "followers": account_fields.number_of("followers"),
    "following": account_fields.number_of("following"),
    "gists": account_fields.number_of("public_gists"),
}
CONNECTION: dict[str, Resolver] = {
    "edges": fields.edges,
    "nodes": fields.page_rows,
    "pageInfo": lambda page, info: page,
    "totalCount": lambda page, info: page.total,
}
EDGE: dict[str, Resolver] = {"cursor": lambda edge, info: edge[0], "node": lambda edge, info: edge[1]}
RESOLVERS: dict[str, dict[str, Resolver]] = {
    "Query": {
        "node": query_fields.node,
        "nodes": query_fields.nodes,
        "rateLimit": query_fields.rate_limit,
        "repository": query_fields.repository,
        "repositoryOwner": query_fields.repository_owner,
        "search": query_fields.search,
        "viewer": query_fields.viewer,
    },
    "SearchResultItemConnection": {"issueCount": _key("issueCount")},
    "RateLimit": {name: _key(name) for name in ("cost", "limit", "nodeCount", "remaining", "resetAt", "used")},
    "PageInfo": {
        "startCursor": fields.start_cursor,
        "endCursor": fields.end_cursor,
        "hasPreviousPage": lambda page, info: page.window[1],
        "hasNextPage": lambda page, info: page.window[2],
    },
    "Repository": {
        "databaseId": fields.database_id,
        "id": lambda row, info: row.node_id,
        "defaultBranchRef": lambda row, info: row,
        "discussion": discussion_fields.discussion,
        "discussions": discussion_fields.discussions,
        "diskUsage": lambda row, info: row.size,
        "forkCount": lambda row, info: row.forks,
        "forks": repository_fields.forks,
        "hasDiscussionsEnabled": lambda row, info: row.has_discussions,
        "hasIssuesEnabled": lambda row, info: row.has_issues,
        "hasProjectsEnabled": lambda row, info: row.has_projects,
        "hasWikiEnabled": lambda row, info: row.has_wiki,
        "homepageUrl": lambda row, info: row.homepage,
        "isArchived": lambda row, info: row.archived,
        "isDisabled": lambda row, info: row.disabled,
        "isEmpty": lambda row, info: False,
        "isFork": lambda row, info: row.fork,
        "isInOrganization": lambda row, info: info.context.world.account(row.owner_id).type == "Organization",
        "isLocked": lambda row, info: False,
        "isPrivate": lambda row, info: row.private,
        "isTemplate": lambda row, info: row.template,
        "issue": issue_fields.issue,
        "issueOrPullRequest": repository_fields.issue_or_pull_request,
        "issues": issue_fields.issues,
        "labels": fields.labels,
        "licenseInfo": lambda row, info: row if row.license_key else None,
        "nameWithOwner": lambda row, info: row.full_name,
        "owner": lambda row, info: info.context.world.account(row.owner_id),
        "primaryLanguage": lambda row, info: row if row.language else None,
        "pullRequest": repository_fields.pull_request,
        "pullRequests": repository_fields.pull_requests,
        "resourcePath": fields.resource_path,
        "stargazerCount": lambda row, info: row.stargazers,
        "stargazers": repository_fields.stargazers,
        "url": fields.url,
        "visibility": lambda row, info: "PRIVATE" if row.private else "PUBLIC",
        "watchers": repository_fields.watchers,
    },
    "Ref": {
        "id": lambda row, info: f"REF_{row.id}",
        "name": lambda row, info: row.default_branch,
        "prefix": lambda row, info: "refs/heads/",
    },
    "Language": {
        "color": lambda row, info: None,
        "id": lambda row, info: f"LANG_{row.language}",
        "name": lambda row, info: row.language,
    },
    "License": {
        "id": lambda row, info: f"LIC_{row.license_key}",
        "key": lambda row, info: row.license_key,
        "name": lambda row, info: row.license_name,
        "spdxId": lambda row, info: row.license_spdx,
    },
    "PullRequest": _ITEM
    | _CREATED
    | {
        "assignees": issue_fields.assignees,
        "baseRefName": lambda row, info: row.base_ref,
        "baseRefOid": lambda row, info: row.base_oid,
        "comments": pull_fields.comments,
        "commits": diff_fields.commits,
        "files": diff_fields.files,
        "headRefName": lambda row, info: row.head_ref,
        "headRefOid": lambda row, info: row.head_oid,
        "isDraft": lambda row, info: row.draft,
        "merged": lambda row, info: row.merged_at is not None,
        "mergedBy": lambda row, info: info.context.person(row.merged_by),
        "reviewRequests": pull_fields.review_requests,
        "reviewThreads": pull_fields.review_threads,
        "reviews": pull_fields.reviews,
        "totalCommentsCount": lambda row, info: len(row.comments) + len(row.review_comments),
    },
    "PullRequestReview": _ITEM
    | _CREATED
    | {"comments": pull_fields.review_comments, "commit": fields.commit("commit_id")},
    "PullRequestReviewComment": _ITEM
    | _CREATED
    | {
        "commit": fields.commit("commit_id"),
        "originalCommit": fields.commit("original_commit_id"),
        "pullRequestReview": pull_fields.review_of,
        "replyTo": pull_fields.reply_to,
        "state": lambda row, info: "SUBMITTED",
    },
    "PullRequestReviewThread": {
        "comments": pull_fields.comments,
        "id": lambda row, info: derive.derived_node_id(derive.NodeKind.THREAD, row.repository_id, row.number, row.id),
        "isCollapsed": lambda row, info: False,
        "isOutdated": lambda row, info: row.comments[0].position is None,
        "isResolved": lambda row, info: False,
        "line": lambda row, info: row.comments[0].line,
        "originalLine": lambda row, info: row.comments[0].original_line,
        "path": lambda row, info: row.comments[0].path,
        "pullRequest": fields.pull,
        "startLine": lambda row, info: row.comments[0].start_line,
    },
    "ReviewRequest": pull_fields.REVIEW_REQUEST,
    "Team": pull_fields.TEAM,
    "IssueComment": _ITEM | _CREATED,
    "Discussion": {
        **_ITEM,
        **_CREATED,
        **_ADDRESS,
        "answer": discussion_fields.answer,
        "answerChosenBy": discussion_fields.answer_chosen_by,
        "comments": discussion_fields.comments,
        "isAnswered": discussion_fields.is_answered,
        "stateReason": discussion_fields.state_reason,
        "upvoteCount": lambda row, info: row.upvotes,
    },
    "DiscussionComment": {
        **_ITEM,
        **_CREATED,
        **_ADDRESS,
        "discussion": discussion_fields.discussion_of,
        "isAnswer": discussion_fields.is_answer,
        "replies": discussion_fields.replies,
        "replyTo": discussion_fields.reply_to,
        "upvoteCount": lambda row, info: row.upvotes,
    },
    "DiscussionCategory": {
        "id": lambda row, info: row.node_id,
        "isAnswerable": lambda row, info: row.answerable,
        "repository": fields.repository_of,
    },
    "Issue": {
        **_ITEM,
        **_CREATED,
        "assignedActors": issue_fields.assigned_actors,
        "assignees": issue_fields.assignees,
        "comments": pull_fields.comments,
        "stateReason": issue_fields.state_reason,
    },
    "Milestone": {
        "closed": lambda row, info: not row.open,
        "id": lambda row, info: row.node_id,
        "repository": fields.repository_of,
        "resourcePath": fields.resource_path,
        "url": fields.url,
    },
    "Label": {
        "createdAt": lambda row, info: None,
        "id": lambda row, info: row.node_id,
        "isDefault": lambda row, info: row.default,
    },
    "PullRequestCommit": {
        "commit": lambda row, info: {"oid": row.oid, "row": row},
        "id": lambda row, info: f"PURC_{row.oid}",
    },
    "Commit": diff_fields.COMMIT,
    "GitActor": diff_fields.ACTOR,
    "PullRequestChangedFile": diff_fields.FILE,
    "StargazerConnection": {"nodes": repository_fields.star_nodes},
    "StargazerEdge": {
        "node": lambda edge, info: info.context.person(edge[1].account),
        "starredAt": lambda edge, info: edge[1].starred_at,
    },
    **dict.fromkeys(("Bot", "Mannequin"), _ACCOUNT),
    "User": _USER,
    "Organization": _OWNER | {"description": account_fields.told("bio")},
}
TYPE_NAMES: dict[type, str] = {
    RepositoryRow: "Repository",
    PullRequestRow: "PullRequest",
    ReviewRow: "PullRequestReview",
    ReviewCommentRow: "PullRequestReviewComment",
    ThreadRow: "PullRequestReviewThread",
    IssueComment: "IssueComment",
    DiscussionRow: "Discussion",
    DiscussionCommentRow: "DiscussionComment",
    CategoryRow: "DiscussionCategory",
    IssueRow: "Issue",
    MilestoneRow: "Milestone",
    ReviewRequestRow: "ReviewRequest",
    TeamRow: "Team",
    Star: "User",
}


def type_name(row: Any) -> str:
    """Return the name of a row's type in the schema."""
    return row.type if isinstance(row, AccountRow) else TYPE_NAMES[type(row)]
