-- Stuck chunks, and what a person decides about a backfill.  Lock order as everywhere: backfill, stream, chunk.

-- name: workers
-- Whoever holds a chunk, or has a job that has not ended.
select c.claimed_by as worker
from backfill_chunks c
where c.status = 'processing' and c.claimed_by is not null
  and (%(ids)s::uuid[] is null or c.repository_id = any(%(ids)s::uuid[]))
union
select j.worker
from progressive_capture_jobs j
where j.outcome is null and j.status in ('pending', 'processing', 'failed') and j.worker is not null
  and (%(ids)s::uuid[] is null or j.repository_id = any(%(ids)s::uuid[]));

-- name: stuck
-- Chunks whose worker is gone, or that nothing can take up.  A run is over when the job in whose time the chunk was
-- claimed has its outcome, and no other job of the repository that may have claimed it still waits for one; a job that
-- a host application failed after ten minutes has none yet.
select found.*
from (
    select c.id, c.chunk_number, c.attempt, c.stream_id, coalesce(s.kind, 'pull_requests') as kind, c.lease_until,
           r.id as repository_id, r.full_name, r.is_private is true as is_private,
           case when c.stream_id is null then
                    case when coalesce(c.started_at, c.created_at, '-infinity') < clock_timestamp() - %(older_than)s
                           or (%(everything)s and c.status = 'processing') then 'older application' end
                when c.status = 'pending' then null
                when c.claimed_by = any(%(dead)s::text[]) then 'worker gone'
                when c.lease_until < clock_timestamp() then 'lease lost'
                when c.lease_until is null
                     and coalesce(c.started_at, c.created_at, '-infinity') < clock_timestamp() - %(older_than)s
                    then 'no lease'
                when exists (select from progressive_capture_jobs j
                             where j.repository_id = c.repository_id and j.outcome is not null and j.job_type is distinct from 'events'
                               and c.started_at between j.started_at and j.completed_at)
                     and not exists (select from progressive_capture_jobs j
                                     where j.repository_id = c.repository_id and j.outcome is null
                                       and j.started_at between clock_timestamp() - interval '6 hours' and c.started_at)
                    then 'run over'
                when %(everything)s then 'asked'
           end as why
    from backfill_chunks c
    join repositories r on r.id = c.repository_id
    left join backfill_streams s on s.id = c.stream_id
    where c.status in ('pending', 'processing')
      and (%(ids)s::uuid[] is null or c.repository_id = any(%(ids)s::uuid[]))
) found
where found.why is not null
order by found.full_name, found.chunk_number, found.kind <> 'pull_requests', found.kind;

-- name: lock_stuck_stream
select id from backfill_streams where id = %(stream_id)s for no key update;

-- name: recover_chunk
-- Back to waiting.  The attempt stays and the next claim raises it; a late commit finds no chunk in processing before
-- that, and another attempt after it.  A worker that renewed its lease since we looked keeps its chunk.
update backfill_chunks
set status = 'pending', lease_until = null, retry_at = null, error = %(error)s, retry_count = coalesce(retry_count, 0) + 1
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s
  and (%(everything)s or lease_until is not distinct from %(lease_until)s);

-- name: jobs_of
select id, status = 'pending' as planned
from progressive_capture_jobs
where outcome is null and worker = any(%(workers)s::text[])
order by id;

-- name: wait_again
-- Initial backfills at which nobody works any more wait for a worker: those whose chunks were `returned`, and those of which no
-- job is left that may be alive.
update repositories r
set initial_backfill_status = 'pending'
where r.initial_backfill_status = 'processing' and (%(ids)s::uuid[] is null or r.id = any(%(ids)s::uuid[]))
  and not exists (select from backfill_chunks c where c.repository_id = r.id and c.status = 'processing')
  and (r.id = any(%(returned)s::uuid[])
       or not exists (select from progressive_capture_jobs j
                      where j.repository_id = r.id and j.outcome is null and j.status in ('processing', 'failed')
                        and j.job_type is distinct from 'events'
                        and coalesce(j.heartbeat_at, j.started_at) > clock_timestamp() - %(alive)s));

-- name: silence
-- Whoever asked takes all workers for dead: their jobs count as silent, until one tells of itself again.
update progressive_capture_jobs
set heartbeat_at = clock_timestamp() - %(alive)s
where outcome is null and status in ('processing', 'failed')
  and coalesce(heartbeat_at, started_at) > clock_timestamp() - %(alive)s
  and (%(ids)s::uuid[] is null or repository_id = any(%(ids)s::uuid[]));

-- name: close_chunk
-- Rows of an older application.  completed_at stays empty: processing_time_ms is generated and overflows after 24.8 days.
update backfill_chunks
set status = 'skipped', error = %(error)s
where id = %(chunk_id)s and stream_id is null and status in ('pending', 'processing');

-- name: state_of
select %(kind)s as kind, r.id as repository_id, r.full_name, r.is_private is true as is_private, b.status, coalesce(b.held, false) as held,
       b.held_reason, b.held_by, b.pause_reason, b.resume_at, b.last_error,
       coalesce(b.captured, 0) as captured,
       coalesce(case when %(kind)s = 'pull_requests' then r.github_pull_requests end, b.total) as total
from repositories r
left join backfills b on b.repository_id = r.id and b.kind = %(kind)s
where r.id = %(repository_id)s;

-- name: states_of
select coalesce(b.kind, 'pull_requests') as kind, r.id as repository_id, r.full_name, r.is_private is true as is_private,
       b.status, coalesce(b.held, false) as held, b.held_reason, b.held_by, b.pause_reason, b.resume_at, b.last_error,
       coalesce(b.captured, 0) as captured,
       case when coalesce(b.kind, 'pull_requests') = 'pull_requests' then coalesce(r.github_pull_requests, b.total)
            when b.total > 0 or b.status = 'completed' then b.total end as total
from repositories r
left join backfills b on b.repository_id = r.id
where r.id = %(repository_id)s
order by b.kind <> 'pull_requests', b.kind;

-- name: hold_backfill
-- A person stops the backfill; what paused by itself is held, too.
update backfills
set status = 'paused', held = true, held_reason = %(reason)s, held_by = %(who)s, pause_reason = %(reason)s,
    resume_at = %(resume_at)s,
    metadata = metadata
               || jsonb_build_object('pause_reason', %(reason)s::text, 'paused_at', clock_timestamp()),
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status in ('active', 'paused');

-- name: give_up
-- The goal is given up: rows stay, and nothing goes on or begins anew until a person says so.
update backfills
set status = case when status = 'active' then 'paused' else status end, held = true, held_reason = %(reason)s,
    held_by = %(who)s, resume_at = null, pause_reason = case when status in ('active', 'paused') then %(reason)s else pause_reason end,
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s);

-- name: resume_by_hand
update backfills
set status = 'active', held = false, held_reason = null, held_by = null, pause_reason = null, resume_at = null,
    consecutive_errors = 0, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status in ('paused', 'failed');

-- name: let_go
-- A finished backfill that was cancelled may be opened again.
update backfills
set held = false, held_reason = null, held_by = null, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status = 'completed' and held;

-- name: try_at_once
-- A chunk that waits for its next try does not wait any longer.
update backfill_chunks c
set retry_at = null
from backfill_streams s
where s.id = c.stream_id and s.repository_id = any(%(ids)s::uuid[]) and (%(kind)s::text is null or s.kind = %(kind)s)
  and c.status = 'pending' and c.retry_at is not null;

-- name: holder
-- Of several parts the one that was claimed last.
select coalesce(claimed_by, 'a worker') as worker, chunk_number, lease_until
from backfill_chunks
where repository_id = %(repository_id)s and status = 'processing' and lease_until > clock_timestamp()
order by started_at desc
limit 1;
