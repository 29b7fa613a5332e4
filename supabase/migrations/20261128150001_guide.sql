-- What the guide's own statements rely on.  Repeatable.

-- Its way to let a backfill go on (status = 'active', consecutive_errors = 0) means all of it: why it stood still, until when
-- and that somebody held it are no longer true then, whoever wrote the statement.
create or replace function gh_backfill_goes_on() returns trigger language plpgsql set search_path = '' as $$
begin
    new.pause_reason := null;
    new.resume_at := null;
    new.held := false;
    return new;
end $$;
revoke all on function gh_backfill_goes_on() from public;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_goes_on() from %I', guest);
    end loop;
    if not exists (select from pg_trigger where tgrelid = to_regclass('progressive_backfill_state') and tgname = 'gh_backfill_goes_on') then
        create trigger gh_backfill_goes_on before update on progressive_backfill_state for each row
            when (old.status in ('paused', 'failed') and new.status = 'active') execute function gh_backfill_goes_on();
    end if;
end $$;

-- round(double precision, integer), which PostgreSQL lacks, in a database that we made: there this count is generated.
do $$ begin
if to_regprocedure('round(double precision, integer)') is null
   and exists (select from pg_attribute where attrelid = to_regclass('repositories') and attname = 'pull_request_count'
                                          and attgenerated = 's') then
    create function round(double precision, integer) returns numeric language sql immutable strict parallel safe
        set search_path = pg_catalog as 'select pg_catalog.round($1::numeric, $2)';
end if;
end $$;
