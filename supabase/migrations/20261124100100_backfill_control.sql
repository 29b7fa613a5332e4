-- Where each backfill stands: the summary per repository, the streams it consists of, their chunks, and what could not be stored.
-- Repeatable and additive only, as described in core_tables.

-- One row per repository for ever; others read it.
do $$ begin
if to_regclass('progressive_backfill_state') is null then
    create table progressive_backfill_state (
        id                       uuid primary key default gen_random_uuid(),
        repository_id            uuid not null references repositories (id) on delete cascade,
        total_prs                integer not null,
        processed_prs            integer default 0,
        last_processed_cursor    text,
        last_processed_pr_number integer,
        last_processed_at        timestamptz,
        status                   varchar(20) default 'active' check (status in ('active', 'paused', 'completed', 'failed')),
        chunk_size               integer default 25,
        error_count              integer default 0,
        consecutive_errors       integer default 0,
        last_error               text,
        last_error_at            timestamptz,
        metadata                 jsonb default '{}',
        created_at               timestamptz default now(),
        updated_at               timestamptz default now(),
        constraint unique_active_backfill unique (repository_id)
    );
    alter table progressive_backfill_state enable row level security;
end if;
end $$;

alter table progressive_backfill_state
    add column if not exists pause_reason text,
    add column if not exists resume_at timestamptz,
    add column if not exists completed_at timestamptz,
    add column if not exists planned_at timestamptz,
    add column if not exists points bigint not null default 0,
    add column if not exists requests bigint not null default 0;

create index if not exists idx_backfill_state_status on progressive_backfill_state (status, resume_at);

-- The engine's own truth: one walk over a repository's pull requests, always descending in `ordering`.
do $$ begin
if to_regclass('backfill_streams') is null then
    create table backfill_streams (
        id                uuid primary key default gen_random_uuid(),
        repository_id     uuid not null references repositories (id) on delete cascade,
        backfill_state_id uuid not null references progressive_backfill_state (id) on delete cascade,
        stream            text not null check (stream in ('history', 'catch_up')),
        part              integer not null default 0,
        status            varchar(20) not null default 'active' check (status in ('active', 'paused', 'completed', 'failed')),
        ordering          text not null check (ordering in ('CREATED_AT', 'UPDATED_AT')),
        goal_max_items    integer,
        goal_since        timestamptz,
        goal_states       text[],
        cursor            text,
        pass              integer not null default 1,
        read_down_to      timestamptz,
        watermark         timestamptz,
        page_size         integer,
        items_done        integer not null default 0,
        points            bigint not null default 0,
        requests          bigint not null default 0,
        created_at        timestamptz not null default now(),
        updated_at        timestamptz not null default now(),
        constraint backfill_streams_repository_stream_part_key unique (repository_id, stream, part)
    );
    alter table backfill_streams enable row level security;
    create index idx_backfill_streams_state on backfill_streams (backfill_state_id);
end if;
end $$;

-- One page of a stream.  Rows without a stream were written by an older backfill.
do $$ begin
if to_regclass('backfill_chunks') is null then
    create table backfill_chunks (
        id                   uuid primary key default gen_random_uuid(),
        repository_id        uuid not null references repositories (id) on delete cascade,
        backfill_state_id    uuid not null references progressive_backfill_state (id) on delete cascade,
        chunk_number         integer not null,
        pr_numbers           integer[],
        pr_count             integer generated always as (array_length(pr_numbers, 1)) stored,
        status               varchar(20) default 'pending'
                             check (status in ('pending', 'processing', 'completed', 'failed', 'skipped')),
        processor_type       varchar(20) default 'github_actions',
        started_at           timestamptz,
        completed_at         timestamptz,
        processing_time_ms   integer generated always as (extract(epoch from (completed_at - started_at)) * 1000) stored,
        error                text,
        retry_count          integer default 0,
        api_calls_made       integer,
        rate_limit_remaining integer,
        created_at           timestamptz default now(),
        constraint unique_chunk_per_backfill unique (backfill_state_id, chunk_number)
    );
    alter table backfill_chunks enable row level security;
    create index idx_backfill_chunks_status on backfill_chunks (backfill_state_id, status);
end if;
end $$;

alter table backfill_chunks
    add column if not exists stream_id uuid references backfill_streams (id) on delete cascade,
    add column if not exists attempt integer not null default 0,
    add column if not exists lease_until timestamptz,
    add column if not exists claimed_by text,
    add column if not exists retry_at timestamptz,
    add column if not exists after_cursor text,
    add column if not exists end_cursor text,
    add column if not exists page_size integer,
    add column if not exists points integer,
    add column if not exists rows_inserted integer,
    add column if not exists rows_updated integer,
    add column if not exists rows_unchanged integer,
    add column if not exists rows_quarantined integer;

-- At most one open chunk per stream.  Older chunks have no stream, and nulls do not collide.
create unique index if not exists idx_backfill_chunks_one_open on backfill_chunks (stream_id)
    where status in ('pending', 'processing');
create index if not exists idx_backfill_chunks_stream on backfill_chunks (stream_id, chunk_number);

-- What GitHub gave and could not be stored or read, until it can.
do $$ begin
if to_regclass('backfill_quarantine') is null then
    create table backfill_quarantine (
        id            uuid primary key default gen_random_uuid(),
        repository_id uuid not null references repositories (id) on delete cascade,
        kind          text not null
                      check (kind in ('pull_request', 'review', 'review_comment', 'issue_comment', 'contributor', 'page')),
        identity      text not null,
        github_id     bigint,
        number        integer,
        reason        text not null,
        payload       jsonb,
        attempts      integer not null default 1,
        first_seen_at timestamptz not null default now(),
        last_seen_at  timestamptz not null default now(),
        resolved_at   timestamptz,
        constraint backfill_quarantine_repository_kind_identity_key unique (repository_id, kind, identity)
    );
    alter table backfill_quarantine enable row level security;
end if;
end $$;
