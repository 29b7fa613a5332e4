"""By what things of ours are told from a stranger's of the same name: columns and their types, and labels.

Of a table these are the columns that it has wherever it is ours, also in a host application: those of its first `create
table` that must not be empty or that we write.  A test holds the list against what the migrations make.
"""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.store.marks_of_items import ITEMS
from gh_backfill.store.table_needs import names

# By table, the columns of each type.
TABLES: Mapping[str, Mapping[str, frozenset[str]]] = {
    "repositories": {
        "uuid": names("id"),
        "bigint": names("github_id"),
        "text": names("full_name owner name description homepage language default_branch license avatar_url"),
        "integer": names("stargazers_count forks_count size"),
        "boolean": names(
            "is_fork is_archived is_disabled is_private is_template has_issues has_projects has_wiki has_discussions"
        ),
        "timestamptz": names("github_created_at github_updated_at github_pushed_at first_tracked_at last_updated_at"),
    },
    "contributors": {
        "uuid": names("id"),
        "bigint": names("github_id"),
        "text": names("username display_name avatar_url profile_url email company location bio blog"),
        "integer": names("public_repos public_gists followers following"),
        "timestamptz": names("first_seen_at last_updated_at github_created_at"),
        "boolean": names("is_bot"),
    },
    "tracked_repositories": {
        "uuid": names("id repository_id"),
        "text": names("organization_name repository_name"),
        "boolean": names("tracking_enabled"),
        "integer": names("sync_frequency_hours"),
        "repository_priority": names("priority"),
        "timestamptz": names("created_at updated_at"),
    },
    "repository_syncs": {
        "uuid": names("repository_id"),
        "timestamptz": names("next_due_at last_success_at"),
        "integer": names("interval_minutes rows_read"),
    },
    **ITEMS,
    "progressive_backfill_state": {
        "uuid": names("id repository_id"),
        "integer": names("total_prs processed_prs last_processed_pr_number chunk_size error_count consecutive_errors"),
        "text": names("last_processed_cursor last_error"),
        "timestamptz": names("last_processed_at last_error_at created_at updated_at"),
        "varchar": names("status"),
        "jsonb": names("metadata"),
    },
    "backfills": {
        "uuid": names("id repository_id"),
        "text": names("kind status held_reason held_by pause_reason last_processed_cursor last_error"),
        "integer": names("total captured gaps page_size error_count consecutive_errors"),
        "boolean": names("held"),
        "jsonb": names("metadata"),
        "timestamptz": names("resume_at completed_at planned_at last_error_at created_at updated_at"),
    },
    "backfill_streams": {
        "uuid": names("id repository_id backfill_state_id"),
        "text": names("stream ordering cursor"),
        "integer": names("part goal_max_items pass items_done"),
        "varchar": names("status"),
        "timestamptz": names("read_down_to watermark created_at updated_at"),
    },
    "backfill_chunks": {
        "uuid": names("id repository_id backfill_state_id"),
        "integer": names("chunk_number retry_count api_calls_made rate_limit_remaining"),
        "integer[]": names("pr_numbers"),
        "varchar": names("status processor_type"),
        "timestamptz": names("started_at completed_at"),
        "text": names("error"),
    },
    "backfill_quarantine": {
        "uuid": names("id repository_id"),
        "text": names("kind identity reason"),
        "bigint": names("github_id"),
        "integer": names("number attempts"),
        "jsonb": names("payload"),
        "timestamptz": names("first_seen_at last_seen_at resolved_at"),
    },
    "item_proofs": {
        "uuid": names("repository_id"),
        "text": names("kind"),
        "bigint": names("github_id"),
        "integer": names("number"),
        "timestamptz": names("proved_at"),
        "jsonb": names("counts differences"),
    },
    "number_audit": {
        "uuid": names("repository_id"),
        "integer": names("number times"),
        "text": names("what target"),
        "timestamptz": names("asked_at"),
    },
    "absences": {
        "uuid": names("repository_id"),
        "text": names("kind"),
        "bigint": names("github_id"),
        "integer": names("number times"),
        "timestamptz": names("first_said_at last_said_at"),
    },
    "job_sums": {
        "date": names("day"),
        "text": names("processor job_type"),
        "uuid": names("repository_id"),
        "integer": names("jobs started failed"),
        "bigint": names("points requests chunks items minutes"),
        "double precision": names("cost"),
    },
    "github_events_cache": {
        "uuid": names("id"),
        "text": names("event_id event_type actor_login repository_owner repository_name"),
        "jsonb": names("payload"),
        "timestamptz": names("created_at"),
    },
    "private_events": {
        "uuid": names("id repository_id"),
        "text": names("event_id event_type actor_login source"),
        "bigint": names("actor_github_id"),
        "jsonb": names("payload"),
        "timestamptz": names("created_at"),
    },
    "star_days": {
        "uuid": names("repository_id"),
        "date": names("day"),
        "integer": names("stars"),
        "boolean": names("provisional"),
        "timestamptz": names("read_at"),
    },
    "count_snapshots": {
        "uuid": names("repository_id"),
        "timestamptz": names("taken_at"),
        "integer": names("stars forks"),
    },
    "event_sources": {
        "uuid": names("repository_id"),
        "text": names("series source state reason cursor head_cursor"),
        "timestamptz": names("asked_at cursor_at head_at"),
        "tstzmultirange": names("covered"),
        "integer": names("found expected"),
    },
    "workspaces": {
        "uuid": names("id owner_id"),
        "text": names("slug name description visibility tier"),
        "integer": names("max_repositories current_repository_count"),
        "boolean": names("is_active"),
        "timestamptz": names("last_activity_at created_at updated_at"),
    },
    "workspace_repositories": {
        "uuid": names("id workspace_id repository_id added_by"),
        "timestamptz": names("added_at"),
    },
    "workspace_schedules": {
        "uuid": names("workspace_id"),
        "text": names("every"),
        "integer": names("days"),
        "timestamptz": names("begins_at next_due_at claimed_until last_run_at"),
    },
    "workspace_aggregations": {
        "uuid": names("workspace_id"),
        "timestamptz": names("computed_at"),
        "double precision": names("seconds"),
        "text": names("members"),
    },
    "workspace_metrics": {
        "uuid": names("workspace_id"),
        "text": names("audience period"),
        "timestamptz": names("since computed_at"),
        "integer": names("repositories contributors pull_requests_opened issues_opened discussions_opened"),
    },
    "verifications": {
        "uuid": names("repository_id"),
        "timestamptz": names("verified_at proven_at"),
        "double precision": names("score"),
        "integer": names("open"),
        "jsonb": names("certificate"),
    },
    "embedding_attempts": {
        "text": names("item_type item_id reason worker"),
        "uuid": names("repository_id"),
        "bigint": names("text_hash"),
        "integer": names("attempts"),
        "timestamptz": names("leased_until set_aside_at updated_at"),
    },
    "embedding_jobs": {
        "uuid": names("id repository_id"),
        "text": names("status error_message"),
        "integer": names("items_total items_processed"),
        "timestamptz": names("started_at completed_at updated_at"),
    },
    "progressive_capture_jobs": {
        "uuid": names("id repository_id"),
        "varchar": names("job_type processor_type status"),
        "integer": names("time_range_days"),
        "bigint": names("workflow_run_id"),
        "jsonb": names("metadata"),
        "text": names("error"),
        "timestamptz": names("started_at completed_at"),
    },
    "api_budgets": {
        "text": names("identity resource"),
        "integer": names("budget_limit remaining slowdowns"),
        "timestamptz": names("reset_at not_before busy_at created_at updated_at"),
        "double precision": names("busy"),
        "jsonb": names("reserved"),
    },
    "backfill_reports": {
        "text": names("run_key processor"),
        "bigint": names("workflow_run_id"),
        "integer": names("workflow_run_attempt minutes"),
        "jsonb": names("report alerts"),
        "timestamptz": names("reported_at delivered_at notified_at"),
        "uuid": names("delivery_id"),
    },
    "webhook_deliveries": {
        "text": names("delivery_id event action status error"),
        "integer": names("attempts"),
        "timestamptz": names("received_at finished_at"),
    },
    "webhook_pending": {
        "bigint": names("repository_github_id"),
        "text": names("kind identity event"),
        "integer": names("times"),
        "jsonb": names("payload"),
        "timestamptz": names("first_at last_at"),
    },
    "backfill_events": {
        "bigint": names("id"),
        "timestamptz": names("at"),
        "uuid": names("repository_id"),
        "text": names("event detail who run_key"),
    },
    "aggressive_backfills": {
        "uuid": names("id repository_id"),
        "text": names("status asked_by worker run_key reason"),
        "text[]": names("kinds"),
        "integer": names("points version"),
        "jsonb": names("checklist"),
        "timestamptz": names("since not_before created_at started_at beat_at completed_at"),
    },
    "aggressive_steps": {
        "uuid": names("backfill_id"),
        "text": names("step status told"),
        "integer": names("done total"),
        "timestamptz": names("started_at completed_at"),
    },
    "backfill_batches": {
        "uuid": names("id"),
        "timestamptz": names("created_at"),
        "text": names("created_by"),
        "boolean": names("backfill"),
        "jsonb": names("wish members"),
    },
    "budget_samples": {
        "text": names("run_key identity resource"),
        "timestamptz": names("at reset_at"),
        "integer": names("budget_limit remaining"),
    },
    "gh_backfill_migrations": {
        "text": names("version name"),
        "timestamptz": names("applied_at"),
    },
}

VIEWS: Mapping[str, frozenset[str]] = {
    "backfill_progress_summary": names("backfill_id progress_percentage"),
    "backfill_progress": names("progress status wanted percent"),
    "items_needing_embeddings_priority": names("item_type repository_id priority_score"),
    "backfill_goals": names("captured wanted open_ended"),
    "backfill_metrics": names("finished_jobs running_jobs waiting_jobs success_percent"),
    "pull_request_commits": names("repository_id pull_request_id oid committed_at"),
    "pull_request_files": names("repository_id pull_request_id path change_type"),
    "pull_request_times": names("repository_id pull_request_id first_review_at hours_to_merge"),
    "review_times": names("repository_id review_id is_own hours_since_opened"),
    "issue_times": names("repository_id issue_id hours_to_close"),
    "contributions": names("repository_id contributor_id what at"),
    "repository_cycle_times": names("repository_id grain begins median_hours_to_merge"),
    "reviewer_load": names("repository_id grain begins reviewer_id"),
    "repository_contributors": names("repository_id contributor_id first_at last_at"),
    "repository_activity": names("repository_id grain begins pull_requests_opened"),
    "workspace_contributors": names("workspace_id contributor_id repositories"),
    "discussion_times": names("repository_id discussion_id answered_at hours_to_answer"),
    "discussion_comment_times": names("repository_id comment_id discussion_id commented_at"),
    "discussion_contributors": names("repository_id contributor_id discussions answers"),
    "discussion_activity": names("repository_id grain begins discussions_opened"),
}

ENUMS: Mapping[str, tuple[str, ...]] = {
    "repository_priority": ("high", "medium", "low"),
    "repository_size": ("small", "medium", "large", "xl"),
}
