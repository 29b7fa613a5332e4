-- Proof that what is here is what GitHub has: each item and number as it was held against GitHub's word, what is gone there, and
-- the certificate of each repository.  Repeatable and additive only, as described in core_tables.

-- A tombstone: GitHub said twice that there is no such thing, or that it is elsewhere (`gone_target`).  The row stays, and the
-- next reading that has it takes the tombstone away.
alter table pull_requests
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

alter table issues
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

-- Whoever asks GitHub for one of these directly needs its name there.
alter table reviews
    add column if not exists node_id text,
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

alter table comments
    add column if not exists node_id text,
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

-- When an item was held against GitHub, what GitHub counted of it then, and what differed and still does.
do $$ begin
if to_regclass('item_proofs') is null then
    create table item_proofs (
        repository_id uuid not null references repositories (id) on delete cascade,
        kind          text not null,
        github_id     bigint not null,
        number        integer not null,
        proved_at     timestamptz not null default now(),
        counts        jsonb not null default '{}',
        differences   jsonb not null default '[]',
        constraint item_proofs_pkey primary key (repository_id, kind, github_id)
    );
    alter table item_proofs enable row level security;
    create index idx_item_proofs_oldest on item_proofs (repository_id, proved_at);
end if;
end $$;

-- What GitHub says that the numbers are which have no row here; `times` counts how often in a row it said the same.
do $$ begin
if to_regclass('number_audit') is null then
    create table number_audit (
        repository_id uuid not null references repositories (id) on delete cascade,
        number        integer not null,
        what          text not null check (what in ('pull_request', 'issue', 'discussion', 'transferred', 'deleted',
                                                    'converted', 'unreadable')),
        target        text,
        times         integer not null default 1,
        asked_at      timestamptz not null default now(),
        constraint number_audit_pkey primary key (repository_id, number)
    );
    alter table number_audit enable row level security;
end if;
end $$;

-- What GitHub did not find when it was asked for directly, until it is found again or has a tombstone.
do $$ begin
if to_regclass('absences') is null then
    create table absences (
        repository_id uuid not null references repositories (id) on delete cascade,
        kind          text not null,
        github_id     bigint not null,
        number        integer not null,
        times         integer not null default 1,
        first_said_at timestamptz not null default now(),
        last_said_at  timestamptz not null default now(),
        constraint absences_pkey primary key (repository_id, kind, github_id)
    );
    alter table absences enable row level security;
end if;
end $$;

-- The last verification of each repository.  Everything was proven since `proven_at`; null until all of it was.
do $$ begin
if to_regclass('verifications') is null then
    create table verifications (
        repository_id uuid primary key references repositories (id) on delete cascade,
        verified_at   timestamptz not null default now(),
        proven_at     timestamptz,
        score         double precision not null,
        open          integer not null default 0,
        certificate   jsonb not null
    );
    alter table verifications enable row level security;
    create index idx_verifications_oldest on verifications (proven_at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['item_proofs', 'number_audit', 'absences', 'verifications'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null
           and not exists (select from pg_policy where polrelid = to_regclass(name) and polname = 'service_role_all') then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
end $$;
