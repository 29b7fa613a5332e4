-- Roles that read what we store.

-- name: role_exists
select from pg_roles where rolname = %(role)s

-- name: relations
select c.relname as name
from unnest(%(names)s::text[]) n (name)
join pg_class c on c.oid = to_regclass(quote_ident(n.name))
order by 1;

-- name: grant
-- One policy for each table and role.  A role that owns the table, or that bypasses row level security, needs none and is
-- not hurt by one.
select set_config('gh_backfill.reader', %(role)s, true),
       set_config('gh_backfill.readable', array_to_string(%(names)s::text[], ','), true);
do $$
declare
    reader text := current_setting('gh_backfill.reader');
    policy text := left('gh_backfill_reader_' || reader, 63);
    name text;
begin
    execute format('grant usage on schema %%I to %%I', current_schema(), reader);
    foreach name in array string_to_array(current_setting('gh_backfill.readable'), ',') loop
        execute format('grant select on %%I to %%I', name, reader);
        continue when not (select relrowsecurity from pg_class where oid = to_regclass(quote_ident(name)))
            or exists (select from pg_policy where polrelid = to_regclass(quote_ident(name)) and polname = policy);
        execute format('create policy %%I on %%I for select to %%I using (true)', policy, name, reader);
    end loop;
    -- Supabase's policies ask auth.role(), also where they do not admit the role in the end.
    if to_regnamespace('auth') is not null and has_schema_privilege('auth', 'usage with grant option') then
        execute format('grant usage on schema auth to %%I', reader);
    end if;
end $$;

-- name: blind
-- Who may select from a table with row level security, is neither its owner nor above that, and is admitted by no policy; those
-- that name Supabase's service role are for that one alone, though they are made for everybody.
select r.rolname as role, c.relname as "table"
from unnest(%(names)s::text[]) n (name)
join pg_class c on c.oid = to_regclass(quote_ident(n.name)) and c.relrowsecurity
cross join pg_roles r
where r.rolname !~ '^pg_' and r.rolname <> all (%(guests)s::text[])
  and not r.rolsuper and not r.rolbypassrls and not pg_has_role(r.oid, c.relowner, 'usage')
  and has_table_privilege(r.oid, c.oid, 'select')
  and not exists (select from pg_policy p
                  where p.polrelid = c.oid and p.polpermissive and p.polcmd in ('r', '*')
                    and pg_get_expr(p.polqual, p.polrelid) !~ 'service_role'
                    and (p.polroles = array[0::oid]
                         or exists (select from unnest(p.polroles) member where pg_has_role(r.oid, member, 'usage'))))
order by 1, 2;
