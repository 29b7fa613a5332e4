-- Aggressive backfills: everything of one repository in three steps, each with a state of its own, so that a failure goes on where
-- it was.  Repeatable and additive only, as described in core_tables.
--
-- A repository has at most one that is not over.  `since` begins its time range (null: the whole history); `version` counts how
-- often more was wanted of it; `beat_at` is when whoever works on it told of itself last; what had to wait goes on from
-- `not_before` on.
do $$ begin
if to_regclass('aggressive_backfills') is null then
    create table aggressive_backfills (
        id            uuid primary key default gen_random_uuid(),
        repository_id uuid not null references repositories (id) on delete cascade,
        status        text not null default 'pending'
                      check (status in ('pending', 'processing', 'completed', 'failed', 'cancelled')),
        kinds         text[] not null,
        since         timestamptz,
        asked_by      text,
        version       integer not null default 0,
        worker        text,
        run_key       text,
        points        integer not null default 0,
        checklist     jsonb,
        reason        text,
        not_before    timestamptz,
        created_at    timestamptz not null default now(),
        started_at    timestamptz,
        beat_at       timestamptz,
        completed_at  timestamptz
    );
    alter table aggressive_backfills enable row level security;
    create unique index aggressive_backfills_one_open on aggressive_backfills (repository_id)
        where status in ('pending', 'processing');
    create index idx_aggressive_backfills_repository on aggressive_backfills (repository_id, created_at desc);
end if;
end $$;

do $$ begin
if to_regclass('aggressive_steps') is null then
    create table aggressive_steps (
        backfill_id  uuid not null references aggressive_backfills (id) on delete cascade,
        step         text not null check (step in ('sync', 'embeddings', 'workspace')),
        status       text not null default 'pending'
                     check (status in ('pending', 'processing', 'completed', 'failed', 'skipped')),
        told         text,
        done         integer,
        total        integer,
        started_at   timestamptz,
        completed_at timestamptz,
        primary key (backfill_id, step)
    );
    alter table aggressive_steps enable row level security;
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['aggressive_backfills', 'aggressive_steps'] loop
        continue when exists (select from pg_policy where polrelid = to_regclass(name));
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
end $$;
