-- Rows of private repositories go where an application's own policies or views would show them to guests: there they are
-- hidden from guests who may not see the repository itself.  Nothing else changes for anybody.  Repeatable.

-- A restrictive policy narrows what the others admit; `repositories` decides by its own policies.
do $$
declare
    name text;
    guest text;
begin
    foreach name in array array['tracked_repositories', 'backfill_chunks'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            continue when not has_table_privilege(guest, name, 'select')
                       or not has_table_privilege(guest, 'repositories', 'select')
                       or exists (select from pg_policy where polrelid = to_regclass(name)
                                                          and polname = 'gh_backfill_private_rows_' || guest);
            execute format('create policy %I on %I as restrictive for select to %I '
                           'using (exists (select from repositories r where r.id = repository_id))',
                           'gh_backfill_private_rows_' || guest, name, guest);
        end loop;
    end loop;
end $$;

-- An application's own summary reads with the rights of its owner.  It keeps its columns and its text, and is read through
-- a condition that concerns guests only.
do $$
declare
    definition text;
begin
    if exists (select from pg_roles where rolname in ('anon', 'authenticated'))
       and exists (select from pg_class where oid = to_regclass('backfill_progress_summary')
                     and not coalesce('security_invoker=true' = any (reloptions), false)) then
        definition := rtrim(pg_get_viewdef('backfill_progress_summary'::regclass), '; ');
        if definition !~ 'authenticated' then
            execute 'create or replace view backfill_progress_summary as select v.* from (' || definition || ') v '
                    'where current_user not in (''anon'', ''authenticated'') '
                    'or exists (select from repositories r where r.owner = v.owner and r.name = v.name '
                    'and r.is_private is distinct from true)';
        end if;
    end if;
end $$;
