"""Needs of the tables of workspaces, and of aggressive backfills; see `needs`."""

from __future__ import annotations

from collections.abc import Mapping

from gh_backfill.store.table_needs import Needs, names

OF_WORKSPACES: Mapping[str, Needs] = {
    "aggressive_backfills": Needs(
        always=names("asked_by kinds repository_id since"),
        sometimes=names(
            "beat_at checklist completed_at not_before points reason run_key started_at status version worker"
        ),
    ),
    "aggressive_steps": Needs(
        always=names("backfill_id step"), sometimes=names("completed_at done started_at status told total")
    ),
    "workspace_aggregations": Needs(always=names("workspace_id"), sometimes=names("computed_at members seconds")),
    "workspace_metrics": Needs(
        always=names(
            "audience busiest_reviewer busiest_reviewer_share changes_known computed_at contributors "
            "discussion_comments discussions_answered discussions_opened discussions_whole forks "
            "forks_change issues_closed issues_open issues_opened issues_whole median_hours_to_first_review "
            "median_hours_to_merge new_contributors period previous_contributors previous_discussion_comments "
            "previous_discussions_answered previous_discussions_opened previous_issues_closed "
            "previous_issues_opened previous_median_hours_to_first_review previous_median_hours_to_merge "
            "previous_pull_requests_closed previous_pull_requests_merged previous_pull_requests_opened "
            "previous_reviews pull_requests_closed pull_requests_draft pull_requests_merged "
            "pull_requests_open pull_requests_opened pull_requests_whole read_until repositories reviewers "
            "reviews since stars stars_change workspace_id"
        ),
        deleted=True,
    ),
    "workspace_repositories": Needs(always=names("added_by repository_id workspace_id"), updated=False, deleted=True),
    "workspace_schedules": Needs(
        always=names("begins_at days every next_due_at workspace_id"),
        sometimes=names("claimed_until last_run_at"),
        deleted=True,
    ),
    "workspaces": Needs(
        always=names("description name owner_id slug visibility"),
        sometimes=names(
            "current_repository_count is_active last_activity_at max_repositories total_contributors total_issues "
            "total_pull_requests total_repositories updated_at"
        ),
        deleted=True,
    ),
}
