"""Which test proves what systems of this kind have taught: W writes, M existing databases, I identity, P progress,
C configuration, R limits and time.  `test_faults.py` holds this table against the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ACT = "tests/acceptance/test_progressive_backfill.py::"
_BACKFILLS = "tests/store/test_backfills.py::"
_BAD = "tests/tasks/test_bad_data.py::"
_BUDGETS = "tests/store/test_budgets.py::"
_CAPTURE = "tests/tasks/test_capture.py::"
_CHECK = "tests/tasks/test_check.py::"
_CLI = "tests/test_cli.py::"
_COMMITS = "tests/tasks/test_commits.py::"
_COMPLETE = "tests/policy/test_completeness.py::"
_COUNTS = "tests/tasks/test_counts.py::"
_FILES = "tests/acceptance/test_workflow_files.py::"
_GOVERNOR = "tests/policy/test_governor.py::"
_GRAPHQL = "tests/clients/test_graphql.py::"
_ITEMS = "tests/store/test_pull_requests.py::"
_KILLS = "tests/tasks/test_kills.py::"
_LIFECYCLE = "tests/policy/test_lifecycle.py::"
_MIGRATIONS = "tests/store/test_migrations.py::"
_MOVING = "tests/tasks/test_moving_world.py::"
_PARSING = "tests/clients/test_parsing.py::"
_PATHS = "tests/tasks/test_one_path.py::"
_PLAN = "tests/tasks/test_plan.py::"
_PROGRESS = "tests/policy/test_progress.py::"
_QUARANTINE = "tests/tasks/test_quarantine.py::"
_RECOVER = "tests/tasks/test_recover.py::"
_REPLIES = "tests/clients/test_replies.py::"
_REPORT = "tests/tasks/test_report.py::"
_SCHEMA = "tests/store/test_schema.py::"
_SELECTION = "tests/policy/test_selection.py::"
_SETTINGS = "tests/test_settings.py::"
_THROTTLES = "tests/tasks/test_throttles.py::"
_TRACK = "tests/tasks/test_track.py::"
_UNTOUCHED = "tests/tasks/test_untouched.py::"
_ZONES = "tests/tasks/test_time_zones.py::"
STORM: Final = "tests/storm/test_storm.py::test_after_kills_cuts_and_faults_the_database_is_what_github_has"
_SPOILT = _BAD + "test_what_is_spoilt_once_is_read_again_and_stored_right"
_STAYS = _BAD + "test_what_stays_spoilt_is_kept_with_its_reason_and_everything_else_is_stored"

Table = Mapping[str, tuple[str, ...]]

LESSONS: Table = {
    "W1": (
        _CAPTURE + "test_the_ledger_says_what_the_job_did",
        _REPORT + "test_the_figures_are_those_of_the_rows",
        STORM,
    ),
    "W2": (
        _CHECK + "test_a_role_without_rights_is_told_which_and_where",
        _CHECK + "test_rows_that_may_be_written_and_not_seen_again_are_no_success",
    ),
    "W3": (_CHECK + "test_a_column_that_is_missing_or_that_nobody_fills_is_named_and_no_command_writes",),
    "W4": (_ITEMS + "test_it_writes_new_and_known_rows_of_an_existing_installation",),
    "W5": (_MIGRATIONS + "test_both_kinds_of_database_agree_on_names_types_and_vocabulary",),
    "W6": (_BAD + "test_a_row_that_the_database_refuses_is_found_and_all_others_are_stored",),
    "W7": (STORM,),
    "W8": (_ITEMS + "test_101_of_everything_is_stored", _COMPLETE + "test_every_list_is_followed_to_its_end"),
    "W9": (_MOVING + "test_what_happens_during_the_walk_is_there_at_its_end",),
    "W10": (_ITEMS + "test_a_row_that_comes_twice_in_one_chunk_is_stored_once_as_it_came_last",),
    "W11": (_COMMITS + "test_a_chunk_of_seventy_takes_as_many_statements_as_one_of_five",),
    # Velocity is not built yet: what counts so far is status, plan, report, and what a capture counts.
    "W12": (
        _COUNTS + "test_status_counts_beyond_a_thousand_rows",
        _COUNTS + "test_a_plan_judges_more_than_a_thousand_repositories",
        _COUNTS + "test_a_report_counts_beyond_a_thousand_jobs",
        _COUNTS + "test_a_captured_history_of_more_than_a_thousand_is_counted_whole",
    ),
    "W13": (
        _CLI + "test_a_dry_run_writes_nothing_though_it_could_not_either",
        _CLI + "test_inputs_arrive_by_the_environment_and_empty_ones_are_not_given",
    ),
    "W14": (
        _PATHS + "test_every_way_leaves_the_same_rows_chunks_and_figures",
        _PATHS + "test_each_table_is_filled_by_one_statement_of_the_whole_product",
    ),
    "M1": (_MIGRATIONS + "test_a_file_that_was_edited_since_is_applied_again",),
    "M2": (
        _MIGRATIONS + "test_an_empty_database_needs_every_migration_and_then_none",
        _MIGRATIONS + "test_an_existing_database_is_done_after_one_run",
    ),
    "M3": (_MIGRATIONS + "test_nothing_of_an_existing_database_is_changed_only_added_to_and_loosened",),
    "M4": (
        _SCHEMA + "test_every_table_has_row_level_security",
        _SCHEMA + "test_guests_of_supabase_can_neither_read_nor_write_what_we_create",
    ),
    "M5": (_MIGRATIONS + "test_an_empty_database_takes_no_extension_but_the_one_for_vectors",),
    "M6": (_PLAN + "test_the_total_is_githubs_and_refreshed_by_every_plan",),
    "M7": (_RECOVER + "test_a_chunk_stays_while_another_job_may_hold_it_though_a_host_application_failed_that_one",),
    "I1": (_ITEMS + "test_a_deleted_author_is_the_ghost_and_drops_nothing",),
    # A node id in the place of ours is noticed by the database (a UUID is expected), every other mix-up by the types.
    "I2": (
        "tests/test_ids.py::test_a_mix_up_of_ids_does_not_type_check",
        "tests/test_ids.py::test_each_kind_of_id_has_a_type_of_its_own_in_every_table",
        _ITEMS + "test_a_chunk_is_stored_with_everything_that_belongs_to_it",
    ),
    "I3": (_ACT + "test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing", _STAYS),
    "I4": (
        _ITEMS + "test_a_login_taken_over_by_another_account_belongs_to_the_new_owner",
        _ITEMS + "test_two_accounts_that_swap_their_logins_end_with_the_right_ones",
        _ITEMS + "test_one_login_seen_with_two_accounts_in_one_chunk_is_given_once",
        _TRACK + "test_a_renamed_repository_keeps_its_row_under_its_new_name",
    ),
    "I5": (
        _ITEMS + "test_a_deleted_author_is_the_ghost_and_drops_nothing",
        _ACT + "test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing",
    ),
    "I6": (_ACT + "test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing", STORM),
    "I7": (
        _ITEMS + "test_a_newer_reading_replaces_an_older_one_and_never_the_other_way_round",
        _UNTOUCHED + "test_a_catch_up_changes_only_what_it_fetched_and_what_is_different",
        _UNTOUCHED + "test_a_lighter_reading_of_a_person_or_a_repository_keeps_what_a_fuller_one_knew",
    ),
    "I8": (_UNTOUCHED + "test_the_date_at_which_somebody_was_first_seen_and_the_followers_outlive_every_later_sight",),
    "I9": (_SPOILT, _REPLIES + "test_a_deep_not_found_is_no_permission_to_believe_a_null"),
    "I10": (
        _PARSING + "test_every_nullable_field_of_a_pull_request_may_be_null",
        _PARSING + "test_every_nullable_field_of_a_review_comment_may_be_null",
    ),
    "I11": (
        _BAD + "test_a_row_that_an_older_import_left_under_an_invented_id_becomes_the_right_one",
        _BAD + "test_a_pull_request_that_two_imports_made_twice_becomes_one_row",
    ),
    "I12": (_ITEMS + "test_where_both_kinds_share_one_number_space_the_second_goes_whole_into_quarantine", STORM),
    "I13": (
        _PLAN + "test_one_repository_named_in_three_ways_is_planned_once",
        _TRACK + "test_what_is_wrong_with_one_name_does_not_stop_the_others",
    ),
    "P1": (
        _BACKFILLS + "test_the_next_page_starts_from_the_committed_cursor",
        _CAPTURE + "test_a_page_is_fetched_once_and_the_end_is_believed",
        _CAPTURE + "test_a_second_capture_asks_for_what_changed_since_and_nothing_else",
        _PLAN + "test_two_who_open_a_finished_backfill_at_once_read_only_what_changed",
    ),
    "P2": (
        _PLAN + "test_the_total_is_githubs_and_refreshed_by_every_plan",
        _PROGRESS + "test_an_empty_repository_is_complete",
        _PROGRESS + "test_a_hundred_percent_means_that_nothing_is_missing",
        _COUNTS + "test_what_is_missing_is_listed_by_number_and_counted_against_the_whole",
    ),
    "P3": (
        _PLAN + "test_a_pause_is_over_when_its_time_has_come",
        _LIFECYCLE + "test_a_paused_backfill_can_always_go_on",
    ),
    "P4": (_SELECTION + "test_a_completed_backfill_is_opened_again_when_much_is_missing",),
    "P5": (_KILLS + "test_a_worker_that_wakes_up_after_its_chunk_was_taken_over_commits_nothing", STORM),
    "P6": (_RECOVER + "test_a_chunk_that_lost_its_lease_goes_back_with_its_attempt_and_the_next_claim_raises_it",),
    "P7": (_BACKFILLS + "test_errors_are_counted_in_one_statement_so_that_rivals_lose_none",),
    "P8": (_ACT + "test_a_capture_that_fails_does_not_stop_the_others_and_the_report_names_it",),
    "P9": (_SELECTION + "test_each_of_fifty_waiting_repositories_is_served_within_five_plans",),
    "P10": (_BACKFILLS + "test_rivals_that_claim_at_the_same_moment_get_one_chunk_between_them", STORM),
    "P11": (_QUARANTINE + "test_pull_requests_that_can_never_be_read_are_stepped_over_one_by_one",),
    "P12": (
        _THROTTLES + "test_what_somebody_asks_for_is_captured_though_it_was_a_moment_ago",
        _THROTTLES + "test_a_backfill_goes_on_whenever_others_touched_its_rows",
        _THROTTLES + "test_a_repair_is_done_at_once",
        _THROTTLES + "test_a_refusal_says_when_it_may_be_tried_again",
    ),
    "P13": (_BACKFILLS + "test_the_damaged_backfill_of_an_existing_installation_goes_on_from_the_top",),
    "P14": (_CAPTURE + "test_a_capture_stops_before_its_time_limit_and_says_so",),
    "C1": (
        _SETTINGS + "test_all_missing_settings_are_named_at_once_with_what_they_are_for",
        _SETTINGS + "test_an_empty_setting_is_not_given",
    ),
    "C2": (
        _CAPTURE + "test_an_explicit_chunk_size_is_what_reaches_github",
        _CLI + "test_bad_input_gets_one_clear_line_and_exit_2",
    ),
    "C3": (
        _SETTINGS + "test_the_environment_wins_over_the_env_file",
        _SETTINGS + "test_what_actions_sets_is_read_and_our_own_names_win",
    ),
    "C4": (_CLI + "test_every_command_has_help_with_an_example",),
    "C5": (_ACT + "test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing",),
    "C6": (
        _CLI + "test_a_refused_token_is_exit_2_and_says_so",
        _PLAN + "test_if_nothing_of_what_was_asked_for_is_here_nothing_is_written",
    ),
    "C7": (
        _CLI + "test_no_output_shows_the_token",
        _FILES + "test_secrets_reach_only_steps_that_run_our_commands",
        _BUDGETS + "test_no_row_ever_holds_a_token",
    ),
    "R1": (
        _BUDGETS + "test_an_identity_that_nothing_is_known_of_begins_with_the_least_limit_there_is",
        _REPLIES + "test_the_headers_are_believed_before_the_body",
    ),
    "R2": (
        _BUDGETS + "test_five_jobs_at_once_are_granted_exactly_what_is_there",
        _GOVERNOR + "test_the_last_tenth_of_the_actual_limit_is_never_touched",
    ),
    "R3": (
        _REPLIES + "test_a_secondary_limit_may_come_with_status_200",
        _REPLIES + "test_retry_after_may_be_a_date",
        _REPLIES + "test_trouble_and_cut_answers_are_worth_another_try",
        STORM,
    ),
    "R4": (_SPOILT, _REPLIES + "test_an_alias_that_could_not_be_read_is_unknown_and_not_gone"),
    "R5": (_CAPTURE + "test_a_page_is_fetched_once_and_the_end_is_believed",),
    "R6": (_GRAPHQL + "test_what_no_retry_can_help_is_not_tried_again",),
    # What is counted by days and months so far is costs; `test_layers.py` holds that decisions never read a clock.
    "R7": (
        _ZONES + "test_every_decision_is_the_same_in_another_time_zone",
        _ZONES + "test_times_are_stored_as_they_are_whatever_the_zone_of_worker_and_database",
        _ZONES + "test_a_month_has_its_first_moment_and_not_that_of_the_next",
        "tests/test_layers.py::test_policy_is_pure",
    ),
}
