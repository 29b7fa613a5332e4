"""Pull requests as GitHub tells of them: their documents, and how the answers are read."""

from __future__ import annotations

from gh_backfill.clients import labels, parsing, sense
from gh_backfill.clients.item_queries import ItemQueries, ListQuery, Node
from gh_backfill.clients.sense import count, identity, node_id, text, text_or_none, truth
from gh_backfill.models.github import Listing
from gh_backfill.models.pull_requests import PullRequest, PullRequestState, Review, ReviewComment
from gh_backfill.policy.items import FollowUp
from gh_backfill.policy.pull_requests.follow_ups import (
    AssigneesOfPullRequest,
    CommentsOfReview,
    CommentsOfThread,
    LabelsOfPullRequest,
    MoreComments,
    MoreReviews,
    PagePullRequest,
    ReviewRequestsOfPullRequest,
    ThreadComments,
    Threads,
)
from gh_backfill.policy.query_prices import UNITS_OF_A_PULL_REQUEST

REVIEW_STATES = frozenset({"PENDING", "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"})


def review(node: Node) -> Review:
    """Read one review; raises KeyError, TypeError or ValueError where a part is missing that must be there."""
    if node["state"] not in REVIEW_STATES:
        raise ValueError(f"unknown review state {node['state']}")
    return Review(
        node_id=node_id(node["id"]),
        github_id=identity(node["fullDatabaseId"]),
        author=parsing.person(node["author"]),
        state=node["state"],
        body=text(node["body"]),
        submitted_at=parsing.time(node["submittedAt"]),
        commit_id=_oid(node["commit"]),
        comments=count(node["comments"]["totalCount"]),
    )


def review_comment(node: Node, review_id: int | None = None) -> ReviewComment:
    """Read one review comment; `review_id` where the query asked by review, else the node says."""
    if "pullRequestReview" in node:
        review_id = _full_id(node["pullRequestReview"])
    return ReviewComment(
        github_id=identity(node["fullDatabaseId"]),
        review_id=review_id,
        reply_to=_full_id(node["replyTo"]),
        author=parsing.person(node["author"]),
        body=text(node["body"]),
        path=text_or_none(node["path"]),
        position=sense.position(node["position"]),
        original_position=sense.position(node["originalPosition"]),
        diff_hunk=text_or_none(node["diffHunk"]),
        commit_id=_oid(node["commit"]),
        original_commit_id=_oid(node["originalCommit"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        node_id=node_id(node["id"]),
    )


def thread(node: Node) -> ThreadComments:
    """Read one review thread with its first comments."""
    return ThreadComments(
        node_id=node_id(node["id"]), comments=parsing.listing(node["comments"], "review_comment", review_comment)
    )


def pull_request(node: Node) -> PullRequest:
    """Read the fields of a pull request, without its lists."""
    return PullRequest(
        node_id=node_id(node["id"]),
        github_id=identity(node["fullDatabaseId"]),
        number=sense.number(node["number"]),
        title=text(node["title"]),
        body=text_or_none(node["body"]),
        state=PullRequestState(node["state"].lower()),
        draft=truth(node["isDraft"]),
        url=text(node["url"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        closed_at=parsing.time(node["closedAt"]),
        merged_at=parsing.time(node["mergedAt"]),
        additions=count(node["additions"]),
        deletions=count(node["deletions"]),
        changed_files=count(node["changedFiles"]),
        commits=count(node["commits"]["totalCount"]),
        base_branch=text(node["baseRefName"]),
        head_branch=text(node["headRefName"]),
        author=parsing.person(node["author"]),
        merged_by=parsing.person(node["mergedBy"]) if node["mergedBy"] else None,
        reviews=count(node["allReviews"]["totalCount"]),
        comments=count(node["allComments"]["totalCount"]),
        review_threads=count(node["reviewThreads"]["totalCount"]),
        total_comments=None if node["totalCommentsCount"] is None else count(node["totalCommentsCount"]),
        milestone=labels.milestone(node["milestone"]),
        labels=labels.counted(node["labels"]),
        assignees=labels.counted(node["assignees"]),
        review_requests=labels.counted(node["reviewRequests"]),
    )


def page_item(node: Node) -> PagePullRequest:
    """Read a pull request of a page, with its first reviews and comments."""
    number = node["number"]
    return PagePullRequest(
        pull_request=pull_request(node),
        reviews=parsing.listing(node["reviews"], "review", review, number),
        comments=parsing.listing(node["comments"], "issue_comment", parsing.comment, number),
    )


def _reviews(_follow_up: FollowUp, node: Node) -> Listing[Review]:
    return parsing.listing(node["reviews"], "review", review)


def _comments(_follow_up: FollowUp, node: Node) -> Listing[object]:
    return parsing.listing(node["comments"], "issue_comment", parsing.comment)


def _comments_of_review(follow_up: FollowUp, node: Node) -> Listing[ReviewComment]:
    assert isinstance(follow_up, CommentsOfReview)
    review_id = follow_up.review_id
    return parsing.listing(node["comments"], "review_comment", lambda child: review_comment(child, review_id))


def _comments_of_thread(_follow_up: FollowUp, node: Node) -> Listing[ReviewComment]:
    return parsing.listing(node["comments"], "review_comment", review_comment)


def _threads(_follow_up: FollowUp, node: Node) -> Listing[ThreadComments]:
    return parsing.listing(node["reviewThreads"], "review_comment", thread)


def _threads_at_once(follow_up: FollowUp) -> int:
    assert isinstance(follow_up, Threads)
    return follow_up.first


def _oid(node: Node | None) -> str | None:
    return None if node is None else text(node["oid"])


def _full_id(node: Node | None) -> int | None:
    return None if node is None or node["fullDatabaseId"] is None else identity(node["fullDatabaseId"])


QUERIES = ItemQueries(
    item="pull_request",
    items="pull requests",
    connection="pullRequests",
    page="PullRequestPage",
    outline="PullRequestOutline",
    after="PullRequestAfter",
    by_number="PullRequestByNumber",
    units=UNITS_OF_A_PULL_REQUEST,
    read=page_item,
    lists={
        CommentsOfReview: ListQuery(read=_comments_of_review, alone="TopUpReviewComments", by_ids="TopUpReviews"),
        Threads: ListQuery(read=_threads, alone="TopUpThreads", first=_threads_at_once),
        CommentsOfThread: ListQuery(read=_comments_of_thread, alone="TopUpThreadComments"),
        MoreReviews: ListQuery(read=_reviews, alone="TopUpPullRequestReviews"),
        MoreComments: ListQuery(read=_comments, alone="TopUpPullRequestComments"),
        LabelsOfPullRequest: ListQuery(
            read=labels.of_labels,
            alone="PullRequestLabels",
            by_ids="PullRequestsLabels",
            ids="ids_of_labels",
            name="labels",
        ),
        AssigneesOfPullRequest: ListQuery(
            read=labels.of_assignees,
            alone="PullRequestAssignees",
            by_ids="PullRequestsAssignees",
            ids="ids_of_assignees",
            name="assignees",
        ),
        ReviewRequestsOfPullRequest: ListQuery(
            read=labels.of_review_requests,
            alone="PullRequestReviewRequests",
            by_ids="PullRequestsReviewRequests",
            ids="ids_of_review_requests",
            name="requests",
        ),
    },
    count="PullRequestCount",
)
