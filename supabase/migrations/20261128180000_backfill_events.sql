-- What people and plans do to backfills, and who holds one and why.
-- Repeatable and additive only, as described in core_tables.

alter table progressive_backfill_state
    add column if not exists held_reason text,
    add column if not exists held_by text;

-- Until now the reason of a pause by hand stood in pause_reason alone.
update progressive_backfill_state set held_reason = pause_reason where held and held_reason is null;

do $$ begin
if to_regclass('backfill_events') is null then
    create table backfill_events (
        id            bigint generated always as identity primary key,
        at            timestamptz not null default clock_timestamp(),
        repository_id uuid references repositories (id) on delete cascade,
        event         text not null check (event in ('tracked', 'untracked', 'opened', 'planned', 'paused', 'resumed',
                                                     'cancelled', 'recovered')),
        detail        text,
        who           text not null,
        run_key       text
    );
    alter table backfill_events enable row level security;
    create index idx_backfill_events_repository on backfill_events (repository_id, at desc);
    create index idx_backfill_events_at on backfill_events (at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table backfill_events from %I', guest);
    end loop;
end $$;

do $$ begin
if to_regprocedure('auth.role()') is not null
   and not exists (select from pg_policy where polrelid = to_regclass('backfill_events') and polname = 'service_role_all') then
    create policy service_role_all on backfill_events using ((select auth.role()) = 'service_role');
end if;
end $$;
