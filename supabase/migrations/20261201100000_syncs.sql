-- Syncs: what changed since the last one is read again, whatever the state of the backfill.  A sync is a stream of its own, for
-- each repository and kind.  Repeatable and additive only, as described in core_tables.

-- It belongs to no backfill, for a repository may be synced that has none.  Its `watermark` is the start of its last pass, and
-- once it is complete the start of what the next one has to read; `checkpoint` is what that was before, to go back to.
alter table backfill_streams alter column backfill_id drop not null;

alter table backfill_streams
    add column if not exists checkpoint timestamptz;

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_streams')
                                           and conname = 'backfill_streams_stream_check'
                                           and position('sync' in pg_get_constraintdef(oid)) > 0) then
    alter table backfill_streams drop constraint if exists backfill_streams_stream_check;
    alter table backfill_streams add constraint backfill_streams_stream_check check (stream in ('history', 'catch_up', 'sync'));
end if;
end $$;

-- When a repository is due is the one thing that our ticks obey.  `last_success_at` is the START, by GitHub's clock, of the
-- last sync in which every kind succeeded: a change after it may not be here.  `interval_minutes` is a repository's
-- own, and without one its priority decides.
do $$ begin
if to_regclass('repository_syncs') is null then
    create table repository_syncs (
        repository_id    uuid primary key references repositories (id) on delete cascade,
        next_due_at      timestamptz not null default now(),
        interval_minutes integer check (interval_minutes > 0),
        last_success_at  timestamptz,
        last_started_at  timestamptz,
        last_ended_at    timestamptz,
        reason           text,
        rows_read        integer,
        rows_changed     integer,
        failures         integer not null default 0,
        last_error       text,
        created_at       timestamptz not null default now()
    );
    alter table repository_syncs enable row level security;
    create index idx_repository_syncs_due on repository_syncs (next_due_at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table repository_syncs from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('repository_syncs')
                                               and polname = 'service_role_all') then
        create policy service_role_all on repository_syncs using ((select auth.role()) = 'service_role');
    end if;
end $$;
