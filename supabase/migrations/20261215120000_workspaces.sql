-- Workspaces: which repositories somebody looks at together, and how often the events of these are fetched.
-- Repeatable and additive only, as described in core_tables; the first two tables are those of existing installations, where
-- the owner is a user of the application.  Without one, `gh-backfill` names a fixed owner of its own.

do $$ begin
if to_regclass('workspaces') is null then
    create table workspaces (
        id                       uuid primary key default gen_random_uuid(),
        name                     text not null check (char_length(name) between 3 and 100),
        slug                     text not null unique check (slug ~ '^[a-z0-9-]+$' and char_length(slug) between 3 and 50),
        description              text,
        owner_id                 uuid not null,
        visibility               text not null default 'public' check (visibility in ('public', 'private')),
        tier                     text not null default 'free'
                                 constraint workspaces_tier_check check (tier in ('free', 'pro', 'team')),
        max_repositories         integer default 4,
        current_repository_count integer default 0,
        data_retention_days      integer default 30,
        subscription_id          uuid,
        settings                 jsonb default '{}',
        is_active                boolean default true,
        last_activity_at         timestamptz default now(),
        created_at               timestamptz not null default now(),
        updated_at               timestamptz not null default now(),
        constraint workspace_repo_limit check (current_repository_count <= max_repositories)
    );
    alter table workspaces enable row level security;
end if;
end $$;

do $$ begin
if to_regclass('workspace_repositories') is null then
    create table workspace_repositories (
        id            uuid primary key default gen_random_uuid(),
        workspace_id  uuid not null references workspaces (id) on delete cascade,
        repository_id uuid not null references repositories (id) on delete cascade,
        added_by      uuid not null,
        added_at      timestamptz not null default now(),
        notes         text,
        tags          text[],
        is_pinned     boolean default false,
        constraint unique_workspace_repository unique (workspace_id, repository_id)
    );
    create index idx_workspace_repos_repository on workspace_repositories (repository_id);
    alter table workspace_repositories enable row level security;
end if;
end $$;

-- When the events of a workspace are fetched next without anybody's asking: from `begins_at` on, by steps.  Whoever fetches them
-- has the turn until `claimed_until`.  No row: only when somebody asks.
do $$ begin
if to_regclass('workspace_schedules') is null then
    create table workspace_schedules (
        workspace_id uuid primary key references workspaces (id) on delete cascade,
        every        text not null check (every in ('daily', 'weekly', 'monthly')),
        days         integer not null default 90 check (days between 1 and 3660),
        begins_at    timestamptz not null default now(),
        next_due_at  timestamptz not null default now(),
        claimed_until timestamptz,
        last_run_at  timestamptz
    );
    alter table workspace_schedules enable row level security;
    create index idx_workspace_schedules_due on workspace_schedules (next_due_at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.  Tables with policies belong to an application.
do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['workspaces', 'workspace_repositories', 'workspace_schedules'] loop
        continue when exists (select from pg_policy where polrelid = to_regclass(name));
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
end $$;

-- Whoever fetches events looks for those that somebody asked for, and nobody has taken or who took them is gone.
create index if not exists idx_capture_jobs_asked on progressive_capture_jobs (created_at)
    where job_type = 'events' and outcome is null;
create index if not exists idx_capture_jobs_events on progressive_capture_jobs (repository_id, created_at desc)
    where job_type = 'events';
