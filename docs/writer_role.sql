-- A role with the least rights that gh-backfill works with.  Run it as the owner of the tables, after `gh-backfill migrate`
-- (which needs the owner itself) and after every later one, then give the role a password and put it into DATABASE_URL:
--     psql -f docs/writer_role.sql "$DATABASE_URL"
--     psql -c '\password gh_backfill_writer' "$DATABASE_URL"
-- `gh-backfill check`, with that DATABASE_URL, proves that it is enough.  With GH_BACKFILL_SCHEMA, run it with
-- PGOPTIONS='-c search_path=<that schema>'.  Repeatable.

do $$ begin
    if not exists (select from pg_roles where rolname = 'gh_backfill_writer') then
        create role gh_backfill_writer login;
    end if;
    execute format('grant usage on schema %I to gh_backfill_writer', current_schema());
end $$;

grant select, insert, update on
    repositories, contributors, tracked_repositories, pull_requests, reviews, issues, comments, discussions, discussion_comments, pull_request_diffs,
    progressive_backfill_state, backfills, backfill_batches, backfill_streams, backfill_chunks, backfill_quarantine,
    aggressive_backfills, aggressive_steps, repository_syncs, backfill_readings, item_proofs, number_audit, absences, verifications, progressive_capture_jobs, api_budgets, budget_samples, backfill_reports, backfill_events, webhook_deliveries, webhook_pending,
    job_sums, github_events_cache, private_events, star_days, count_snapshots, event_sources,
    workspaces, workspace_repositories, workspace_schedules, workspace_metrics, workspace_aggregations, embedding_attempts, embedding_jobs
to gh_backfill_writer;

-- A row that a number leads to twice is settled on one; what webhooks announced is taken off the list, the record is
-- kept for a year, and so are runs of embeddings, what was added together and jobs (then there are sums of them) for 90 days, and how budgets stood and what a
-- sync read for a week.
grant delete on
    backfill_chunks, pull_requests, issues, discussions, item_proofs, absences, verifications, webhook_deliveries, webhook_pending, backfill_events, backfill_batches, budget_samples, progressive_capture_jobs,
    workspaces, workspace_repositories, workspace_schedules, workspace_metrics, embedding_attempts, embedding_jobs
to gh_backfill_writer;

-- `gh-backfill untrack --delete-rows` takes more than that; grant it only to who should be able to do it:
--     grant delete on reviews, comments, discussion_comments, backfill_quarantine, backfills, github_events_cache, private_events, star_days, count_snapshots, event_sources, embedding_jobs, backfill_readings to gh_backfill_writer;

grant execute on function gh_backfill_events_month(date) to gh_backfill_writer;
grant select on gh_backfill_migrations, backfill_goals, backfill_progress, pull_request_times, review_times, issue_times,
    discussion_times, discussion_comment_times
to gh_backfill_writer;

-- Row level security is on for all of these, and its policies know other roles only.
do $$
declare
    name text;
begin
    foreach name in array array[
        'repositories', 'contributors', 'tracked_repositories', 'pull_requests', 'reviews', 'issues', 'comments', 'discussions', 'discussion_comments', 'pull_request_diffs',
        'progressive_backfill_state', 'backfills', 'backfill_batches', 'backfill_streams', 'backfill_chunks',
        'backfill_quarantine', 'aggressive_backfills', 'aggressive_steps', 'repository_syncs', 'backfill_readings', 'item_proofs', 'number_audit', 'absences', 'verifications', 'progressive_capture_jobs', 'api_budgets', 'budget_samples', 'backfill_reports',
        'backfill_events', 'webhook_deliveries', 'webhook_pending',
        'job_sums', 'github_events_cache', 'private_events', 'star_days', 'count_snapshots', 'event_sources',
        'workspaces', 'workspace_repositories', 'workspace_schedules', 'workspace_metrics', 'workspace_aggregations', 'embedding_attempts', 'embedding_jobs', 'gh_backfill_migrations'
    ] loop
        execute format('drop policy if exists gh_backfill_writer_all on %I', name);
        execute format('create policy gh_backfill_writer_all on %I to gh_backfill_writer using (true) with check (true)', name);
    end loop;
end $$;

-- Whose a workspace is, the users of an application say.
do $$ begin
    if to_regclass('app_users') is not null then
        grant select on app_users to gh_backfill_writer;
    end if;
end $$;

-- Supabase's policies ask auth.role(), also where they do not admit us in the end.
do $$ begin
    if to_regnamespace('auth') is not null then
        grant usage on schema auth to gh_backfill_writer;
    end if;
end $$;
