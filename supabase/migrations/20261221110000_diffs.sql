-- What pull requests change: their files and their commits, where a repository has them switched on.
-- Repeatable and additive only, as described in core_tables.

-- A list as a whole: GitHub replaces it with a push, and so do we, in one statement.  total is GitHub's count, gap says why rows lack,
-- as_of is the update of the pull request that it is of (null: not read yet), asked_at when GitHub said so.
do $$ begin
if to_regclass('pull_request_diffs') is null then
    create table pull_request_diffs (
        pull_request_id uuid not null references pull_requests (id) on delete cascade,
        list            text not null check (list in ('files', 'commits')),
        rows            jsonb not null default '[]',
        total           integer,
        gap             text,
        as_of           timestamptz,
        asked_at        timestamptz,
        leased_until    timestamptz,
        primary key (pull_request_id, list)
    );
    alter table pull_request_diffs enable row level security;
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table pull_request_diffs from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('pull_request_diffs')) then
        execute 'create policy service_role_all on pull_request_diffs using ((select auth.role()) = ''service_role'')';
    end if;
end $$;

do $$ begin
execute $view$
    create or replace view pull_request_files with (security_invoker = true) as
    select p.repository_id, d.pull_request_id, p.number, f.position::integer as position, f.path, f.change_type, f.additions, f.deletions
    from pull_request_diffs d
    join pull_requests p on p.id = d.pull_request_id
    cross join lateral rows from (
        jsonb_to_recordset(d.rows) as (path text, change_type text, additions integer, deletions integer)
    ) with ordinality as f (path, change_type, additions, deletions, position)
    where d.list = 'files'
$view$;
end $$;

do $$ begin
execute $view$
    create or replace view pull_request_commits with (security_invoker = true) as
    select p.repository_id, d.pull_request_id, p.number, c.position::integer as position, c.oid, c.message, c.authored_at,
           c.committed_at, c.author_name, c.author_github_id, c.author_login
    from pull_request_diffs d
    join pull_requests p on p.id = d.pull_request_id
    cross join lateral rows from (
        jsonb_to_recordset(d.rows) as (oid text, message text, authored_at timestamptz, committed_at timestamptz, author_name text,
                                       author_github_id bigint, author_login text)
    ) with ordinality as c (oid, message, authored_at, committed_at, author_name, author_github_id, author_login, position)
    where d.list = 'commits'
$view$;
end $$;
