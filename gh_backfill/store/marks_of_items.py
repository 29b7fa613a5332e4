"""The marks that tell the tables of items from a stranger's: `marks` has the others."""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.store.table_needs import names

# By table, the columns of each type.
ITEMS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "pull_requests": {
        "uuid": names("id repository_id author_id merged_by_id"),
        "bigint": names("github_id repository_github_id author_github_id"),
        "integer": names("number additions deletions changed_files commits"),
        "text": names(
            "title body state repository_full_name author_login base_branch head_branch base_ref head_ref html_url "
            "diff_url patch_url"
        ),
        "boolean": names("draft merged"),
        "timestamptz": names("created_at updated_at merged_at closed_at last_synced_at"),
    },
    "reviews": {
        "uuid": names("id pull_request_id repository_id author_id reviewer_id"),
        "bigint": names("github_id"),
        "text": names("state body commit_id"),
        "timestamptz": names("submitted_at"),
    },
    "issues": {
        "uuid": names("id repository_id author_id"),
        "bigint": names("github_id"),
        "integer": names("number comments_count"),
        "text": names("title body state"),
        "jsonb": names("labels assignees milestone"),
        "boolean": names("is_pull_request"),
        "timestamptz": names("created_at updated_at closed_at last_synced_at"),
    },
    "comments": {
        "uuid": names("id repository_id pull_request_id issue_id commenter_id in_reply_to_id"),
        "bigint": names("github_id"),
        "text": names("body comment_type path diff_hunk commit_id original_commit_id"),
        "integer": names("position original_position"),
        "timestamptz": names("created_at updated_at"),
    },
    "discussions": {
        "varchar": names("id category_id category_name category_emoji author_login answer_id answer_chosen_by url"),
        "bigint": names("github_id author_id"),
        "uuid": names("repository_id"),
        "integer": names("number upvote_count comment_count"),
        "text": names("title body category_description"),
        "boolean": names("is_answered locked"),
        "timestamptz": names("created_at updated_at answer_chosen_at synced_at"),
    },
    "backfill_readings": {
        "uuid": names("repository_id"),
        "text": names("name"),
        "integer": names("total known"),
        "timestamptz": names("counted_at"),
    },
    "pull_request_diffs": {
        "uuid": names("pull_request_id"),
        "text": names("list gap"),
        "jsonb": names("rows"),
        "integer": names("total"),
        "timestamptz": names("as_of asked_at leased_until"),
    },
    # Installations may differ in the types of github_id and author_id.
    "discussion_comments": {
        "varchar": names("id discussion_id parent_comment_id author_login"),
        "integer": names("discussion_number upvote_count reply_count"),
        "text": names("body"),
        "boolean": names("is_answer"),
        "timestamptz": names("created_at updated_at synced_at"),
    },
}
