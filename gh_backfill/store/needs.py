"""The needs of our statements: the columns that they write in each table, and the rights for that.

A test holds this list against the statements: PostgreSQL is asked to plan each of them as a role that may write exactly
these columns, and refuses none; and there is no column here that it would not refuse without.
"""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.store.needs_of_workspaces import OF_WORKSPACES
from gh_backfill.store.table_needs import Needs, names

# What a tombstone writes.
GONE = "gone_at gone_reason gone_target"
# Only with pgvector.
VECTOR = names("content_hash embedding embedding_generated_at")
TO_WRITE: Mapping[str, Needs] = {
    "absences": Needs(
        always=names("github_id kind number repository_id"), sometimes=names("last_said_at times"), deleted=True
    ),
    "api_budgets": Needs(
        always=names("budget_limit identity remaining resource"),
        sometimes=names(
            "busy busy_at busy_credit not_before prices prices_asked_at reserved reset_at slowdowns updated_at"
        ),
    ),
    "backfill_batches": Needs(
        always=names("backfill created_at created_by id members wish"), updated=False, deleted=True
    ),
    "backfill_chunks": Needs(
        always=names(
            "after_cursor attempt backfill_id backfill_state_id chunk_number claimed_by lease_until processor_type "
            "repository_id started_at status stream_id"
        ),
        sometimes=names(
            "api_calls_made completed_at end_cursor error page_size points pr_numbers rate_limit_remaining retry_at "
            "retry_count rows_inserted rows_quarantined rows_unchanged rows_updated"
        ),
        deleted=True,
    ),
    "backfill_events": Needs(
        always=names("detail event kind repository_id run_key who"),
        updated=False,
        deleted=True,
    ),
    "backfill_quarantine": Needs(
        always=names("github_id identity item_kind kind number payload reason repository_id"),
        sometimes=names("attempts last_seen_at resolved_at"),
    ),
    "backfill_reports": Needs(
        always=names(
            "alerts error_summary minutes processor report reported_at run_key workflow_run_attempt workflow_run_id"
        ),
        sometimes=names("delivered_at delivery_id notified_at"),
    ),
    "backfill_streams": Needs(
        always=names("backfill_id backfill_state_id kind ordering repository_id stream"),
        sometimes=names(
            "checkpoint cursor goal_captured goal_max_items goal_since goal_states goal_until goal_wanted "
            "highest_number items_done lowest_number page_size page_too_big page_worked pages_clean part pass points "
            "read_down_to requests status stuck updated_at watermark"
        ),
    ),
    "backfills": Needs(
        always=names("captured id kind repository_id total"),
        sometimes=names(
            "completed_at consecutive_errors error_count gaps gaps_seen held held_by held_reason last_error "
            "last_error_at last_processed_at last_processed_cursor last_processed_number metadata page_size "
            "pause_reason planned_at points requests resume_at status updated_at"
        ),
    ),
    "budget_samples": Needs(
        always=names("at budget_limit identity remaining reset_at resource run_key"),
        deleted=True,
    ),
    "comments": Needs(
        always=names(
            "body comment_type commenter_id commit_id created_at diff_hunk github_id id in_reply_to_id issue_id "
            "node_id original_commit_id original_position path position pull_request_id repository_id review_github_id "
            "updated_at"
        ),
        sometimes=names(GONE),
    ),
    "contributors": Needs(
        always=names("avatar_url display_name github_id is_bot node_id profile_url username"),
        sometimes=names(
            "bio blog company email followers following github_created_at last_updated_at location profile_asked_at "
            "profile_fetched_at profile_gap profile_leased_until public_gists public_repos"
        ),
    ),
    "count_snapshots": Needs(always=names("forks repository_id stars taken_at")),
    "discussion_comments": Needs(
        always=names(
            "author_github_id author_id author_login body created_at deleted_at discussion_id discussion_number "
            "github_id id is_answer node_id parent_comment_id reply_count synced_at updated_at upvote_count url"
        ),
        sometimes=names(GONE),
    ),
    "discussions": Needs(
        always=names(
            "answer_chosen_at answer_chosen_by answer_id author_id author_login body capture_gap "
            "category_description category_emoji category_id category_name closed_at comment_count counts_fetched_at "
            "created_at github_id id is_answered locked node_id number repository_id state state_reason synced_at "
            "title updated_at upvote_count url"
        ),
        sometimes=names(GONE),
        optional=VECTOR,
        deleted=True,
    ),
    "embedding_attempts": Needs(
        always=names("item_id item_type leased_until repository_id text_hash worker"),
        sometimes=names("attempts reason set_aside_at updated_at"),
        deleted=True,
    ),
    "embedding_jobs": Needs(
        always=names("items_total model provider repository_id started_at status"),
        sometimes=names("completed_at cost error_message items_failed items_processed tokens updated_at"),
        deleted=True,
    ),
    "event_sources": Needs(
        always=names(
            "asked_at covered cursor cursor_at expected found head_at head_cursor reason repository_id series source "
            "state"
        ),
    ),
    "github_events_cache": Needs(
        always=names(
            "actor_github_id actor_login created_at event_id event_type payload repository_github_id repository_name "
            "repository_owner source"
        ),
    ),
    "item_proofs": Needs(
        always=names("counts differences github_id kind number proved_at repository_id"), deleted=True
    ),
    "issues": Needs(
        always=names(
            "assignees author_id body capture_gap closed_at comments_count counts_fetched_at created_at github_id "
            "html_url is_pull_request labels last_synced_at milestone node_id number repository_id state state_reason "
            "title updated_at"
        ),
        sometimes=names(GONE),
        optional=VECTOR,
        deleted=True,
    ),
    "job_sums": Needs(
        always=names(
            "chunks cost day failed items job_type jobs minutes points processor repository_id requests started"
        ),
    ),
    "number_audit": Needs(always=names("asked_at number repository_id target times what")),
    "private_events": Needs(
        always=names("actor_github_id actor_login created_at event_id event_type payload repository_id source")
    ),
    "progressive_backfill_state": Needs(
        always=names(
            "chunk_size completed_at consecutive_errors created_at error_count gaps gaps_seen held held_by held_reason "
            "id last_error last_error_at last_processed_at last_processed_cursor last_processed_pr_number metadata "
            "pause_reason planned_at points processed_prs repository_id requests resume_at status total_prs updated_at"
        ),
        by_trigger=True,
    ),
    "progressive_capture_jobs": Needs(
        always=names("job_type metadata processor_type repository_id status"),
        sometimes=names(
            "chunks completed_at cost error error_summary error_type heartbeat_at items outcome points requests "
            "retries run_key runner_seconds started_at time_range_days times warnings worker workflow_run_attempt "
            "workflow_run_id"
        ),
        deleted=True,
    ),
    "pull_requests": Needs(
        always=names(
            "additions assignees author_github_id author_id author_login base_branch base_ref body capture_gap "
            "changed_files closed_at commits counts_fetched_at created_at deletions diff_url draft github_comments "
            "github_id github_review_comments github_review_threads github_reviews github_total_comments head_branch "
            "head_ref html_url labels last_synced_at merged merged_at merged_by_id milestone node_id number patch_url "
            "repository_full_name repository_github_id repository_id requested_reviewers state title updated_at"
        ),
        sometimes=names(GONE),
        optional=VECTOR,
        deleted=True,
    ),
    "backfill_readings": Needs(always=names("counted_at known name repository_id total")),
    "repository_syncs": Needs(
        always=names("repository_id"),
        sometimes=names(
            "failures last_ended_at last_error last_started_at last_success_at next_due_at reason rows_changed "
            "rows_read"
        ),
    ),
    "repositories": Needs(
        always=names(
            "avatar_url default_branch description forks_count full_name github_created_at github_id "
            "github_pull_requests github_pull_requests_at github_pushed_at github_updated_at has_discussions "
            "has_issues has_projects has_wiki homepage is_archived is_disabled is_fork is_private is_template language "
            "license name node_id owner size stargazers_count"
        ),
        sometimes=names("initial_backfill_status"),
    ),
    "pull_request_diffs": Needs(
        always=names("leased_until list pull_request_id"), sometimes=names("as_of asked_at gap rows total")
    ),
    "reviews": Needs(
        always=names(
            "author_id body commit_id github_id node_id pull_request_id repository_id reviewer_id state submitted_at"
        ),
        sometimes=names(GONE),
    ),
    "star_days": Needs(always=names("day provisional read_at repository_id stars")),
    "tracked_repositories": Needs(
        always=names(
            "kinds only_newest organization_name priority repository_id repository_name sync_frequency_hours "
            "tracking_enabled"
        ),
        sometimes=names("every_days off_peak updated_at"),
    ),
    "verifications": Needs(always=names("certificate open proven_at repository_id score verified_at"), deleted=True),
    "webhook_deliveries": Needs(
        always=names("action delivery_id event status"),
        sometimes=names("attempts error finished_at received_at"),
        deleted=True,
    ),
    "webhook_pending": Needs(
        always=names("event identity kind payload repository_github_id"),
        sometimes=names("attempts first_at last_at reason retry_at times version"),
        deleted=True,
    ),
    **OF_WORKSPACES,
}

# The further needs of `untrack --delete-rows`.  Who never deletes a repository's rows need not give these rights.
TO_DELETE: Mapping[str, Needs] = dict.fromkeys(
    (
        "backfill_quarantine",
        "backfill_readings",
        "backfills",
        "comments",
        "count_snapshots",
        "discussion_comments",
        "discussions",
        "embedding_attempts",
        "embedding_jobs",
        "event_sources",
        "github_events_cache",
        "issues",
        "private_events",
        "pull_requests",
        "reviews",
        "star_days",
    ),
    Needs(updated=False, deleted=True),
)
