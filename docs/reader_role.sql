-- A role that reads every row of everything we store, rows of private repositories included.  Run it as the owner of the
-- tables, after `gh-backfill migrate` and after every later one that brought new tables, then give the role a password:
--     psql -f docs/reader_role.sql "$DATABASE_URL"
--     psql -c '\password gh_backfill_reader' "$DATABASE_URL"
-- `gh-backfill grant-reader ROLE` does the same for a role that exists.  With GH_BACKFILL_SCHEMA, run it with
-- PGOPTIONS='-c search_path=<that schema>'.  Repeatable.

do $$ begin
    if not exists (select from pg_roles where rolname = 'gh_backfill_reader') then
        create role gh_backfill_reader login;
    end if;
    execute format('grant usage on schema %I to gh_backfill_reader', current_schema());
end $$;

grant select on
    repositories, contributors, tracked_repositories, pull_requests, reviews, issues, comments, discussions, discussion_comments, pull_request_diffs,
    progressive_backfill_state, backfills, backfill_batches, backfill_streams, backfill_chunks, backfill_quarantine, progressive_capture_jobs,
    aggressive_backfills, aggressive_steps, repository_syncs, backfill_readings, item_proofs, number_audit, absences, verifications, api_budgets, budget_samples, backfill_reports, backfill_events, webhook_deliveries, webhook_pending, gh_backfill_migrations,
    job_sums, github_events_cache, private_events, star_days, count_snapshots, event_sources,
    workspaces, workspace_repositories, workspace_schedules, workspace_metrics, workspace_aggregations, embedding_attempts, embedding_jobs,
    backfill_progress_summary, backfill_progress, backfill_goals, backfill_metrics,
    pull_request_files, pull_request_commits, pull_request_times, review_times, issue_times, contributions, repository_cycle_times, reviewer_load, repository_contributors,
    repository_activity, workspace_contributors, discussion_times, discussion_comment_times, discussion_contributors, discussion_activity
to gh_backfill_reader;

-- Made only where pgvector is.
do $$ begin
    if to_regclass('items_needing_embeddings_priority') is not null then
        grant select on items_needing_embeddings_priority to gh_backfill_reader;
    end if;
end $$;

-- Row level security is on for all tables of these, and its policies know other roles only: without one of its own, the
-- role would see empty tables, and no error.
do $$
declare
    name text;
begin
    foreach name in array array[
        'repositories', 'contributors', 'tracked_repositories', 'pull_requests', 'reviews', 'issues', 'comments', 'discussions', 'discussion_comments', 'pull_request_diffs',
        'progressive_backfill_state', 'backfills', 'backfill_batches', 'backfill_streams', 'backfill_chunks', 'backfill_quarantine',
        'progressive_capture_jobs', 'aggressive_backfills', 'aggressive_steps', 'repository_syncs', 'backfill_readings', 'item_proofs', 'number_audit', 'absences', 'verifications', 'api_budgets', 'budget_samples', 'backfill_reports', 'backfill_events', 'webhook_deliveries', 'webhook_pending',
        'job_sums', 'github_events_cache', 'private_events', 'star_days', 'count_snapshots', 'event_sources',
        'workspaces', 'workspace_repositories', 'workspace_schedules', 'workspace_metrics', 'workspace_aggregations', 'embedding_attempts', 'embedding_jobs',
        'gh_backfill_migrations'
    ] loop
        execute format('drop policy if exists gh_backfill_reader_gh_backfill_reader on %I', name);
        execute format('create policy gh_backfill_reader_gh_backfill_reader on %I for select to gh_backfill_reader using (true)', name);
    end loop;
end $$;

-- Supabase's policies ask auth.role(), also where they do not admit the role in the end.
do $$ begin
    if to_regnamespace('auth') is not null then
        grant usage on schema auth to gh_backfill_reader;
    end if;
end $$;
