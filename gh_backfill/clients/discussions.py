"""Discussions as GitHub tells of them: their documents, and how the answers are read."""

from __future__ import annotations

from gh_backfill.clients import parsing, sense
from gh_backfill.clients.item_queries import ItemQueries, ListQuery, Node
from gh_backfill.clients.sense import count, identity, node_id, text, text_or_none, truth
from gh_backfill.models.discussions import Category, Discussion, DiscussionComment, DiscussionState
from gh_backfill.models.github import Listing
from gh_backfill.policy.discussions.follow_ups import CommentsOfDiscussion, PageDiscussion, RepliesOfComment
from gh_backfill.policy.items import FollowUp


def discussion(node: Node) -> Discussion:
    """Read the fields of a discussion; raises KeyError, TypeError or ValueError where one that must be there is not."""
    chosen_by, answer = node["answerChosenBy"], node["answer"]
    return Discussion(
        node_id=node_id(node["id"]),
        github_id=identity(node["databaseId"]),
        number=sense.number(node["number"]),
        title=text(node["title"]),
        body=text(node["body"]),
        category=_category(node["category"]),
        state=DiscussionState.CLOSED if truth(node["closed"]) else DiscussionState.OPEN,
        state_reason=None if node["stateReason"] is None else text(node["stateReason"]).lower(),
        locked=truth(node["locked"]),
        url=text(node["url"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        closed_at=parsing.time(node["closedAt"]),
        author=parsing.person(node["author"]),
        # GitHub has null for what can have no answer, by its category.
        is_answered=node["isAnswered"] is not None and truth(node["isAnswered"]),
        answer_id=None if answer is None else node_id(answer["id"]),
        answer_chosen_at=parsing.time(node["answerChosenAt"]),
        answer_chosen_by=None if chosen_by is None else parsing.person(chosen_by).login,
        upvotes=count(node["upvoteCount"]),
        comments=count(node["comments"]["totalCount"]),
    )


def comment(node: Node, parent: int | None = None) -> DiscussionComment:
    """Read a comment, or a reply to the `parent` of this number."""
    return DiscussionComment(
        node_id=node_id(node["id"]),
        github_id=identity(node["databaseId"]),
        author=parsing.person(node["author"]),
        body=text(node["body"]),
        url=text(node["url"]),
        created_at=sense.moment(node["createdAt"]),
        updated_at=sense.moment(node["updatedAt"]),
        deleted_at=parsing.time(node["deletedAt"]),
        is_answer=truth(node["isAnswer"]),
        upvotes=count(node["upvoteCount"]),
        replies=count(node["replies"]["totalCount"]) if parent is None else 0,
        parent=parent,
    )


def _category(node: Node) -> Category:
    return Category(
        node_id=node_id(node["id"]),
        name=text(node["name"]),
        description=text_or_none(node["description"]),
        emoji=text(node["emoji"]),
    )


def _page_discussion(node: Node) -> PageDiscussion:
    return PageDiscussion(discussion=discussion(node))


def _comments(_follow_up: FollowUp, node: Node) -> Listing[DiscussionComment]:
    return parsing.listing(node["comments"], "discussion_comment", comment)


def _replies(follow_up: FollowUp, node: Node) -> Listing[DiscussionComment]:
    assert isinstance(follow_up, RepliesOfComment)
    return parsing.listing(node["replies"], "discussion_comment", lambda reply: comment(reply, follow_up.parent))


QUERIES = ItemQueries(
    item="discussion",
    items="discussions",
    connection="discussions",
    page="DiscussionPage",
    outline="DiscussionOutline",
    after="DiscussionAfter",
    by_number="DiscussionByNumber",
    units=0,
    read=_page_discussion,
    lists={
        CommentsOfDiscussion: ListQuery(
            read=_comments,
            alone="DiscussionComments",
            by_ids="DiscussionsComments",
            ids="ids_of_comments",
            name="comments",
        ),
        RepliesOfComment: ListQuery(
            read=_replies, alone="CommentReplies", by_ids="CommentsReplies", ids="ids_of_replies", name="replies"
        ),
    },
)
