-- What a run says about itself, what came in through webhooks, and the figures of the monitoring page.
-- Repeatable and additive only, as described in core_tables.

-- error_summary: {"total", "critical", "warnings", "types"} of this job.  runner_seconds: what GitHub says the runner took.
alter table progressive_capture_jobs
    add column if not exists error_type text,
    add column if not exists error_summary jsonb,
    add column if not exists retries integer,
    add column if not exists runner_seconds integer,
    add column if not exists cost numeric(12, 6);

alter table progressive_capture_jobs drop constraint if exists progressive_capture_jobs_outcome_check;
alter table progressive_capture_jobs add constraint progressive_capture_jobs_outcome_check check (outcome in (
    'completed', 'stopped', 'paused', 'busy', 'failed', 'interrupted', 'died', 'cancelled', 'never_started',
    'not_possible'));

-- Everything without an outcome is open, also what a host application's cleaner has failed.
create index if not exists idx_capture_jobs_open on progressive_capture_jobs (run_key)
    where outcome is null and run_key is not null;

-- One row per reported run: exactly what summary, outputs, webhook and notification said.
create table if not exists backfill_reports (
    run_key              text primary key,
    workflow_run_id      bigint,
    workflow_run_attempt integer,
    processor            text not null,
    report               jsonb not null,
    error_summary        jsonb not null,
    alerts               jsonb not null default '[]',
    minutes              integer not null default 0,
    reported_at          timestamptz not null default now(),
    delivery_id          uuid not null default gen_random_uuid(),
    delivered_at         timestamptz,
    notified_at          timestamptz
);
alter table backfill_reports enable row level security;
create index if not exists idx_backfill_reports_time on backfill_reports (reported_at);

-- One row per delivery of a webhook by GitHub's own id.  A failed one is taken again when GitHub delivers it again.
create table if not exists webhook_deliveries (
    delivery_id text primary key,
    event       text not null,
    action      text,
    status      text not null check (status in ('processing', 'done', 'ignored', 'failed')),
    attempts    integer not null default 1,
    error       text,
    received_at timestamptz not null default now(),
    finished_at timestamptz
);
alter table webhook_deliveries enable row level security;
create index if not exists idx_webhook_deliveries_time on webhook_deliveries (received_at);

-- What a webhook announced and nobody has fetched yet: one row per repository, kind and number, however often it moves.
create table if not exists webhook_pending (
    repository_github_id bigint not null,
    kind                 text not null check (kind in ('capture', 'event')),
    identity             text not null,
    event                text not null,
    times                integer not null default 1,
    payload              jsonb not null default '{}',
    first_at             timestamptz not null default now(),
    last_at              timestamptz not null default now(),
    primary key (repository_github_id, kind, identity)
);
alter table webhook_pending enable row level security;
create index if not exists idx_webhook_pending_due on webhook_pending (kind, first_at);

-- The monitoring page's line of figures, of the last 24 hours.  A later migration gives it more columns: it stays then.
do $$ begin
if to_regclass('backfill_metrics') is null then
    create view backfill_metrics with (security_invoker = true) as
    select count(*) filter (where outcome is not null) as finished_jobs,
           count(*) filter (where outcome is null and status in ('processing', 'failed')
                              and coalesce(heartbeat_at, started_at) > now() - interval '2 hours') as running_jobs,
           count(*) filter (where outcome is null and status = 'pending') as waiting_jobs,
           round(100.0 * count(*) filter (where outcome is not null and status = 'completed')
                 / nullif(count(*) filter (where outcome is not null), 0), 1) as success_percent,
           round(avg(extract(epoch from completed_at - started_at))
                 filter (where outcome in ('completed', 'stopped', 'paused')), 1) as seconds_per_repository,
           coalesce(sum(points), 0) as points,
           round(coalesce(sum(points), 0) / greatest(1.0, extract(epoch from now() - min(coalesce(started_at, created_at))) / 3600), 1)
               as points_per_hour,
           coalesce(sum(retries), 0) as retries,
           coalesce(sum(warnings), 0) as warnings,
           max(coalesce(completed_at, heartbeat_at, created_at)) as fresh_at
    from progressive_capture_jobs
    where run_key is not null and created_at > now() - interval '24 hours';
end if;
end $$;

do $$
declare
    name text;
    guest text;
begin
    foreach name in array array['backfill_reports', 'webhook_deliveries', 'webhook_pending', 'backfill_metrics'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        continue when name = 'backfill_metrics' or to_regprocedure('auth.role()') is null
            or exists (select from pg_policies where tablename = name and policyname = 'service_role_all');
        execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
    end loop;
end $$;
