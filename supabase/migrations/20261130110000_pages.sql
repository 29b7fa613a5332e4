-- What the pages read: how budgets stood at each run, and indexes by which no page reads more than it shows.
-- Repeatable and additive only, as described in core_tables.

-- One row for each run and budget, kept for a week.
do $$ begin
if to_regclass('budget_samples') is null then
    create table budget_samples (
        run_key      text not null,
        identity     text not null,
        resource     text not null check (resource in ('graphql', 'core')),
        at           timestamptz not null default clock_timestamp(),
        budget_limit integer not null,
        remaining    integer not null,
        reset_at     timestamptz,
        primary key (run_key, identity, resource)
    );
    alter table budget_samples enable row level security;
    create index idx_budget_samples_at on budget_samples (at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table budget_samples from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('budget_samples') and polname = 'service_role_all') then
        create policy service_role_all on budget_samples using ((select auth.role()) = 'service_role');
    end if;
end $$;

-- Jobs, the latest first: all, those that failed, and of each repository those that are open.  Those of a host application have
-- no run and no outcome, however many they are.
create index if not exists idx_capture_jobs_created on progressive_capture_jobs (created_at desc, id desc)
    where run_key is not null;
create index if not exists idx_capture_jobs_failed on progressive_capture_jobs (created_at desc, id desc)
    where status = 'failed' and outcome is not null;
create index if not exists idx_capture_jobs_unfinished on progressive_capture_jobs (repository_id)
    where outcome is null and run_key is not null;

-- What happened to a repository, the latest first.
create index if not exists idx_backfill_chunks_repository on backfill_chunks (repository_id, created_at desc);
create index if not exists idx_backfill_quarantine_seen on backfill_quarantine (repository_id, first_seen_at desc);

-- What moved last.
create index if not exists idx_backfills_updated on backfills (updated_at desc);

-- The few that are of other kinds than pull requests.
create index if not exists idx_backfills_of_other_kinds on backfills (repository_id, kind) where kind <> 'pull_requests';

-- A page is found by its name in any case.
create index if not exists idx_repositories_lower_name on repositories (lower(full_name));

-- Issues of which something is known to be missing; pull requests have theirs already.
create index if not exists idx_issues_capture_gap on issues (repository_id) where capture_gap is not null;
