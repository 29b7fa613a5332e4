"""Issues as GitHub tells of them: their documents, and how the answers are read."""

from __future__ import annotations

from gh_backfill.clients import parsing, sense
from gh_backfill.clients.item_queries import ItemQueries, ListQuery, Node
from gh_backfill.clients.sense import count, identity, node_id, text, text_or_none
from gh_backfill.models.github import GHOST, Listing, Person
from gh_backfill.models.issues import Issue, IssueState, Label, Milestone
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
        milestone=None if node["milestone"] is None else milestone(node["milestone"]),
        comments=count(node["comments"]["totalCount"]),
        # GitHub may answer null for a repository without a label.
        labels=count((node["labels"] or {"totalCount": 0})["totalCount"]),
        assignees=count(node["assignees"]["totalCount"]),
    )


def milestone(node: Node) -> Milestone:
    """Read what an issue is to be done for."""
    return Milestone(
        number=sense.number(node["number"]),
        title=text(node["title"]),
        state=text(node["state"]).lower(),
        description=text_or_none(node["description"]),
        due_on=parsing.time(node["dueOn"]),
    )


def label(node: Node) -> Label:
    """Read one label."""
    return Label(
        node_id=node_id(node["id"]),
        name=text(node["name"]),
        color=text(node["color"]),
        description=text_or_none(node["description"]),
        default=sense.truth(node["isDefault"]),
    )


def assignee(node: Node) -> Person:
    """Read one assignee, who is somebody: an account that nothing could ever match is not readable."""
    person = parsing.person(node)
    if person is GHOST:
        raise ValueError("an assignee without an id")
    return person


def _page_issue(node: Node) -> PageIssue:
    return PageIssue(issue=issue(node))


def _comments(_follow_up: FollowUp, node: Node) -> Listing[Comment]:
    return parsing.listing(node["comments"], "issue_comment", parsing.comment)


def _labels(_follow_up: FollowUp, node: Node) -> Listing[Label]:
    return parsing.listing(node["labels"], "label", label)


def _assignees(_follow_up: FollowUp, node: Node) -> Listing[Person]:
    return parsing.listing(node["assignees"], "assignee", assignee)


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
            read=_labels, alone="IssueLabels", by_ids="IssuesLabels", ids="ids_of_labels", name="labels"
        ),
        AssigneesOfIssue: ListQuery(
            read=_assignees, alone="IssueAssignees", by_ids="IssuesAssignees", ids="ids_of_assignees", name="assignees"
        ),
    },
)
