-- Events of repositories, stars by day, counts as we saw them, and which days each source has told us of.
-- Repeatable and additive only, as described in core_tables; the first table is that of existing installations.

-- One partition a month, made as it is needed (gh_backfill_events_month, below).
do $$ begin
if to_regclass('github_events_cache') is null then
    create table github_events_cache (
        id               uuid not null default gen_random_uuid(),
        event_id         text not null,
        event_type       text not null,
        actor_login      text not null,
        repository_owner text not null,
        repository_name  text not null,
        payload          jsonb not null,
        created_at       timestamptz not null,
        processed        boolean default false,
        is_privileged    boolean default false,
        processed_at     timestamptz,
        processing_notes text,
        primary key (id, created_at),
        constraint github_events_cache_event_id_created_at_key unique (event_id, created_at)
    ) partition by range (created_at);
    create index idx_events_repo_created on github_events_cache (repository_owner, repository_name, created_at desc);
    create index idx_events_repo_type_created
        on github_events_cache (repository_owner, repository_name, event_type, created_at desc);
    alter table github_events_cache enable row level security;
end if;
end $$;

-- Names change and are given again, ids are not.  `source` says who told us; null: the application.
alter table github_events_cache
    add column if not exists repository_github_id bigint,
    add column if not exists actor_github_id bigint,
    add column if not exists source text;

-- The same of repositories that are not known to be public: an application lets everybody read its partitions.
do $$ begin
if to_regclass('private_events') is null then
    create table private_events (
        id                   uuid primary key default gen_random_uuid(),
        repository_id        uuid not null references repositories (id) on delete cascade,
        event_id             text not null,
        event_type           text not null,
        actor_login          text not null,
        actor_github_id      bigint,
        payload              jsonb not null,
        created_at           timestamptz not null,
        source               text not null,
        constraint private_events_event_key unique (repository_id, event_id)
    );
    create index idx_private_events_created on private_events (repository_id, event_type, created_at desc);
    alter table private_events enable row level security;
end if;
end $$;

-- Stars by the UTC day on which they were given, as far as they still exist: GitHub's public history, never events.  A later
-- reading replaces the number, which only falls.  `provisional`: the day was not over when it was read.
do $$ begin
if to_regclass('star_days') is null then
    create table star_days (
        repository_id uuid not null references repositories (id) on delete cascade,
        day           date not null,
        stars         integer not null check (stars >= 0),
        provisional   boolean not null default false,
        read_at       timestamptz not null,
        constraint star_days_pkey primary key (repository_id, day)
    );
    alter table star_days enable row level security;
end if;
end $$;

-- What GitHub counted when we looked: only these tell of stars that were taken back.  One row a UTC day and one a change.
do $$ begin
if to_regclass('count_snapshots') is null then
    create table count_snapshots (
        repository_id uuid not null references repositories (id) on delete cascade,
        taken_at      timestamptz not null,
        stars         integer not null,
        forks         integer not null,
        constraint count_snapshots_pkey primary key (repository_id, taken_at)
    );
    alter table count_snapshots enable row level security;
end if;
end $$;

-- What is known of each source of each series of a repository: whether it answers us, why not, and which time it has covered.
-- A list is read newest first: `cursor` leads on from the oldest place that was reached, which is at `cursor_at`, and
-- `head_cursor` from where the reading of what is newer was interrupted.
-- `found` and `expected` are its own sum and GitHub's count at the time; their difference is told, never spread over days.
do $$ begin
if to_regclass('event_sources') is null then
    create table event_sources (
        repository_id uuid not null references repositories (id) on delete cascade,
        series        text not null check (series in ('stars', 'forks', 'events')),
        source        text not null check (source in ('stargazers', 'history', 'forks', 'events', 'webhook', 'captured',
                                                      'datpipe')),
        state         text not null check (state in ('available', 'unavailable')),
        reason        text,
        asked_at      timestamptz not null,
        covered       tstzmultirange not null default '{}',
        cursor        text,
        cursor_at     timestamptz,
        head_cursor   text,
        head_at       timestamptz,
        found         integer,
        expected      integer,
        constraint event_sources_pkey primary key (repository_id, series, source)
    );
    alter table event_sources enable row level security;
end if;
end $$;

-- Make the partition of a day's month, with what an application's own partitions have.  Whoever writes events need not own
-- their table.  Two at a time: the second waits for the lock on the parent, and finds it made.
do $$ begin
execute format($make$
    create or replace function gh_backfill_events_month(wanted date) returns void language plpgsql security definer
    set search_path = %I, pg_temp set timezone = 'UTC' as $body$
    declare
        first_day date := date_trunc('month', wanted);
        name text := 'github_events_cache_' || to_char(wanted, 'YYYY_MM');
        guest text;
    begin
        if to_regclass(name) is not null then
            return;
        end if;
        if to_regprocedure('ensure_events_cache_partition(date)') is not null then
            perform ensure_events_cache_partition(wanted);
            return;
        end if;
        lock table github_events_cache in share update exclusive mode;
        if to_regclass(name) is not null then
            return;
        end if;
        execute format('create table %%I partition of github_events_cache for values from (%%L) to (%%L)',
                       name, first_day, (first_day + interval '1 month')::date);
        execute format('alter table %%I enable row level security', name);
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %%I from %%I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %%I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end $body$
$make$, current_schema());
revoke all on function gh_backfill_events_month(date) from public;
end $$;

do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['github_events_cache', 'private_events', 'star_days', 'count_snapshots', 'event_sources'] loop
        continue when exists (select from pg_policy where polrelid = to_regclass(name));
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_events_month(date) from %I', guest);
    end loop;
end $$;

-- A repository that stops being public takes its events along, in the same moment: whoever may read the partitions of an
-- application never finds them there.  What the application wrote itself is its own to hide.
do $$ begin
execute format($make$
    create or replace function gh_backfill_hide_events() returns trigger language plpgsql security definer
    set search_path = %I, pg_temp as $body$
    begin
        with moved as (
            delete from github_events_cache
            where repository_owner = old.owner and repository_name = old.name and source is not null
              and repository_github_id is not distinct from old.github_id
            returning event_id, event_type, actor_login, actor_github_id, payload, created_at, source
        )
        insert into private_events
            (repository_id, event_id, event_type, actor_login, actor_github_id, payload, created_at, source)
        select new.id, event_id, event_type, actor_login, actor_github_id, payload, created_at, source from moved
        on conflict (repository_id, event_id) do nothing;
        return null;
    end $body$
$make$, current_schema());
revoke all on function gh_backfill_hide_events() from public;
    -- A table that an application made keeps its own triggers beside this one.
    drop trigger if exists gh_backfill_hide_events on repositories;
    create trigger gh_backfill_hide_events after update of is_private on repositories
    for each row when (old.is_private is false and new.is_private is not false)
    execute function gh_backfill_hide_events();
end $$;
