"""Columns in which the statements of a verification tell of an item, by its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SHARED = ("node_id", "number", "title", "body", "state", "created_at", "closed_at", "author")
_CODE = ("additions", "deletions", "changed_files", "commits", "base_branch", "head_branch")
# The fields of each kind, as statements and facts call them.
FIELDS: Mapping[str, Sequence[str]] = {
    "pull_requests": (*_SHARED, "merged", "draft", "merged_at", *_CODE, "merged_by", "milestone"),
    "issues": (*_SHARED, "state_reason", "milestone"),
    "discussions": (*_SHARED, "state_reason", "category", "answer"),
}
# What is counted of the parts that are here, and the column that has it.
HELD: Mapping[str, Mapping[str, str]] = {
    "pull_requests": {
        "reviews": "reviews",
        "comments": "comments",
        "review comments": "review_comments",
        "labels": "labels",
        "assignees": "assignees",
        "requested reviewers": "requested_reviewers",
    },
    "issues": {"comments": "comments", "labels": "labels", "assignees": "assignees"},
    "discussions": {"comments": "comments", "replies": "replies"},
}
# What GitHub counted when the item was read.
NOTED: Mapping[str, Mapping[str, str]] = {
    "pull_requests": {
        "reviews": "noted_reviews",
        "comments": "noted_comments",
        "threads": "noted_threads",
        "review comments": "noted_review_comments",
    },
    "issues": {"comments": "noted_comments"},
    "discussions": {"comments": "noted_comments"},
}
