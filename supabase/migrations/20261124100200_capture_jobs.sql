-- One row per planned job of a workflow run, and how it ended.  Repeatable and additive only, as described in core_tables.

do $$ begin
if to_regclass('progressive_capture_jobs') is null then
    create table progressive_capture_jobs (
        id              uuid primary key default gen_random_uuid(),
        job_type        varchar(50) not null,
        repository_id   uuid constraint progressive_capture_jobs_repository_id_fkey
                        references repositories (id) deferrable initially deferred,
        processor_type  varchar(20) not null default 'github_actions',
        status          varchar(20) default 'pending'
                        check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled', 'skipped')),
        time_range_days integer,
        workflow_run_id bigint,
        metadata        jsonb default '{}',
        error           text,
        created_at      timestamptz default now(),
        started_at      timestamptz,
        completed_at    timestamptz
    );
    alter table progressive_capture_jobs enable row level security;
    create index idx_capture_jobs_processor on progressive_capture_jobs (processor_type, status, created_at);
    create index idx_capture_jobs_repository on progressive_capture_jobs (repository_id, created_at);
    create index idx_capture_jobs_workflow_run on progressive_capture_jobs (workflow_run_id) where workflow_run_id is not null;
end if;
end $$;

-- heartbeat_at tells a long job from a lost one; a host application may fail whatever is older than ten minutes.
alter table progressive_capture_jobs
    add column if not exists run_key text,
    add column if not exists workflow_run_attempt integer,
    add column if not exists outcome text,
    add column if not exists heartbeat_at timestamptz,
    add column if not exists points integer,
    add column if not exists requests integer,
    add column if not exists chunks integer,
    add column if not exists items integer,
    add column if not exists warnings integer;

create index if not exists idx_capture_jobs_run_key on progressive_capture_jobs (run_key) where run_key is not null;
