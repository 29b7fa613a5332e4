-- What our jobs of more than 90 days ago did, a row for each day, processor, type of job and repository: the jobs themselves are
-- gone then.  Repeatable and additive only, as described in core_tables.

do $$ begin
if to_regclass('job_sums') is null then
    create table job_sums (
        day           date not null,
        processor     text not null,
        job_type      text not null,
        repository_id uuid references repositories (id) on delete cascade,
        jobs          integer not null,
        started       integer not null,
        failed        integer not null,
        points        bigint not null,
        requests      bigint not null,
        chunks        bigint not null,
        items         bigint not null,
        minutes       bigint not null,
        cost          double precision not null,
        constraint job_sums_key unique nulls not distinct (day, processor, job_type, repository_id)
    );
    alter table job_sums enable row level security;
    create index idx_job_sums_repository on job_sums (repository_id);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table job_sums from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('job_sums') and polname = 'service_role_all') then
        create policy service_role_all on job_sums using ((select auth.role()) = 'service_role');
    end if;
end $$;

-- What ticks routed in the last week is told by pages; most jobs were never routed.
create index if not exists idx_capture_jobs_routed on progressive_capture_jobs (created_at) where metadata -> 'routing' is not null;
