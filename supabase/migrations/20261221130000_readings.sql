-- How far readings beside the items have come: profiles of contributors, files and commits of pull requests.
-- Repeatable and additive only, as described in core_tables.

-- To count them anew takes everything of a repository apart; a page and `status` have no time for that.  counted_at is when that was.
do $$ begin
if to_regclass('backfill_readings') is null then
    create table backfill_readings (
        repository_id uuid not null references repositories (id) on delete cascade,
        name          text not null,
        total         integer not null,
        known         integer not null,
        counted_at    timestamptz not null default clock_timestamp(),
        primary key (repository_id, name)
    );
    alter table backfill_readings enable row level security;
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table backfill_readings from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('backfill_readings')) then
        execute 'create policy service_role_all on backfill_readings using ((select auth.role()) = ''service_role'')';
    end if;
end $$;
