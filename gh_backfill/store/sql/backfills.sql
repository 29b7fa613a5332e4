-- Claim, fence, commit.  Lock order everywhere: stream and state, chunk, data.

-- name: open_state
-- Open the one state row of a repository, whatever it was before; the count of captured rows starts from the truth.
-- What a person paused stays so until its time has come.
insert into progressive_backfill_state as s (repository_id, total_prs, processed_prs, status, metadata)
values (%(repository_id)s, %(total)s,
        (select count(*) from pull_requests where repository_id = %(repository_id)s), 'active', '{}')
on conflict (repository_id) do update
set total_prs = excluded.total_prs, processed_prs = excluded.processed_prs, consecutive_errors = 0,
    (status, held, pause_reason, resume_at) = (
        select case when stays then s.status else 'active' end, stays, case when stays then s.pause_reason end,
               case when stays then s.resume_at end
        from (select s.status = 'paused' and s.held and coalesce(s.resume_at, 'infinity') > clock_timestamp() as stays) pause),
    completed_at = null, gaps_seen = null, updated_at = clock_timestamp()
returning s.id;

-- name: restart_history
-- A finished walk whose goal is not raised begins again at the top; part 0 stands for it, whoever read the parts.
update backfill_streams s
set cursor = null, items_done = 0, watermark = null, stuck = false, updated_at = clock_timestamp(),
    status = case when s.part = 0 then 'active' else s.status end
from backfill_streams walk
where walk.repository_id = %(repository_id)s and walk.stream = 'history' and walk.part = 0 and walk.status = 'completed'
  and coalesce(walk.goal_max_items, 2147483647) >= coalesce(%(max_items)s, 2147483647)
  and s.repository_id = walk.repository_id and s.stream = 'history';

-- name: open_history
-- Open the walk; one that exists goes on from its cursor, with the larger of both goals (null: everything).  One that is
-- split stands still itself until its parts are done.
insert into backfill_streams as s (repository_id, backfill_state_id, stream, ordering, goal_max_items)
select b.repository_id, b.id, 'history', 'CREATED_AT', %(max_items)s
from progressive_backfill_state b
where b.repository_id = %(repository_id)s
on conflict (repository_id, stream, part) do update
set goal_max_items = case when s.goal_max_items is null or excluded.goal_max_items is null then null
                          else greatest(s.goal_max_items, excluded.goal_max_items) end,
    backfill_state_id = excluded.backfill_state_id, updated_at = clock_timestamp(),
    status = case when exists (select from backfill_streams p
                               where p.repository_id = s.repository_id and p.stream = 'history' and p.part > 0
                                 and p.status = 'active') then s.status else 'active' end;

-- name: split_walk
-- A walk that has not begun goes on in parts.  No row: it has, or is not to go to the end.
update backfill_streams s
set status = 'paused', updated_at = clock_timestamp()
where s.repository_id = %(repository_id)s and s.stream = 'history' and s.part = 0 and s.status = 'active'
  and s.cursor is null and s.goal_max_items is null
  and not exists (select from backfill_chunks c where c.stream_id = s.id and c.status = 'processing')
returning s.backfill_state_id;

-- name: open_parts
insert into backfill_streams as s (repository_id, backfill_state_id, stream, part, ordering, lowest_number,
                                   highest_number, watermark)
select %(repository_id)s, %(state_id)s, 'history', p.part, 'CREATED_AT', p.lowest, p.highest, %(watermark)s
from jsonb_to_recordset(%(parts)s) as p (part integer, lowest integer, highest integer)
on conflict (repository_id, stream, part) do update
set status = 'active', cursor = null, items_done = 0, lowest_number = excluded.lowest_number,
    highest_number = excluded.highest_number, watermark = excluded.watermark,
    backfill_state_id = excluded.backfill_state_id, updated_at = clock_timestamp();

-- name: last_part
select coalesce(max(part), 0) as part
from backfill_streams
where repository_id = %(repository_id)s and stream = 'history';

-- name: finish_walk
-- The last part ends the walk, which began when the earliest of them did.  No row: others are still at it.
update backfill_streams w
set status = 'completed', updated_at = clock_timestamp(),
    watermark = (select min(p.watermark) from backfill_streams p
                 where p.repository_id = w.repository_id and p.stream = 'history' and p.part > 0)
where w.repository_id = %(repository_id)s and w.stream = 'history' and w.part = 0
  and not exists (select from backfill_streams p
                  where p.repository_id = w.repository_id and p.stream = 'history' and p.status = 'active')
returning w.watermark;

-- name: reopen_catch_up
-- A finished backfill reads again what was updated since its last catch-up began.
update backfill_streams
set status = 'active', cursor = null, pass = 1, read_down_to = watermark - %(margin)s, watermark = null, items_done = 0,
    stuck = false, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and stream = 'catch_up' and status = 'completed' and watermark is not null;

-- name: close_catch_up
-- A walk that begins again or goes on makes the catch-up of the last one void; it is opened anew when the walk ends.  Its open
-- chunk would be taken over by the next catch-up, with a cursor from the middle of this one.
with closed as (
    update backfill_streams
    set status = 'paused', cursor = null, pass = 1, updated_at = clock_timestamp()
    where repository_id = %(repository_id)s and stream = 'catch_up' and status = 'active'
    returning id
)
update backfill_chunks c
set status = 'skipped', lease_until = null, retry_at = null, error = 'the walk goes on: the catch-up begins anew after it'
from closed
where closed.id = c.stream_id and c.status in ('pending', 'processing');

-- name: choose_stream
-- Lock the stream to work on and its backfill.  A statement of its own: the next one must see a fresh snapshot.
-- Of several parts: none at which another job is that lives (between two chunks nobody else's claim tells); the one that
-- was asked for, else the one this worker was at, else the one that waits longest.
select s.id, s.backfill_state_id as state_id, s.repository_id, s.stream as kind, s.goal_max_items, s.cursor,
       s.pass as pass_number, s.read_down_to, s.watermark, s.page_size, s.page_worked,
       s.page_too_big, s.pages_clean, s.items_done, s.part, s.lowest_number, s.highest_number
from backfill_streams s
join progressive_backfill_state b on b.id = s.backfill_state_id
left join lateral (
    select claimed_by, claimed_by is not distinct from %(worker)s as own, coalesce(completed_at, started_at) as at,
           status = 'processing' and lease_until > clock_timestamp() and claimed_by is distinct from %(worker)s
           or status = 'pending' and retry_at > clock_timestamp() as held
    from backfill_chunks
    where stream_id = s.id
    order by chunk_number desc
    limit 1
) c on true
where s.repository_id = %(repository_id)s and s.status = 'active' and b.status = 'active'
  and (s.part = 0 or c.own or not exists (
      select from progressive_capture_jobs j
      where j.repository_id = s.repository_id and j.outcome is null and j.metadata ->> 'worker' = c.claimed_by
        and coalesce(j.heartbeat_at, j.started_at) > clock_timestamp() - %(alive)s))
order by s.stream = 'catch_up', coalesce(c.held, false), s.part is distinct from %(part)s, not coalesce(c.own, false),
         c.at nulls first, s.part
limit 1
for no key update of s, b;

-- name: claim_chunk
-- Open the next chunk from the stored cursor, or take over the open one that nobody holds any more; also one of our own,
-- for the answer to the COMMIT of a claim may have been lost.
insert into backfill_chunks as c (repository_id, backfill_state_id, stream_id, chunk_number, status, processor_type,
                                  attempt, started_at, lease_until, claimed_by, after_cursor, page_size)
select s.repository_id, s.backfill_state_id, s.id,
       coalesce((select max(chunk_number) from backfill_chunks where backfill_state_id = s.backfill_state_id), 0) + 1,
       'processing', %(processor)s, 1, clock_timestamp(), clock_timestamp() + %(lease)s, %(worker)s, s.cursor,
       %(page_size)s
from backfill_streams s
where s.id = %(stream_id)s and s.status = 'active'
on conflict (stream_id) where status in ('pending', 'processing') do update
set status = 'processing', attempt = c.attempt + 1, started_at = clock_timestamp(), lease_until = excluded.lease_until,
    claimed_by = excluded.claimed_by, page_size = excluded.page_size
where (c.status = 'pending' and coalesce(c.retry_at, '-infinity') <= clock_timestamp())
   or (c.status = 'processing' and (coalesce(c.lease_until, '-infinity') < clock_timestamp()
                                    or c.claimed_by = excluded.claimed_by))
returning c.id, c.chunk_number, c.attempt, c.retry_count, c.after_cursor, c.page_size;

-- name: why_nothing
-- Why a claim found nothing: the state, and when the open chunk may be claimed again.  Another worker's part is left to it.
select b.status, b.pause_reason, b.resume_at, b.gaps, b.held, b.held_reason, b.held_by, b.last_error,
       (select count(*) from pull_requests p where p.repository_id = b.repository_id and p.capture_gap is not null
            and not exists (select from backfill_quarantine q where q.repository_id = b.repository_id
                            and q.resolved_at is null and q.number = p.number))::integer as short,
       (select count(*) from backfill_quarantine q where q.repository_id = b.repository_id and q.resolved_at is null)::integer
           as quarantined,
       exists (select from backfill_streams s where s.backfill_state_id = b.id and s.status = 'active') as streaming,
       case when s.part > 0 and c.claimed_by is distinct from %(worker)s then 'processing' else c.status end
           as chunk_status, c.retry_at, c.lease_until,
       coalesce(c.claimed_by, (select last.claimed_by from backfill_chunks last where last.stream_id = s.id
                               order by last.chunk_number desc limit 1)) as claimed_by
from progressive_backfill_state b
left join backfill_streams s on s.backfill_state_id = b.id and s.status = 'active'
left join backfill_chunks c on c.stream_id = s.id and c.status in ('pending', 'processing')
where b.repository_id = %(repository_id)s
order by s.stream = 'catch_up', s.part > 0 and c.claimed_by is distinct from %(worker)s, s.part
limit 1;

-- name: hold_chunk
-- Lock stream and state, then prove that the chunk is still ours.  No row: the claim was lost, roll everything back.
-- A walk goes in a circle if it has read the page at `goes_on` since it began, which is at no cursor.
with locked as materialized (
    select s.id
    from backfill_streams s
    join progressive_backfill_state b on b.id = s.backfill_state_id
    where s.id = %(stream_id)s
    for no key update of s, b
)
select c.id, exists (
    select from backfill_chunks o
    where o.stream_id = c.stream_id and o.status = 'completed' and o.after_cursor = %(goes_on)s
      and o.chunk_number > (select max(b.chunk_number) from backfill_chunks b
                            where b.stream_id = c.stream_id and b.after_cursor is null)
) as circling
from backfill_chunks c
join locked on locked.id = c.stream_id
where c.id = %(chunk_id)s and c.status = 'processing' and c.attempt = %(attempt)s
for no key update of c;

-- name: complete_chunk
update backfill_chunks
set status = 'completed', completed_at = clock_timestamp(), lease_until = null, retry_at = null, error = null,
    pr_numbers = %(pr_numbers)s::integer[], end_cursor = %(end_cursor)s, points = %(points)s,
    api_calls_made = %(requests)s, rate_limit_remaining = %(remaining)s, rows_inserted = %(inserted)s,
    rows_updated = %(updated)s, rows_unchanged = %(unchanged)s, rows_quarantined = %(quarantined)s
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s
returning id;

-- name: committed
select id from backfill_chunks where id = %(chunk_id)s and status = 'completed' and attempt = %(attempt)s;

-- name: advance_stream
-- Move the cursor.  `status` completed ends the stream; a new pass starts again at the top.
update backfill_streams
set cursor = %(cursor)s, status = %(status)s, pass = %(pass_number)s, read_down_to = %(read_down_to)s,
    watermark = %(watermark)s, page_size = %(page_size)s, page_worked = %(page_worked)s,
    page_too_big = %(page_too_big)s, pages_clean = %(pages_clean)s, items_done = items_done + %(items)s, stuck = %(stuck)s,
    points = points + %(points)s, requests = requests + %(requests)s, updated_at = clock_timestamp()
where id = %(stream_id)s;

-- name: open_catch_up
-- The walk is over: read what was updated since it began.  One that is open already, because only the end of the walk was
-- looked at again, reads no more than it would.
insert into backfill_streams as s (repository_id, backfill_state_id, stream, ordering, read_down_to)
values (%(repository_id)s, %(state_id)s, 'catch_up', 'UPDATED_AT', %(read_down_to)s)
on conflict (repository_id, stream, part) do update
set status = 'active', cursor = null, pass = 1, read_down_to = excluded.read_down_to, watermark = null, items_done = 0,
    backfill_state_id = excluded.backfill_state_id, stuck = false, updated_at = clock_timestamp()
where s.status <> 'active';

-- name: advance_state
update progressive_backfill_state
set processed_prs = processed_prs + %(new_items)s, total_prs = %(total)s, last_processed_cursor = %(cursor)s,
    last_processed_pr_number = coalesce(%(last_number)s, last_processed_pr_number),
    last_processed_at = clock_timestamp(), chunk_size = %(page_size)s, consecutive_errors = 0,
    points = points + %(points)s, requests = requests + %(requests)s, updated_at = clock_timestamp()
where id = %(state_id)s;

-- name: lock_to_write_rows
-- The lock of whoever writes a repository's rows without a chunk.
select id from progressive_backfill_state where repository_id = %(repository_id)s for no key update;

-- name: count_new
update progressive_backfill_state
set processed_prs = processed_prs + %(new_items)s, updated_at = clock_timestamp()
where repository_id = %(repository_id)s;

-- name: give_back_chunk
-- Give the chunk back, to be claimed again at `retry_at`.
update backfill_chunks
set status = 'pending', retry_at = %(retry_at)s, lease_until = null, error = %(error)s, retry_count = retry_count + 1
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;

-- name: release_chunk
-- Give the chunk back unharmed: the worker stops before it was done.
update backfill_chunks
set status = 'pending', retry_at = null, lease_until = null
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;

-- name: fail_chunk
update backfill_chunks
set status = 'failed', completed_at = clock_timestamp(), lease_until = null, error = %(error)s,
    retry_count = retry_count + 1
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;

-- name: count_error
-- Count an error where it happened; one statement, so that no two workers lose each other's.
update progressive_backfill_state
set error_count = error_count + 1, consecutive_errors = consecutive_errors + 1, last_error = %(error)s,
    last_error_at = clock_timestamp(), updated_at = clock_timestamp()
where id = %(state_id)s
returning consecutive_errors;

-- name: renew_claim
update backfill_chunks set lease_until = clock_timestamp() + %(lease)s
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;

-- name: pause_state
update progressive_backfill_state
set status = 'paused', held = false, pause_reason = %(reason)s, resume_at = %(resume_at)s,
    metadata = coalesce(metadata, '{}') || jsonb_build_object('pause_reason', %(reason)s::text, 'paused_at', clock_timestamp()),
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and status = 'active';

-- name: resume_in_time
-- What a person paused stays so until its time has come.
update progressive_backfill_state
set status = 'active', held = false, pause_reason = null, resume_at = null, consecutive_errors = 0,
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and status = 'paused'
  and not (held and coalesce(resume_at, 'infinity') > clock_timestamp());

-- name: fail_state
-- What failed only because GitHub did not show it goes on by itself once GitHub does again.
update progressive_backfill_state
set status = 'failed', last_error = %(error)s, last_error_at = clock_timestamp(), updated_at = clock_timestamp(),
    metadata = case when %(gone)s then coalesce(metadata, '{}') || '{"failed_because": "gone"}'
                    else coalesce(metadata, '{}') - 'failed_because' end
where repository_id = %(repository_id)s and status in ('active', 'paused');

-- name: mark_planned
update progressive_backfill_state set planned_at = %(now)s where repository_id = any(%(ids)s::uuid[]);
