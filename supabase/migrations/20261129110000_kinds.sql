-- A backfill for each kind of items of a repository.  `progressive_backfill_state`, which others read and may change, shows that
-- of the pull requests and is kept equal to it.  Repeatable and additive only, as described in core_tables.

-- First, so that whoever claims or commits is waited for, and nobody waits for us with half of the locks.
alter table backfill_streams
    add column if not exists kind text not null default 'pull_requests';

-- captured: how many items are stored; total: how many GitHub counts.
do $$ begin
if to_regclass('backfills') is null then
    create table backfills (
        id                    uuid primary key default gen_random_uuid(),
        repository_id         uuid not null references repositories (id) on delete cascade,
        kind                  text not null default 'pull_requests',
        status                text not null default 'active' check (status in ('active', 'paused', 'completed', 'failed')),
        total                 integer not null,
        captured              integer not null default 0,
        gaps                  integer not null default 0,
        gaps_seen             integer,
        held                  boolean not null default false,
        held_reason           text,
        held_by               text,
        pause_reason          text,
        resume_at             timestamptz,
        completed_at          timestamptz,
        planned_at            timestamptz,
        last_processed_cursor text,
        last_processed_number integer,
        last_processed_at     timestamptz,
        page_size             integer default 25,
        points                bigint not null default 0,
        requests              bigint not null default 0,
        error_count           integer not null default 0,
        consecutive_errors    integer not null default 0,
        last_error            text,
        last_error_at         timestamptz,
        metadata              jsonb not null default '{}',
        created_at            timestamptz not null default now(),
        updated_at            timestamptz not null default now(),
        constraint backfills_repository_kind_key unique (repository_id, kind)
    );
    alter table backfills enable row level security;
    create index idx_backfills_status on backfills (status, resume_at);
end if;
end $$;

-- Supabase grants its guests everything on new tables.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table backfills from %I', guest);
    end loop;
    if to_regprocedure('auth.role()') is not null
       and not exists (select from pg_policy where polrelid = to_regclass('backfills') and polname = 'service_role_all') then
        create policy service_role_all on backfills using ((select auth.role()) = 'service_role');
    end if;
end $$;

-- What others write in their row holds for the backfill, in the same transaction: the guide lets a backfill go on so.  It runs
-- as its owner, for whoever may write that row needs no right to ours.  Only what differs is written, which ends the echo.
-- The time of the change is no difference, for an application's own trigger may set it at every turn.
do $$ begin
execute format($function$
    create or replace function gh_backfill_follow_state() returns trigger language plpgsql security definer
    set search_path = %I, pg_temp as $body$
    begin
        if tg_op = 'DELETE' then
            delete from backfills where id = old.id;
            return null;
        end if;
        insert into backfills as b (
            id, repository_id, status, total, captured, gaps, gaps_seen, held, held_reason, held_by, pause_reason, resume_at,
            completed_at, planned_at, last_processed_cursor, last_processed_number, last_processed_at, page_size, points,
            requests, error_count, consecutive_errors, last_error, last_error_at, metadata, created_at, updated_at)
        values (
            new.id, new.repository_id, coalesce(new.status, 'active'), new.total_prs, coalesce(new.processed_prs, 0), new.gaps,
            new.gaps_seen, new.held, new.held_reason, new.held_by, new.pause_reason, new.resume_at, new.completed_at,
            new.planned_at, new.last_processed_cursor, new.last_processed_pr_number, new.last_processed_at, new.chunk_size,
            new.points, new.requests, coalesce(new.error_count, 0), coalesce(new.consecutive_errors, 0), new.last_error,
            new.last_error_at, coalesce(new.metadata, '{}'), coalesce(new.created_at, now()), coalesce(new.updated_at, now()))
        on conflict (id) do update
        set repository_id = excluded.repository_id, status = excluded.status, total = excluded.total,
            captured = excluded.captured, gaps = excluded.gaps, gaps_seen = excluded.gaps_seen, held = excluded.held,
            held_reason = excluded.held_reason, held_by = excluded.held_by, pause_reason = excluded.pause_reason,
            resume_at = excluded.resume_at, completed_at = excluded.completed_at, planned_at = excluded.planned_at,
            last_processed_cursor = excluded.last_processed_cursor, last_processed_number = excluded.last_processed_number,
            last_processed_at = excluded.last_processed_at, page_size = excluded.page_size, points = excluded.points,
            requests = excluded.requests, error_count = excluded.error_count,
            consecutive_errors = excluded.consecutive_errors, last_error = excluded.last_error,
            last_error_at = excluded.last_error_at, metadata = excluded.metadata, updated_at = excluded.updated_at
        where (b.repository_id, b.status, b.total, b.captured, b.gaps, b.gaps_seen, b.held, b.held_reason, b.held_by,
               b.pause_reason, b.resume_at, b.completed_at, b.planned_at, b.last_processed_cursor, b.last_processed_number,
               b.last_processed_at, b.page_size, b.points, b.requests, b.error_count, b.consecutive_errors, b.last_error,
               b.last_error_at, b.metadata)
              is distinct from
              (excluded.repository_id, excluded.status, excluded.total, excluded.captured, excluded.gaps, excluded.gaps_seen,
               excluded.held, excluded.held_reason, excluded.held_by, excluded.pause_reason, excluded.resume_at,
               excluded.completed_at, excluded.planned_at, excluded.last_processed_cursor, excluded.last_processed_number,
               excluded.last_processed_at, excluded.page_size, excluded.points, excluded.requests, excluded.error_count,
               excluded.consecutive_errors, excluded.last_error, excluded.last_error_at, excluded.metadata);
        return null;
    end $body$
$function$, current_schema());
end $$;

-- The other way round: the row of others shows the backfill of the pull requests, which has the same id.
do $$ begin
execute format($function$
    create or replace function gh_backfill_show_state() returns trigger language plpgsql security definer
    set search_path = %I, pg_temp as $body$
    begin
        if tg_op = 'DELETE' then
            delete from progressive_backfill_state where id = old.id;
            return null;
        end if;
        insert into progressive_backfill_state as p (
            id, repository_id, status, total_prs, processed_prs, gaps, gaps_seen, held, held_reason, held_by, pause_reason,
            resume_at, completed_at, planned_at, last_processed_cursor, last_processed_pr_number, last_processed_at,
            chunk_size, points, requests, error_count, consecutive_errors, last_error, last_error_at, metadata, created_at,
            updated_at)
        values (
            new.id, new.repository_id, new.status, new.total, new.captured, new.gaps, new.gaps_seen, new.held, new.held_reason,
            new.held_by, new.pause_reason, new.resume_at, new.completed_at, new.planned_at, new.last_processed_cursor,
            new.last_processed_number, new.last_processed_at, new.page_size, new.points, new.requests, new.error_count,
            new.consecutive_errors, new.last_error, new.last_error_at, new.metadata, new.created_at, new.updated_at)
        on conflict (id) do update
        set repository_id = excluded.repository_id, status = excluded.status, total_prs = excluded.total_prs,
            processed_prs = excluded.processed_prs, gaps = excluded.gaps, gaps_seen = excluded.gaps_seen, held = excluded.held,
            held_reason = excluded.held_reason, held_by = excluded.held_by, pause_reason = excluded.pause_reason,
            resume_at = excluded.resume_at, completed_at = excluded.completed_at, planned_at = excluded.planned_at,
            last_processed_cursor = excluded.last_processed_cursor,
            last_processed_pr_number = excluded.last_processed_pr_number, last_processed_at = excluded.last_processed_at,
            chunk_size = excluded.chunk_size, points = excluded.points, requests = excluded.requests,
            error_count = excluded.error_count, consecutive_errors = excluded.consecutive_errors,
            last_error = excluded.last_error, last_error_at = excluded.last_error_at, metadata = excluded.metadata,
            updated_at = excluded.updated_at
        where (p.repository_id, p.status, p.total_prs, p.processed_prs, p.gaps, p.gaps_seen, p.held, p.held_reason, p.held_by,
               p.pause_reason, p.resume_at, p.completed_at, p.planned_at, p.last_processed_cursor, p.last_processed_pr_number,
               p.last_processed_at, p.chunk_size, p.points, p.requests, p.error_count, p.consecutive_errors, p.last_error,
               p.last_error_at, p.metadata)
              is distinct from
              (excluded.repository_id, excluded.status, excluded.total_prs, excluded.processed_prs, excluded.gaps,
               excluded.gaps_seen, excluded.held, excluded.held_reason, excluded.held_by, excluded.pause_reason,
               excluded.resume_at, excluded.completed_at, excluded.planned_at, excluded.last_processed_cursor,
               excluded.last_processed_pr_number, excluded.last_processed_at, excluded.chunk_size, excluded.points,
               excluded.requests, excluded.error_count, excluded.consecutive_errors, excluded.last_error,
               excluded.last_error_at, excluded.metadata);
        return null;
    end $body$
$function$, current_schema());
end $$;

revoke all on function gh_backfill_follow_state() from public;
revoke all on function gh_backfill_show_state() from public;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_follow_state(), gh_backfill_show_state() from %I', guest);
    end loop;
end $$;

-- The trigger comes before the rows, and keeps whoever changes them waiting: nothing is written beside it.
do $$ begin
if not exists (select from pg_trigger where tgrelid = to_regclass('progressive_backfill_state')
                                        and tgname = 'gh_backfill_follow_state') then
    create trigger gh_backfill_follow_state after insert or update or delete on progressive_backfill_state
        for each row execute function gh_backfill_follow_state();
end if;
end $$;

insert into backfills (
    id, repository_id, status, total, captured, gaps, gaps_seen, held, held_reason, held_by, pause_reason, resume_at,
    completed_at, planned_at, last_processed_cursor, last_processed_number, last_processed_at, page_size, points, requests,
    error_count, consecutive_errors, last_error, last_error_at, metadata, created_at, updated_at)
select id, repository_id, coalesce(status, 'active'), total_prs, coalesce(processed_prs, 0), gaps, gaps_seen, held, held_reason,
       held_by, pause_reason, resume_at, completed_at, planned_at, last_processed_cursor, last_processed_pr_number,
       last_processed_at, chunk_size, points, requests, coalesce(error_count, 0), coalesce(consecutive_errors, 0), last_error,
       last_error_at, coalesce(metadata, '{}'), coalesce(created_at, now()), coalesce(updated_at, now())
from progressive_backfill_state
on conflict do nothing;

do $$ begin
if not exists (select from pg_trigger where tgrelid = to_regclass('backfills') and tgname = 'gh_backfill_show_state') then
    create trigger gh_backfill_show_state after insert or update on backfills
        for each row when (new.kind = 'pull_requests') execute function gh_backfill_show_state();
    create trigger gh_backfill_show_no_state after delete on backfills
        for each row when (old.kind = 'pull_requests') execute function gh_backfill_show_state();
end if;
end $$;

-- A stream belongs to the backfill of its kind; only that of pull requests is also known by the row of others.
alter table backfill_streams
    add column if not exists backfill_id uuid references backfills (id) on delete cascade;

update backfill_streams set backfill_id = backfill_state_id where backfill_id is null;

alter table backfill_streams alter column backfill_id set not null;

alter table backfill_streams alter column backfill_state_id drop not null;

alter table backfill_streams drop constraint if exists backfill_streams_repository_stream_part_key;

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_streams')
                                           and conname = 'backfill_streams_repository_kind_stream_part_key') then
    alter table backfill_streams add constraint backfill_streams_repository_kind_stream_part_key
        unique (repository_id, kind, stream, part);
end if;
end $$;

create index if not exists idx_backfill_streams_backfill on backfill_streams (backfill_id);

-- Chunks are numbered in each backfill.  Those of other kinds are nobody's but ours.
alter table backfill_chunks
    add column if not exists backfill_id uuid references backfills (id) on delete cascade;

alter table backfill_chunks alter column backfill_state_id drop not null;

update backfill_chunks set backfill_id = backfill_state_id where backfill_id is null;

create unique index if not exists idx_backfill_chunks_backfill on backfill_chunks (backfill_id, chunk_number);

-- Null: the kind that every repository captures.
alter table tracked_repositories
    add column if not exists kinds text[];

-- Null: pull requests, or all kinds.
alter table backfill_events
    add column if not exists kind text;

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_quarantine')
                                           and conname = 'backfill_quarantine_kind_check'
                                           and position('assignee' in pg_get_constraintdef(oid)) > 0) then
    alter table backfill_quarantine drop constraint if exists backfill_quarantine_kind_check;
    alter table backfill_quarantine add constraint backfill_quarantine_kind_check check (kind in (
        'pull_request', 'review', 'review_comment', 'issue_comment', 'contributor', 'page', 'issue', 'label', 'assignee'));
end if;
end $$;
