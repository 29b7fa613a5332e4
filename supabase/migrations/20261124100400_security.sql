-- Close what the earlier files created to everybody but its owner and Supabase's service role.  Repeatable; grants nothing.
--
-- What is ours is told apart by its state: row level security without any policy hides every row already, so taking the
-- privileges away changes nothing for a table that was there before.  A table with policies belongs to an application.

do $$
declare
    name text;
    guest text;
begin
    foreach name in array array[
        'repositories', 'contributors', 'tracked_repositories', 'pull_requests', 'reviews', 'issues', 'comments',
        'progressive_backfill_state', 'backfill_streams', 'backfill_chunks', 'backfill_quarantine',
        'progressive_capture_jobs', 'gh_backfill_migrations'
    ] loop
        continue when not exists (
            select from pg_class c
            where c.oid = to_regclass(name) and c.relrowsecurity
              and not exists (select from pg_policy p where p.polrelid = c.oid)
        );
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
end $$;

-- The view reads with the rights of whoever asks: only one that does so is ours to close.
do $$
declare
    guest text;
begin
    if exists (select from pg_class where oid = to_regclass('backfill_progress_summary')
                 and 'security_invoker=true' = any (reloptions)) then
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table backfill_progress_summary from %I', guest);
        end loop;
    end if;
end $$;
