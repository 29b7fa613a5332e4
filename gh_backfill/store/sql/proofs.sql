-- Rows that prove that each table can be written, changed and read.  They are written in this order and never committed;
-- their ids are random, and below all of GitHub's.  An update that has a condition needs the right to read, too.

-- name: insert_repositories
insert into repositories (id, github_id, full_name, owner, name, is_private)
values (%(id)s::uuid, %(github_id)s, 'gh-backfill/' || %(id)s, 'gh-backfill', %(id)s, true);

-- name: update_repositories
update repositories set description = 'proof' where id = %(id)s::uuid;

-- name: insert_contributors
insert into contributors (id, github_id, username) values (%(id)s::uuid, %(github_id)s, %(id)s);

-- name: update_contributors
update contributors set is_bot = true where id = %(id)s::uuid;

-- name: insert_tracked_repositories
insert into tracked_repositories (id, repository_id, organization_name, repository_name)
values (%(id)s::uuid, %(id)s::uuid, 'gh-backfill', %(id)s);

-- name: update_tracked_repositories
update tracked_repositories set tracking_enabled = false where id = %(id)s::uuid;

-- name: insert_pull_requests
insert into pull_requests (id, github_id, number, title, state, repository_id, repository_full_name, head_branch,
                           base_branch, created_at, updated_at)
values (%(id)s::uuid, %(github_id)s, 1, 'proof', 'open', %(id)s::uuid, 'gh-backfill/' || %(id)s, 'proof', 'proof', now(),
        now());

-- name: update_pull_requests
update pull_requests set title = 'proof again' where id = %(id)s::uuid;

-- name: insert_reviews
insert into reviews (id, github_id, pull_request_id, repository_id, author_id, state, submitted_at)
values (%(id)s::uuid, %(github_id)s, %(id)s::uuid, %(id)s::uuid, %(id)s::uuid, 'APPROVED', now());

-- name: update_reviews
update reviews set body = 'proof' where id = %(id)s::uuid;

-- name: insert_issues
insert into issues (id, github_id, repository_id, number, title, created_at, updated_at)
values (%(id)s::uuid, %(github_id)s, %(id)s::uuid, 1, 'proof', now(), now());

-- name: update_issues
update issues set title = 'proof again' where id = %(id)s::uuid;

-- name: insert_comments
insert into comments (id, github_id, comment_type, repository_id, pull_request_id, commenter_id, body, created_at,
                      updated_at)
values (%(id)s::uuid, %(github_id)s, 'issue_comment', %(id)s::uuid, %(id)s::uuid, %(id)s::uuid, 'proof', now(), now());

-- name: update_comments
update comments set body = 'proof again' where id = %(id)s::uuid;

-- name: insert_discussions
insert into discussions (id, github_id, repository_id, number, title, created_at, updated_at, url)
values (%(id)s, %(github_id)s, %(id)s::uuid, 1, 'proof', now(), now(), 'proof');

-- name: update_discussions
update discussions set title = 'proof again' where id = %(id)s;

-- name: insert_discussion_comments
insert into discussion_comments (id, github_id, discussion_id, discussion_number, created_at, updated_at)
values (%(id)s, %(github_id)s, %(id)s, 1, now(), now());

-- name: update_discussion_comments
update discussion_comments set body = 'proof' where id = %(id)s;

-- name: insert_pull_request_diffs
insert into pull_request_diffs (pull_request_id, list) values (%(id)s::uuid, 'files');

-- name: update_pull_request_diffs
update pull_request_diffs set total = 1 where pull_request_id = %(id)s::uuid;

-- name: insert_progressive_backfill_state
insert into progressive_backfill_state (id, repository_id, total_prs) values (%(id)s::uuid, %(id)s::uuid, 1);

-- name: update_progressive_backfill_state
update progressive_backfill_state set total_prs = 2 where id = %(id)s::uuid;

-- name: insert_backfills
-- Of another kind: the backfill of the pull requests has come with the row before.
insert into backfills (repository_id, kind, total) values (%(id)s::uuid, 'proof', 1);

-- name: update_backfills
update backfills set total = 2 where repository_id = %(id)s::uuid and kind = 'proof';

-- name: insert_backfill_streams
insert into backfill_streams (id, repository_id, backfill_id, backfill_state_id, stream, ordering)
values (%(id)s::uuid, %(id)s::uuid, %(id)s::uuid, %(id)s::uuid, 'history', 'CREATED_AT');

-- name: update_backfill_streams
update backfill_streams set items_done = 1 where id = %(id)s::uuid;

-- name: insert_backfill_chunks
insert into backfill_chunks (id, repository_id, backfill_state_id, stream_id, chunk_number, processor_type)
values (%(id)s::uuid, %(id)s::uuid, %(id)s::uuid, %(id)s::uuid, 1, 'local');

-- name: update_backfill_chunks
update backfill_chunks set attempt = 1 where id = %(id)s::uuid;

-- name: insert_backfill_readings
insert into backfill_readings (repository_id, name, total, known) values (%(id)s::uuid, 'proof', 1, 1);

-- name: update_backfill_readings
update backfill_readings set total = 1 where repository_id = %(id)s::uuid;

-- name: insert_repository_syncs
insert into repository_syncs (repository_id) values (%(id)s::uuid);

-- name: update_repository_syncs
update repository_syncs set failures = 1 where repository_id = %(id)s::uuid;

-- name: insert_item_proofs
insert into item_proofs (repository_id, kind, github_id, number) values (%(id)s::uuid, 'proof', %(github_id)s, 1);

-- name: update_item_proofs
update item_proofs set number = 2 where repository_id = %(id)s::uuid;

-- name: insert_number_audit
insert into number_audit (repository_id, number, what) values (%(id)s::uuid, 1, 'deleted');

-- name: update_number_audit
update number_audit set times = 2 where repository_id = %(id)s::uuid;

-- name: insert_absences
insert into absences (repository_id, kind, github_id, number) values (%(id)s::uuid, 'proof', %(github_id)s, 1);

-- name: update_absences
update absences set times = 2 where repository_id = %(id)s::uuid;

-- name: insert_verifications
insert into verifications (repository_id, score, certificate) values (%(id)s::uuid, 0, '{}');

-- name: update_verifications
update verifications set open = 1 where repository_id = %(id)s::uuid;

-- name: insert_backfill_quarantine
insert into backfill_quarantine (id, repository_id, kind, identity, reason)
values (%(id)s::uuid, %(id)s::uuid, 'page', 'proof', 'proof');

-- name: update_backfill_quarantine
update backfill_quarantine set reason = 'proof again' where id = %(id)s::uuid;

-- name: insert_progressive_capture_jobs
insert into progressive_capture_jobs (id, job_type, repository_id, processor_type, status)
values (%(id)s::uuid, 'progressive_backfill', %(id)s::uuid, 'local', 'pending');

-- name: update_progressive_capture_jobs
update progressive_capture_jobs set status = 'cancelled' where id = %(id)s::uuid;

-- name: insert_api_budgets
insert into api_budgets (identity, resource) values (%(id)s, 'graphql');

-- name: update_api_budgets
update api_budgets set remaining = 1 where identity = %(id)s;

-- name: insert_backfill_reports
insert into backfill_reports (run_key, processor, report, error_summary) values (%(id)s, 'local', '{}', '{}');

-- name: update_backfill_reports
update backfill_reports set minutes = 1 where run_key = %(id)s;

-- name: insert_webhook_deliveries
insert into webhook_deliveries (delivery_id, event, status) values (%(id)s, 'proof', 'processing');

-- name: update_webhook_deliveries
update webhook_deliveries set status = 'done' where delivery_id = %(id)s;

-- name: insert_webhook_pending
insert into webhook_pending (repository_github_id, kind, identity, event) values (%(github_id)s, 'event', %(id)s, 'proof');

-- name: update_webhook_pending
update webhook_pending set times = 2 where identity = %(id)s;

-- name: insert_backfill_events
insert into backfill_events (repository_id, event, who, run_key) values (%(id)s, 'tracked', 'proof', %(id)s);

-- name: update_backfill_events
update backfill_events set detail = 'proof' where run_key = %(id)s::text;

-- name: insert_budget_samples
insert into budget_samples (run_key, identity, resource, budget_limit, remaining) values (%(id)s, %(id)s, 'graphql', 1, 1);

-- name: update_budget_samples
update budget_samples set remaining = 0 where run_key = %(id)s::text;

-- name: insert_backfill_batches
insert into backfill_batches (created_by, backfill, wish, members)
values (%(id)s, false, jsonb_build_object('proof', %(id)s::text), '[]');

-- name: update_backfill_batches
update backfill_batches set backfill = true where wish ->> 'proof' = %(id)s::text;

-- name: insert_github_events_cache
-- In a month that is made for it.  It is nobody's: an application may let everybody read its partitions.
select gh_backfill_events_month(current_date);
insert into github_events_cache (event_id, event_type, actor_login, repository_owner, repository_name, payload, created_at)
values ('proof', 'proof', 'proof', 'proof', 'proof', '{}', clock_timestamp());

-- name: update_github_events_cache
update github_events_cache set source = 'proof' where repository_owner = 'proof' and repository_name = 'proof';

-- name: insert_private_events
insert into private_events (repository_id, event_id, event_type, actor_login, payload, created_at, source)
values (%(id)s::uuid, 'proof', 'proof', 'proof', '{}', clock_timestamp(), 'proof');

-- name: update_private_events
update private_events set source = 'proof again' where repository_id = %(id)s::uuid;

-- name: insert_star_days
insert into star_days (repository_id, day, stars, read_at) values (%(id)s::uuid, current_date, 1, clock_timestamp());

-- name: update_star_days
update star_days set stars = 2 where repository_id = %(id)s::uuid;

-- name: insert_count_snapshots
insert into count_snapshots (repository_id, taken_at, stars, forks) values (%(id)s::uuid, clock_timestamp(), 1, 1);

-- name: update_count_snapshots
update count_snapshots set stars = 2 where repository_id = %(id)s::uuid;

-- name: insert_event_sources
insert into event_sources (repository_id, series, source, state, asked_at)
values (%(id)s::uuid, 'stars', 'history', 'available', clock_timestamp());

-- name: update_event_sources
update event_sources set reason = 'proof' where repository_id = %(id)s::uuid;

-- name: insert_workspaces
insert into workspaces (id, slug, name, owner_id, visibility)
values (%(id)s::uuid, %(id)s, 'proof', %(id)s::uuid, 'private');

-- name: update_workspaces
update workspaces set name = 'proof again' where id = %(id)s::uuid;

-- name: insert_workspace_repositories
insert into workspace_repositories (workspace_id, repository_id, added_by)
values (%(id)s::uuid, %(id)s::uuid, %(id)s::uuid);

-- name: update_workspace_repositories
update workspace_repositories set notes = 'proof' where workspace_id = %(id)s::uuid;

-- name: insert_workspace_schedules
insert into workspace_schedules (workspace_id, every) values (%(id)s::uuid, 'weekly');

-- name: update_workspace_schedules
update workspace_schedules set days = 30 where workspace_id = %(id)s::uuid;

-- name: insert_embedding_attempts
insert into embedding_attempts (item_type, item_id, repository_id, text_hash) values ('issue', %(id)s, %(id)s::uuid, 0);

-- name: update_embedding_attempts
update embedding_attempts set attempts = 1 where repository_id = %(id)s::uuid;

-- name: insert_embedding_jobs
insert into embedding_jobs (repository_id, status, items_total) values (%(id)s::uuid, 'completed', 0);

-- name: update_embedding_jobs
update embedding_jobs set items_processed = 1 where repository_id = %(id)s::uuid;

-- name: insert_workspace_aggregations
insert into workspace_aggregations (workspace_id) values (%(id)s::uuid);

-- name: update_workspace_aggregations
update workspace_aggregations set seconds = 1 where workspace_id = %(id)s::uuid;

-- name: insert_workspace_metrics
insert into workspace_metrics (workspace_id, audience, period, computed_at, repositories, pull_requests_whole, issues_whole,
                               contributors, new_contributors, pull_requests_opened, pull_requests_merged, pull_requests_closed,
                               pull_requests_open, pull_requests_draft, issues_opened, issues_closed, issues_open, reviews,
                               reviewers, changes_known)
values (%(id)s::uuid, 'members', 'all', clock_timestamp(), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

-- name: update_workspace_metrics
update workspace_metrics set repositories = 2 where workspace_id = %(id)s::uuid;

-- name: insert_job_sums
insert into job_sums (day, processor, job_type, repository_id, jobs, started, failed, points, requests, chunks, items, minutes, cost)
values (current_date, 'local', 'proof', %(id)s::uuid, 1, 1, 0, 0, 0, 0, 0, 0, 0);

-- name: update_job_sums
update job_sums set jobs = 2 where repository_id = %(id)s::uuid;

-- name: insert_aggressive_backfills
insert into aggressive_backfills (id, repository_id, kinds) values (%(id)s::uuid, %(id)s::uuid, '{proof}');

-- name: update_aggressive_backfills
update aggressive_backfills set points = 1 where id = %(id)s::uuid;

-- name: insert_aggressive_steps
insert into aggressive_steps (backfill_id, step) values (%(id)s::uuid, 'sync');

-- name: update_aggressive_steps
update aggressive_steps set told = 'proof' where backfill_id = %(id)s::uuid;
