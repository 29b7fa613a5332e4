"""Which test proves how each fault is handled: faults of GitHub, moments of death, bad data, a moving world, and
lessons.

`test_faults.py` holds these tables against the simulator's faults, the storm's points, and the tests themselves.
"""

from __future__ import annotations

from typing import Final

from tests.lessons import LESSONS, STORM, Table

_ACT = "tests/acceptance/test_progressive_backfill.py::"
_BACKFILLS = "tests/store/test_backfills.py::"
_BAD = "tests/tasks/test_bad_data.py::"
_BUDGETS = "tests/store/test_budgets.py::"
_CAPTURE = "tests/tasks/test_capture.py::"
_COMMITS = "tests/tasks/test_commits.py::"
_COMPLETE = "tests/policy/test_completeness.py::"
_CREDENTIALS = "tests/clients/test_credentials.py::"
_DB = "tests/store/test_db.py::"
_EVERYWHERE = (
    "tests/tasks/test_every_fault.py::test_no_fault_at_any_request_writes_what_is_wrong_and_the_next_try_is_right"
)
_OF_ISSUES = (
    "tests/tasks/test_every_fault_of_issues.py::"
    "test_nothing_of_an_issue_is_lost_unrecorded_while_a_fault_lasts_or_after_it"
)
_OF_DISCUSSIONS = (
    "tests/tasks/test_every_fault_of_discussions.py::"
    "test_nothing_of_a_discussion_is_lost_unrecorded_while_a_fault_lasts_or_after_it"
)
_OF_MARKS = (
    "tests/tasks/test_every_fault_of_marks.py::"
    "test_no_mark_of_a_pull_request_is_lost_unrecorded_while_a_fault_lasts_or_after_it"
)
_OF_DIFFS = "tests/tasks/test_diffs.py::test_no_fault_writes_what_is_wrong_and_the_next_reading_is_right"
_ENDS = "tests/tasks/test_ends.py::"
_GRAPHQL = "tests/clients/test_graphql.py::"
_ITEMS = "tests/store/test_pull_requests.py::"
_KILLS = "tests/tasks/test_kills.py::"
_LOOKUPS = "tests/clients/test_lookups.py::"
_MOVING = "tests/tasks/test_moving_world.py::"
_PARSING = "tests/clients/test_parsing.py::"
_PLAN = "tests/tasks/test_plan.py::"
_PROGRESS = "tests/policy/test_progress.py::"
_QUARANTINE = "tests/tasks/test_quarantine.py::"
_RECOVER = "tests/tasks/test_recover.py::"
_REPLIES = "tests/clients/test_replies.py::"
_TRACK = "tests/tasks/test_track.py::"
_NULL = _LOOKUPS + "test_a_null_with_another_error_at_it_is_unknown_and_says_why"
_STORED = _PLAN + "test_what_github_does_not_say_is_planned_from_what_is_stored"
_REFUSAL = _CAPTURE + "test_a_refused_credential_pauses_the_backfill_and_is_no_error_of_it"
_AGAIN = _CAPTURE + "test_a_passing_fault_is_survived_by_asking_again"
_HALVES = _CAPTURE + "test_a_page_that_times_out_is_asked_for_in_halves"
_LIST = _ENDS + "test_a_list_of_a_pull_request_that_never_leads_on_ends_soon_and_what_it_lacks_is_a_gap"
_NEVER = _ENDS + "test_a_walk_whose_list_never_leads_on_ends_soon_with_a_gap_and_says_so"
_ONCE = _ENDS + "test_a_walk_whose_list_does_not_lead_on_once_asks_again_and_is_whole"
_REPLACED = _BAD + "test_characters_that_no_database_takes_are_replaced_and_reported_where_they_stay"
_SPLIT = (
    "tests/tasks/test_parts.py::"
    "test_an_outline_that_leaves_the_highest_number_in_doubt_is_asked_for_again_and_then_not_split_by"
)
_SPOILT = _BAD + "test_what_is_spoilt_once_is_read_again_and_stored_right"
_STAYS = _BAD + "test_what_stays_spoilt_is_kept_with_its_reason_and_everything_else_is_stored"

# The faults of the simulated GitHub, by the names of `simulator.effects.EFFECTS`.
GITHUB: Table = {
    "502_json": (_HALVES, _REPLIES + "test_a_query_that_is_too_heavy_is_to_be_asked_smaller", STORM),
    "502_html": (_AGAIN, _GRAPHQL + "test_passing_faults_are_tried_again_with_growing_pauses", STORM),
    "504": (_HALVES, _REPLIES + "test_a_query_that_is_too_heavy_is_to_be_asked_smaller", STORM),
    "200_timeout": (_HALVES, _REPLIES + "test_a_query_that_is_too_heavy_is_to_be_asked_smaller", STORM),
    "truncated": (_AGAIN, _REPLIES + "test_trouble_and_cut_answers_are_worth_another_try", STORM),
    "reset": (_AGAIN, _GRAPHQL + "test_it_gives_up_after_the_last_try", STORM),
    "stall": (_CAPTURE + "test_an_answer_that_never_comes_is_given_up_and_asked_for_again", STORM),
    "secondary_a": (
        _REPLIES + "test_a_secondary_limit_with_retry_after_waits_that_long",
        _BUDGETS + "test_a_retry_after_seen_by_one_holds_for_all_until_it_is_over",
        STORM,
    ),
    "secondary_b": (
        _REPLIES + "test_a_secondary_limit_with_a_near_reset_waits_for_it_but_at_least_a_minute",
        STORM,
    ),
    "secondary_c": (
        _REPLIES + "test_a_secondary_limit_without_a_word_waits_at_least_a_minute",
        _BUDGETS + "test_a_wait_without_a_time_doubles_while_it_repeats_and_begins_again_after_an_answer",
        STORM,
    ),
    "rate_limited": (
        _REPLIES + "test_exhausted_points_come_in_two_shapes_with_status_200_and_wait_for_the_reset",
        _PLAN + "test_a_plan_without_points_says_why_and_until_when_in_plan_and_ledger",
        STORM,
    ),
    "rate_limit": (_REPLIES + "test_exhausted_points_come_in_two_shapes_with_status_200_and_wait_for_the_reset", STORM),
    "resource_limits": (_CAPTURE + "test_a_page_over_the_resource_limit_shrinks_until_it_passes", STORM),
    "null_with_error": (
        _SPOILT,
        _STAYS,
        _BAD + "test_a_null_beside_an_error_is_never_stored_as_a_deleted_account",
        STORM,
    ),
    "node_unread": (_NULL, _STORED, _EVERYWHERE, STORM),
    "node_forbidden": (_NULL, _STORED, _REFUSAL, _EVERYWHERE, STORM),
    "node_untyped": (_NULL, _STORED, _EVERYWHERE, STORM),
    "no_cursor": (_ONCE, _NEVER, _LIST, STORM),
    "old_cursor": (
        _ONCE,
        _NEVER,
        _LIST,
        _ENDS + "test_a_circle_of_several_pages_is_noticed_though_each_process_reads_one_of_them",
        STORM,
    ),
    "empty_page": (_ONCE, _NEVER, _LIST, STORM),
    "empty_list": (
        "tests/clients/test_listing.py::test_a_list_that_says_it_goes_on_and_does_not_ends_with_an_error",
        STORM,
    ),
    "phantoms": (_ENDS + "test_a_list_that_ends_before_its_count_is_a_gap_by_two_readings", STORM),
    "shrink": (_SPOILT, _COMPLETE + "test_a_list_that_ends_before_its_count_is_read_again_alone"),
    "bad_credentials": (
        _CAPTURE + "test_a_refused_token_stops_at_once_with_a_word_about_the_token",
        _REFUSAL,
        _PLAN + "test_a_refused_token_ends_the_plan_with_a_failed_job_and_changes_no_backfill",
        _CREDENTIALS + "test_a_token_that_expired_is_left_out_and_the_others_go_on",
        STORM,
    ),
    "forbidden": (
        _REFUSAL,
        _PLAN + "test_what_a_refusal_paused_goes_on_with_the_first_plan_that_github_answers",
        STORM,
    ),
    "blocked": (_TRACK + "test_an_id_that_is_refused_is_told_of_alone", _EVERYWHERE, STORM),
    "nul_in_body": (_SPOILT, _REPLACED, STORM),
    "lone_surrogate": (
        _SPOILT,
        _REPLIES + "test_characters_that_no_database_can_store_are_replaced_and_reported",
        STORM,
    ),
    "null_edge": (_BAD + "test_places_of_a_page_that_are_null_cost_no_neighbour", _EVERYWHERE, STORM),
    "double": (
        _BAD + "test_a_pull_request_in_the_place_of_another_one_hides_nothing",
        _EVERYWHERE,
        STORM,
    ),
    "newest_unread": (_SPLIT, _EVERYWHERE, STORM),
    "huge_number": (_SPLIT, _EVERYWHERE, STORM),
    "wrong_cursors": (
        _BAD + "test_a_damaged_place_whose_cursor_leads_elsewhere_is_asked_for_by_its_number",
        _EVERYWHERE,
        STORM,
    ),
    "missing_id": (_SPOILT, _STAYS, STORM),
}

# Each of them strikes each query of issues, of discussions and of lists of changes alone, too.
GITHUB = {fault: (*proofs, _OF_ISSUES, _OF_DISCUSSIONS, _OF_MARKS, _OF_DIFFS) for fault, proofs in GITHUB.items()}

# At which operation of `test_every_fault` each query that we send meets every fault.
AIMED = {
    "Account": "check the token",
    "CreatedSince": "count what was created since",
    "DiscussionHeads": "ask what is due of discussions",
    "DiscussionProofs": "prove discussions",
    "DiscussionsAre": "what numbers are",
    "ForkPage": "read what was forked",
    "IssueHeads": "ask what is due of issues",
    "IssueProofs": "prove issues",
    "Known": "know a part",
    "Numbers": "capture a part",
    "NumbersAre": "what numbers are",
    "ProfileByLogin": "read profiles by login",
    "ProfileByLoginWithoutAddress": "read profiles by login without addresses",
    "ProfilesById": "read profiles",
    "ProfilesByIdWithoutAddress": "read profiles without addresses",
    "ProofHome": "prove where it is",
    "ProofReadable": "is it still there",
    "PullRequestCount": "count beside a page",
    "PullRequestHeads": "ask what is due",
    "PullRequestOutline": "split a walk",
    "PullRequestPage": "capture a page",
    "PullRequestProofs": "prove items",
    "PullRequestAfter": "read a place again",
    "PullRequestByNumber": "by number",
    "PullRequestOf": "fetch what was announced",
    "RepositoriesById": "plan by id",
    "RepositoriesOfOwner": "track an account",
    "RepositoryByName": "track by name",
    "SeriesHome": "count stars and forks",
    "StarPage": "read who starred",
    "StillThere": "is it still there",
    "TopUpPullRequestComments": "complete",
    "TopUpPullRequestReviews": "complete",
    "TopUpReviewComments": "complete",
    "TopUpReviews": "complete",
    "TopUpThreadComments": "complete",
    "TopUpThreads": "complete",
}

# Where a worker dies or loses its database, by the names of `storm.fates.Point`; and what else ends or rivals one.
DEATHS: Table = {
    "before the claim": (STORM,),
    "claimed, not told yet": (STORM,),
    "while fetching": (
        _KILLS + "test_a_killed_worker_is_followed_at_once_on_its_machine_and_after_its_lease_elsewhere",
        STORM,
    ),
    "before the first row": (STORM,),
    "while rows are written": (_BACKFILLS + "test_rows_written_before_a_claim_turns_out_lost_are_rolled_back", STORM),
    "rows written, chunk open": (STORM,),
    "before COMMIT": (STORM,),
    "after COMMIT, not told yet": (_KILLS + "test_a_commit_whose_answer_is_lost_is_found_out_and_counted_once", STORM),
    "at a random moment": (STORM,),
    "while waiting": (STORM,),
    "frozen past the lease": (
        _KILLS + "test_a_worker_that_wakes_up_after_its_chunk_was_taken_over_commits_nothing",
        _RECOVER + "test_a_capture_whose_chunk_is_recovered_under_it_stops_quietly_and_another_one_does_it_all",
        STORM,
    ),
    "SIGINT and SIGTERM": (
        _KILLS + "test_a_worker_told_to_stop_gives_its_chunk_back_and_says_so",
        _KILLS + "test_a_worker_told_to_stop_while_its_claim_is_answered_gives_the_chunk_back",
        "tests/acceptance/test_signals.py::test_a_cancelled_step_gives_its_chunk_back",
    ),
    "two workers on one repository": (
        _KILLS + "test_two_workers_on_one_repository_do_every_page_once_between_them",
        STORM,
    ),
    "rivals that claim at once": (_BACKFILLS + "test_rivals_that_claim_at_the_same_moment_get_one_chunk_between_them",),
    "connection lost while idle": (
        _KILLS + "test_a_connection_lost_between_two_chunks_is_opened_again",
        _DB + "test_a_connection_that_died_while_idle_is_replaced_unnoticed",
    ),
    "connection lost in a transaction": (
        _DB + "test_a_connection_lost_inside_a_transaction_is_unavailable_and_the_next_one_works",
        STORM,
    ),
    "deadlock over contributors": (_KILLS + "test_shared_people_never_make_five_captures_deadlock",),
    "serialization failure": (
        _DB + "test_a_serialization_failure_is_a_conflict",
        _COMMITS + "test_a_serialization_failure_replays_the_commit_without_asking_github_again",
    ),
    "database restarted": (
        _COMMITS + "test_a_database_that_restarts_in_the_middle_of_a_run_costs_neither_a_row_nor_a_request",
    ),
    "lock held by somebody": (
        _DB + "test_a_lock_that_is_not_granted_in_time_is_a_conflict",
        _RECOVER + "test_a_chunk_that_somebody_holds_locked_is_left_and_the_others_are_recovered",
    ),
}

BAD_DATA: Table = {
    "missing id": (_SPOILT, _STAYS),
    "unknown state": (_PARSING + "test_an_unknown_state_of_a_pull_request_is_no_guess",),
    "anything at all": (_PARSING + "test_whatever_is_wrong_with_a_pull_request_is_reported_and_never_raised",),
    "null author": (_ITEMS + "test_a_deleted_author_is_the_ghost_and_drops_nothing",),
    "ghost of an older import": (
        _ITEMS + "test_the_ghost_takes_its_login_from_the_invented_account_of_an_existing_installation",
    ),
    "renamed user": (_ITEMS + "test_a_renamed_account_keeps_its_row_and_takes_its_new_login",),
    "login taken over by another id": (_ITEMS + "test_a_login_taken_over_by_another_account_belongs_to_the_new_owner",),
    "logins swapped": (_ITEMS + "test_two_accounts_that_swap_their_logins_end_with_the_right_ones",),
    "id over 2^31": (_PARSING + "test_ids_over_two_to_the_31_arrive_as_text_and_are_numbers", STORM),
    "bot, mannequin, organisation": (
        _PARSING + "test_whoever_acts_is_a_person_with_the_login_that_people_know",
        _MOVING + "test_an_organisation_opens_reviews_comments_and_merges_like_anybody_and_may_be_renamed",
    ),
    "NUL character": (_SPOILT, _REPLACED),
    "lone surrogate": (_SPOILT, _REPLIES + "test_characters_that_no_database_can_store_are_replaced_and_reported"),
    "body over 65,536 characters": (
        _ACT + "test_the_workflow_captures_the_corpus_and_a_second_run_changes_nothing",  # in a run of the whole
        _ITEMS + "test_a_pull_request_with_more_text_than_one_jsonb_holds_is_stored",
    ),
    "a row that the database refuses": (
        _BAD + "test_a_row_that_the_database_refuses_is_found_and_all_others_are_stored",
        _BAD + "test_a_database_that_refuses_most_rows_is_at_fault_itself_and_stores_nothing",
        _BAD + "test_what_was_refused_is_not_repeated_in_errors_and_logs",
    ),
    "comment of no review": (
        _COMPLETE + "test_comments_of_no_review_are_found_though_every_review_was_read",
        _COMPLETE + "test_a_lone_reply_of_no_review_is_found_by_the_count_of_both_kinds_together",
    ),
    "both kinds of comments with one id": (
        _BAD + "test_a_comment_and_a_review_comment_with_one_number_are_both_kept",
        _ITEMS + "test_where_both_kinds_share_one_number_space_the_second_goes_whole_into_quarantine",
        STORM,
    ),
    "null with an error at its path": (
        _BAD + "test_a_null_beside_an_error_is_never_stored_as_a_deleted_account",
        _REPLIES + "test_a_null_with_an_error_at_its_path_spoils_what_holds_it_and_no_more",
    ),
    "a pull request that cannot be read": (
        _QUARANTINE + "test_pull_requests_that_can_never_be_read_are_stepped_over_one_by_one",
        _QUARANTINE + "test_a_retry_reads_them_and_closes_the_quarantine",
        _QUARANTINE + "test_the_catch_up_tries_the_quarantine_again",
    ),
    "more counted than listed": (_COMPLETE + "test_what_github_counts_and_does_not_list_is_a_gap_and_never_complete",),
}

MOVING_WORLD: Table = {
    "opened, edited, reviewed, closed during the walk": (
        _CAPTURE + "test_what_is_opened_edited_and_reviewed_during_the_walk_is_there_at_the_end",
        _MOVING + "test_what_happens_during_the_walk_is_there_at_its_end",
        _MOVING + "test_many_changes_at_once_take_more_than_one_pass",
    ),
    "deleted after it was read": (_MOVING + "test_a_pull_request_deleted_after_it_was_read_stays",),
    "repository renamed": (_CAPTURE + "test_a_repository_renamed_during_the_walk_goes_on_under_its_new_name",),
    "repository deleted": (_CAPTURE + "test_a_repository_deleted_during_the_walk_fails_alone_and_keeps_its_rows",),
    "repository made private": (_MOVING + "test_a_repository_that_stops_being_public_is_private_at_once",),
    "account deleted": (_MOVING + "test_an_account_deleted_during_the_walk_drops_nothing",),
    "a world that never rests": (
        _PROGRESS + "test_a_repository_that_never_rests_is_left_to_the_sync_after_five_passes",
    ),
}

TABLES: Final = {
    "faults of GitHub": GITHUB,
    "deaths and rivals": DEATHS,
    "bad data": BAD_DATA,
    "a moving world": MOVING_WORLD,
    "lessons": LESSONS,
}
