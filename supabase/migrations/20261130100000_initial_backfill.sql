-- The initial backfill: repositories that are added in bulk get the newest of their pull requests first.  Repeatable and
-- additive only, as described in core_tables.

-- Null: never asked for.  An existing installation may have the column: where its rows have our words, a CHECK that lacks one of
-- them gives way to ours, which only admits more; where they have others, everything stays as it is.
alter table repositories
    add column if not exists initial_backfill_status text;

do $$
declare
    other record;
    words constant text[] := '{pending,processing,completed,failed,cancelled}';
begin
    if exists (select from repositories where initial_backfill_status <> all (words)) then
        return;
    end if;
    for other in select c.conname from pg_constraint c
                 join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
                 where c.conrelid = to_regclass('repositories') and c.contype = 'c' and a.attname = 'initial_backfill_status'
                   and cardinality(c.conkey) = 1 and position('cancelled' in pg_get_constraintdef(c.oid)) = 0 loop
        execute format('alter table repositories drop constraint %I', other.conname);
    end loop;
    if not exists (select from pg_constraint where conrelid = to_regclass('repositories')
                                               and conname = 'repositories_initial_backfill_status_check') then
        alter table repositories add constraint repositories_initial_backfill_status_check
            check (initial_backfill_status in ('pending', 'processing', 'completed', 'failed', 'cancelled'));
    end if;
end $$;

create index if not exists idx_repositories_initial_backfill on repositories (initial_backfill_status)
    where initial_backfill_status in ('pending', 'processing');

-- Only the newest are wanted, also when they are here.  Goals from before this column were meant so, those that come later
-- are not: this is done once.
do $$ begin
if not exists (select from pg_attribute
               where attrelid = to_regclass('tracked_repositories') and attname = 'only_newest' and not attisdropped) then
    alter table tracked_repositories add column only_newest boolean;
    update tracked_repositories t
    set only_newest = true
    from backfill_streams s
    where s.repository_id = t.repository_id and s.kind = 'pull_requests' and s.stream = 'history' and s.part = 0
      and s.goal_max_items is not null;
end if;
end $$;

-- What was added together, what was wanted of it, and what each name led to.
do $$ begin
if to_regclass('backfill_batches') is null then
    create table backfill_batches (
        id          uuid primary key default gen_random_uuid(),
        created_at  timestamptz not null default now(),
        created_by  text,
        backfill    boolean not null,
        wish        jsonb not null,
        members     jsonb not null
    );
    alter table backfill_batches enable row level security;
    create index idx_backfill_batches_created on backfill_batches (created_at desc, id desc);
    create index idx_backfill_batches_members on backfill_batches using gin (members jsonb_path_ops);
end if;
end $$;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table backfill_batches from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('backfill_batches') and polname = 'service_role_all') then
        create policy service_role_all on backfill_batches using ((select auth.role()) = 'service_role');
    end if;
end $$;

-- The initial backfill ends when the backfill of pull requests does, whoever ends it; after that only a new wish begins it again.
-- One that waits for anything but points has failed for whoever waits for it, though a later plan tries it again.
do $$ begin
execute format($function$
    create or replace function gh_backfill_initial_status() returns trigger language plpgsql security definer
    set search_path = %I, pg_temp as $body$
    begin
        update repositories r
        set initial_backfill_status = now_is.word
        from (select case when new.held and new.held_reason in ('cancelled', 'untracked') then 'cancelled'
                          when new.status in ('completed', 'failed') then new.status
                          when new.status = 'paused' and not new.held
                               and new.pause_reason in ('too_many_errors', 'credential_refused', 'way_to_github_wrong')
                          then 'failed'
                          else 'pending' end as word) now_is
        where r.id = new.repository_id
          and (r.initial_backfill_status in ('failed', 'cancelled')
               or r.initial_backfill_status in ('pending', 'processing') and now_is.word <> 'pending')
          and r.initial_backfill_status <> now_is.word;
        return null;
    end $body$
$function$, current_schema());
end $$;

revoke all on function gh_backfill_initial_status() from public;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_initial_status() from %I', guest);
    end loop;
end $$;

do $$ begin
if not exists (select from pg_trigger where tgrelid = to_regclass('backfills') and tgname = 'gh_backfill_initial_status') then
    create trigger gh_backfill_initial_status after update on backfills
        for each row when (new.kind = 'pull_requests'
                           and (old.status, old.held, old.held_reason, old.pause_reason)
                               is distinct from (new.status, new.held, new.held_reason, new.pause_reason))
        execute function gh_backfill_initial_status();
end if;
end $$;

-- How far the initial backfills are, as the first plan of this system wanted to read it: so many pull requests of those wanted.
do $$ begin
if to_regclass('backfill_progress') is null then
    create view backfill_progress with (security_invoker = true) as
    select r.id as repository_id,
           least(coalesce(b.captured, 0), wanted.items) as progress,
           r.initial_backfill_status as status,
           greatest(b.updated_at, r.github_pull_requests_at) as updated_at,
           wanted.items as wanted,
           case when wanted.items > 0 then round(least(coalesce(b.captured, 0), wanted.items)::numeric * 100 / wanted.items, 1)
                else 100 end as percent,
           r.full_name
    from repositories r
    left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
    left join backfill_streams s on s.repository_id = r.id and s.kind = 'pull_requests' and s.stream = 'history' and s.part = 0
    -- What is completed has all that was wanted, also where its history goes on since.
    cross join lateral (
        select case when r.initial_backfill_status = 'completed' then least(s.goal_max_items, b.captured)
                    else least(s.goal_max_items, coalesce(r.github_pull_requests, b.total, 0)) end as items) wanted
    where r.initial_backfill_status is not null;
end if;
end $$;
