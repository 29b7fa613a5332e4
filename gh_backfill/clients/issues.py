"""Issues as GitHub tells of them: their documents, and how the answers are read."""

from __future__ import annotations

from gh_backfill.clients import labels, parsing, sense
from gh_backfill.clients.item_queries import ItemQueries, ListQuery, Node
from gh_backfill.clients.sense import count, identity, node_id, text, text_or_none
from gh_backfill.models.github import Listing
from gh_backfill.models.issues import Issue, IssueState
from gh_backfill.models.pull_requests import Comment
from gh_backfill.policy.issues.follow_ups import AssigneesOfIssue, CommentsOfIssue, LabelsOfIssue, PageIssue
from gh_backfill.policy.items import FollowUp


def issue(node: Node) -> Issue:
    """Read the fields of an issue; raises KeyError, TypeError or ValueError where one is missing that must be there."""
    return Issue(
        node_id=node_id(node["id"]),
        github_id=identity(node["fullDatabaseId"]),
        number=sense.number(node["number"]),
        title=text(node["title"]),
        body=text_or_none(node["body"]),
        state=IssueState(node["state"].lower()),
        state_reason=None if node["stateReason"] is None else text(node["stateReason"]).lower(),
        url=text(node["url"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        closed_at=parsing.time(node["closedAt"]),
        author=parsing.person(node["author"]),
        milestone=labels.milestone(node["milestone"]),
        comments=count(node["comments"]["totalCount"]),
        labels=labels.counted(node["labels"]),
        assignees=count(node["assignees"]["totalCount"]),
    )


def _page_issue(node: Node) -> PageIssue:
    return PageIssue(issue=issue(node))


def _comments(_follow_up: FollowUp, node: Node) -> Listing[Comment]:
    return parsing.listing(node["comments"], "issue_comment", parsing.comment)


QUERIES = ItemQueries(
    item="issue",
    items="issues",
    connection="issues",
    page="IssuePage",
    outline="IssueOutline",
    after="IssueAfter",
    by_number="IssueByNumber",
    units=0,
    read=_page_issue,
    lists={
        CommentsOfIssue: ListQuery(
            read=_comments, alone="IssueComments", by_ids="IssuesComments", ids="ids_of_comments", name="comments"
        ),
        LabelsOfIssue: ListQuery(
            read=labels.of_labels, alone="IssueLabels", by_ids="IssuesLabels", ids="ids_of_labels", name="labels"
        ),
        AssigneesOfIssue: ListQuery(
            read=labels.of_assignees,
            alone="IssueAssignees",
            by_ids="IssuesAssignees",
            ids="ids_of_assignees",
            name="assignees",
        ),
    },
)
