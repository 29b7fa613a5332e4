-- Vectors of texts, by which what is alike is found: columns and names as existing installations have them, 384 dimensions.
-- Repeatable and additive only, as described in core_tables.  Without pgvector nothing here but the record of the work is made,
-- and everything else works; `gh-backfill migrate` makes the rest once it is there.

-- What is in hand (`leased_until`), and what failed: after a few attempts alone an item is set aside, for as long as its text
-- stays as it is.
do $$ begin
if to_regclass('embedding_attempts') is null then
    create table embedding_attempts (
        item_type     text not null check (item_type in ('issue', 'pull_request', 'discussion')),
        item_id       text not null,
        repository_id uuid not null references repositories (id) on delete cascade,
        text_hash     bigint not null,
        attempts      integer not null default 0,
        reason        text,
        worker        text,
        leased_until  timestamptz,
        set_aside_at  timestamptz,
        updated_at    timestamptz not null default now(),
        primary key (item_type, item_id)
    );
    alter table embedding_attempts enable row level security;
    create index idx_embedding_attempts_repository on embedding_attempts (repository_id);
end if;
end $$;

do $$ begin
if to_regclass('embedding_jobs') is null then
    create table embedding_jobs (
        id              uuid primary key default gen_random_uuid(),
        repository_id   uuid references repositories (id) on delete cascade,
        status          text not null check (status in ('pending', 'processing', 'completed', 'failed')),
        items_total     integer not null,
        items_processed integer default 0,
        error_message   text,
        started_at      timestamptz,
        completed_at    timestamptz,
        created_at      timestamptz default now(),
        updated_at      timestamptz default now()
    );
    alter table embedding_jobs enable row level security;
end if;
end $$;

alter table embedding_jobs
    add column if not exists provider text,
    add column if not exists model text,
    add column if not exists items_failed integer,
    add column if not exists tokens bigint,
    add column if not exists cost double precision;

create index if not exists idx_embedding_jobs_created on embedding_jobs (created_at desc);
create index if not exists idx_embedding_jobs_repository on embedding_jobs (repository_id);

do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['embedding_attempts', 'embedding_jobs'] loop
        continue when exists (select from pg_policy where polrelid = to_regclass(name));
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
end $$;

-- A text that changes loses its vector in the same statement, whoever writes it, unless that statement brings a new one: a vector
-- is never found that belongs to another text.
create or replace function gh_backfill_text_changed() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.embedding_generated_at is not distinct from old.embedding_generated_at then
        new.embedding := null;
        new.embedding_generated_at := null;
        new.content_hash := null;
    end if;
    return new;
end $$;
revoke all on function gh_backfill_text_changed() from public;

-- Makes what takes pgvector, where it is missing, and says what stands against it: null, 'unavailable', 'not allowed' (to create
-- the extension) or 'hidden' (its schema).  An extension that is there stays where it is; a new one lies where Supabase keeps them.
-- It is called below and by each `gh-backfill migrate`, so that pgvector may come later.
create or replace function gh_backfill_prepare_embeddings() returns text language plpgsql as $prepare$
declare
    place name := (select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = 'vector');
    item text;
    parts text;
    guest text;
begin
    if place is null then
        if not exists (select from pg_available_extensions e where e.name = 'vector') then
            return 'unavailable';
        end if;
        place := coalesce((select nspname from pg_namespace
                           where nspname = 'extensions' and has_schema_privilege(oid, 'usage, create')), current_schema());
        begin
            execute format('create extension vector with schema %I', place);
        exception when insufficient_privilege then
            return 'not allowed';
        end;
    elsif not has_schema_privilege(place, 'usage') then
        return 'hidden';
    end if;
    foreach item in array array['pull_requests', 'issues', 'discussions'] loop
        continue when to_regclass(item) is null;
        if not exists (select from pg_attribute where attrelid = to_regclass(item) and attname = 'embedding' and not attisdropped) then
            execute format('alter table %I add column embedding %I.vector(384)', item, place);
        end if;
        if (select count(*) from pg_attribute where attrelid = to_regclass(item) and not attisdropped
                                                and attname in ('embedding_generated_at', 'content_hash')) < 2 then
            execute format('alter table %I add column if not exists embedding_generated_at timestamptz,
                                           add column if not exists content_hash text', item);
        end if;
        -- Any index of the column that an application made does.
        if exists (select from pg_am where amname = 'hnsw') and not exists (
            select from pg_index i
            join pg_class c on c.oid = i.indexrelid
            join pg_am m on m.oid = c.relam and m.amname in ('hnsw', 'ivfflat')
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey) and a.attname = 'embedding'
            where i.indrelid = to_regclass(item)
        ) then
            execute format('create index %I on %I using hnsw (embedding %I.vector_cosine_ops) where embedding is not null',
                           'idx_' || item || '_embedding', item, place);
        end if;
        if not exists (select from pg_trigger where tgrelid = to_regclass(item) and tgname = 'gh_backfill_text_changed') then
            execute format('create trigger gh_backfill_text_changed before update of title, body on %I for each row
                            when (old.embedding_generated_at is not null
                                  and (old.title, old.body) is distinct from (new.title, new.body))
                            execute function gh_backfill_text_changed()', item);
        end if;
        parts := concat_ws(' union all ', parts, format(
            'select %L as item_type, id::text as id, repository_id, title, body, created_at, updated_at, embedding_generated_at,
                    content_hash, %s as priority from %I where embedding is null %s',
            rtrim(item, 's'), array_position(array['discussions', 'pull_requests', 'issues'], item), item,
            case when exists (select from pg_attribute where attrelid = to_regclass(item) and attname = 'gone_at'
                                                         and not attisdropped) then 'and gone_at is null' end));
    end loop;
    -- What is to be done, for people and other programs; a view of an application is left alone.
    if to_regclass('items_needing_embeddings_priority') is null then
        execute format($view$
            create view items_needing_embeddings_priority with (security_invoker = true) as
            with in_workspaces as (
                select distinct m.repository_id
                from workspace_repositories m
                join workspaces w on w.id = m.workspace_id and w.is_active is distinct from false
            ), items as (%s)
            select i.item_type, i.id, i.repository_id, i.title, i.body, i.created_at, i.updated_at, i.embedding_generated_at,
                   i.content_hash, i.priority + case when w.repository_id is null then 0 else 10 end as priority_score
            from items i
            left join in_workspaces w on w.repository_id = i.repository_id
            where not exists (select from embedding_attempts a
                              where a.item_type = i.item_type and a.item_id = i.id and a.set_aside_at is not null
                                and a.text_hash = hashtextextended(i.title || chr(10) || coalesce(i.body, ''), 0))
        $view$, parts);
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table items_needing_embeddings_priority from %I', guest);
        end loop;
    end if;
    return null;
end $prepare$;
revoke all on function gh_backfill_prepare_embeddings() from public;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_prepare_embeddings(), gh_backfill_text_changed() from %I', guest);
    end loop;
    perform gh_backfill_prepare_embeddings();
end $$;
