-- What GitHub still grants each identity, shared by all jobs that use it.  Repeatable and additive only, as described in
-- core_tables.

-- identity    repository:<owner/name> (the token of a workflow), user:<id> (personal tokens), installation:<id> (Apps):
--             never a token, nor anything made of one
-- reset_at    null until GitHub has told; once it is past, the whole limit counts again
-- not_before  GitHub asked everybody to wait until then; slowdowns counts how often in a row it did so without a time
-- busy        seconds of GitHub's time, a bucket that leaks since busy_at
-- reserved    the requests under way: {request: [points, expires in seconds since 1970]}; inside the row, for a table of
--             its own would be read as it was before a rival's commit
do $$ begin
if to_regclass('api_budgets') is null then
    create table api_budgets (
        identity      text not null check (identity <> ''),
        resource      text not null check (resource in ('graphql', 'core')),
        budget_limit  integer not null default 1000 check (budget_limit >= 0),
        remaining     integer not null default 1000 check (remaining >= 0),
        reset_at      timestamptz,
        not_before    timestamptz not null default '-infinity',
        slowdowns     integer not null default 0 check (slowdowns >= 0),
        busy          double precision not null default 0 check (busy >= 0),
        busy_at       timestamptz not null default now(),
        reserved      jsonb not null default '{}' check (jsonb_typeof(reserved) = 'object'),
        created_at    timestamptz not null default now(),
        updated_at    timestamptz not null default now(),
        primary key (identity, resource)
    );
    alter table api_budgets enable row level security;
end if;
end $$;

-- Closed to everybody but its owner and Supabase's service role, where it is ours to close: see the file on security.
do $$
declare
    guest text;
begin
    if exists (select from pg_class c where c.oid = to_regclass('api_budgets') and c.relrowsecurity
                 and not exists (select from pg_policy p where p.polrelid = c.oid)) then
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table api_budgets from %I', guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            create policy service_role_all on api_budgets using ((select auth.role()) = 'service_role');
        end if;
    end if;
end $$;
