-- Claim, fence, commit.  Lock order everywhere: the row that others read and may change
-- (pull requests have one), backfill, stream, chunk, data.

-- name: choose_stream
-- Lock the stream to work on and its backfill, and note which it is for `claim_chunk`, the next statement of the same
-- transaction: that one must see a fresh snapshot.
-- Of several parts: none at which another job is that lives (between two chunks nobody else's claim tells); the one that
-- was asked for, else the one this worker was at, else the one that waits longest.
with state as materialized (
    select id from progressive_backfill_state
    where repository_id = %(repository_id)s and %(kind)s = 'pull_requests'
    for no key update
), backfill as materialized (
    select b.id, b.status
    from backfills b
    left join state on true
    where b.repository_id = %(repository_id)s and b.kind = %(kind)s
    for no key update of b
), chosen as materialized (
    select s.id
    from backfill
    join backfill_streams s on s.backfill_id = backfill.id
    left join lateral (
        select claimed_by, claimed_by is not distinct from %(worker)s as own, coalesce(completed_at, started_at) as at,
               status = 'processing' and lease_until > clock_timestamp() and claimed_by is distinct from %(worker)s
               or status = 'pending' and retry_at > clock_timestamp() as held
        from backfill_chunks
        where stream_id = s.id
        order by chunk_number desc
        limit 1
    ) c on true
    where s.status = 'active' and backfill.status = 'active'
      and (s.part = 0 or c.own or not exists (
          select from progressive_capture_jobs j
          where j.repository_id = s.repository_id and j.outcome is null and j.worker = c.claimed_by
            and coalesce(j.heartbeat_at, j.started_at) > clock_timestamp() - %(alive)s))
    order by s.stream = 'catch_up', coalesce(c.held, false), s.part is distinct from %(part)s, not coalesce(c.own, false),
             c.at nulls first, s.part
    limit 1
    for no key update of s
)
select set_config('gh_backfill.stream', coalesce((select id::text from chosen), ''), true);

-- name: claim_chunk
-- Open the next chunk of the chosen stream from the stored cursor, or take over the open one that nobody holds any more;
-- also one of our own, for the answer to the COMMIT of a claim may have been lost.  Chunks of an older application know the
-- row of others only.  No row back: there is no stream to work on; without a chunk: somebody else holds it.  A catch-up reads
-- what its walk is about, whatever the number of that; a sync, which belongs to no backfill, is numbered by itself and keeps
-- the goal that it was opened with.
with claimed as (
    insert into backfill_chunks as c (repository_id, backfill_id, backfill_state_id, stream_id, chunk_number, status,
                                      processor_type, attempt, started_at, lease_until, claimed_by, after_cursor)
    select s.repository_id, s.backfill_id, s.backfill_state_id, s.id,
           coalesce(greatest((select max(chunk_number) from backfill_chunks where backfill_id = s.backfill_id),
                             (select max(chunk_number) from backfill_chunks
                              where backfill_state_id = s.backfill_state_id),
                             (select max(chunk_number) from backfill_chunks
                              where stream_id = s.id and s.backfill_id is null)), 0) + 1,
           'processing', %(processor)s, 1, clock_timestamp(), clock_timestamp() + %(lease)s, %(worker)s, s.cursor
    from backfill_streams s
    where s.id = nullif(current_setting('gh_backfill.stream', true), '')::uuid and s.status = 'active'
    on conflict (stream_id) where status in ('pending', 'processing') do update
    set status = 'processing', attempt = c.attempt + 1, started_at = clock_timestamp(),
        lease_until = excluded.lease_until, claimed_by = excluded.claimed_by
    where (c.status = 'pending' and coalesce(c.retry_at, '-infinity') <= clock_timestamp())
       or (c.status = 'processing' and (coalesce(c.lease_until, '-infinity') < clock_timestamp()
                                        or c.claimed_by = excluded.claimed_by))
    returning c.id, c.chunk_number, c.attempt, c.retry_count, c.after_cursor
)
select s.id, s.backfill_id, s.repository_id, s.kind, s.stream as phase, s.goal_max_items, aim.goal_since, aim.goal_until,
       aim.goal_states, s.cursor,
       s.pass as pass_number, s.read_down_to, s.watermark, s.page_size, s.page_worked,
       s.page_too_big, s.pages_clean, s.items_done, s.part, s.lowest_number, s.highest_number,
       c.id as chunk_id, c.chunk_number, c.attempt, c.retry_count, c.after_cursor
from backfill_streams s
cross join lateral (
    select walk.goal_since, walk.goal_until, walk.goal_states
    from backfill_streams walk
    where walk.backfill_id = s.backfill_id and walk.stream = 'history' and walk.part = 0
    union all
    select s.goal_since, s.goal_until, s.goal_states where s.backfill_id is null
) aim
left join claimed c on true
where s.id = nullif(current_setting('gh_backfill.stream', true), '')::uuid;

-- name: why_nothing
-- Why a claim found nothing: the state, and when the open chunk may be claimed again.  Another worker's part is left to it.
select b.status, b.pause_reason, b.resume_at, b.gaps, b.held, b.held_reason, b.held_by, b.last_error,
       (select count(*)
        from (select p.number from pull_requests p
              where b.kind = 'pull_requests' and p.repository_id = b.repository_id and p.capture_gap is not null
              union all
              select i.number from issues i
              where b.kind = 'issues' and i.repository_id = b.repository_id and i.capture_gap is not null
              union all
              select d.number from discussions d
              where b.kind = 'discussions' and d.repository_id = b.repository_id and d.capture_gap is not null) item
        where not exists (select from backfill_quarantine q where q.repository_id = b.repository_id
                          and q.resolved_at is null and q.number = item.number))::integer as short,
       (select count(*) from backfill_quarantine q
        where q.repository_id = b.repository_id and q.resolved_at is null
          and q.item_kind = b.kind)::integer as quarantined,
       exists (select from backfill_streams s where s.backfill_id = b.id and s.status = 'active') as streaming,
       case when s.part > 0 and c.claimed_by is distinct from %(worker)s then 'processing' else c.status end
           as chunk_status, c.retry_at, c.lease_until,
       coalesce(c.claimed_by, (select last.claimed_by from backfill_chunks last where last.stream_id = s.id
                               order by last.chunk_number desc limit 1)) as claimed_by
from backfills b
left join backfill_streams s on s.backfill_id = b.id and s.status = 'active'
left join backfill_chunks c on c.stream_id = s.id and c.status in ('pending', 'processing')
where b.repository_id = %(repository_id)s and b.kind = %(kind)s
order by s.stream = 'catch_up', s.part > 0 and c.claimed_by is distinct from %(worker)s, s.part
limit 1;

-- name: hold_chunk
-- Lock backfill and stream, then prove that the chunk is still ours.  No row: the claim was lost, roll everything back.
-- A walk goes in a circle if it has read the page at `goes_on` since it began, which is at no cursor.
with state as materialized (
    select p.id
    from backfill_streams s
    join progressive_backfill_state p on p.id = s.backfill_state_id
    where s.id = %(stream_id)s
    for no key update of p
), backfill as materialized (
    select b.id
    from backfill_streams s
    join backfills b on b.id = s.backfill_id
    left join state on true
    where s.id = %(stream_id)s
    for no key update of b
), locked as materialized (
    select s.id
    from backfill
    join backfill_streams s on s.backfill_id = backfill.id
    where s.id = %(stream_id)s
    for no key update of s
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
    pr_numbers = %(pr_numbers)s::integer[], page_size = %(asked)s, end_cursor = %(end_cursor)s, points = %(points)s,
    api_calls_made = %(requests)s, rate_limit_remaining = %(remaining)s, rows_inserted = %(inserted)s,
    rows_updated = %(updated)s, rows_unchanged = %(unchanged)s, rows_quarantined = %(quarantined)s
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;

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

-- name: count_wanted
-- How many GitHub counts of the goal of a walk; a catch-up knows it only where its walk did.
update backfill_streams
set goal_wanted = %(wanted)s
where backfill_id = %(backfill_id)s and stream = 'history' and part = 0 and (%(of_walk)s or goal_wanted is not null)
  and goal_wanted is distinct from %(wanted)s;

-- name: voided
-- Whether a chunk that was lost is nobody's, because its walk has another goal or goes on.
select id from backfill_chunks where id = %(chunk_id)s and status = 'skipped' and attempt = %(attempt)s;

-- name: finish_walk
-- The last part ends the walk, which began when the earliest of them did.  No row: others are still at it.
update backfill_streams w
set status = 'completed', updated_at = clock_timestamp(),
    watermark = (select min(p.watermark) from backfill_streams p
                 where p.backfill_id = w.backfill_id and p.stream = 'history' and p.part > 0)
where w.backfill_id = %(backfill_id)s and w.stream = 'history' and w.part = 0
  and not exists (select from backfill_streams p
                  where p.backfill_id = w.backfill_id and p.stream = 'history' and p.status = 'active')
returning w.watermark;

-- name: open_catch_up
-- The walk is over: read what was updated since it began.  One that is open already, because only the end of the walk was
-- looked at again, reads no more than it would.
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, ordering,
                                   read_down_to)
select b.repository_id, b.kind, b.id, case when b.kind = 'pull_requests' then b.id end, 'catch_up', 'UPDATED_AT',
       %(read_down_to)s
from backfills b
where b.id = %(backfill_id)s
on conflict (repository_id, kind, stream, part) do update
set status = 'active', cursor = null, pass = 1, read_down_to = excluded.read_down_to, watermark = null, items_done = 0,
    backfill_id = excluded.backfill_id, backfill_state_id = excluded.backfill_state_id, stuck = false, updated_at = clock_timestamp()
where s.status <> 'active';

-- name: advance_backfill
update backfills
set captured = captured + %(new_items)s, total = %(total)s, last_processed_cursor = %(cursor)s,
    last_processed_number = coalesce(%(last_number)s, last_processed_number),
    last_processed_at = clock_timestamp(), page_size = %(page_size)s, consecutive_errors = 0,
    points = points + %(points)s, requests = requests + %(requests)s, updated_at = clock_timestamp()
where id = %(backfill_id)s;

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
update backfills
set error_count = error_count + 1, consecutive_errors = consecutive_errors + 1, last_error = %(error)s,
    last_error_at = clock_timestamp(), updated_at = clock_timestamp()
where id = %(backfill_id)s
returning consecutive_errors;

-- name: renew_claim
update backfill_chunks set lease_until = clock_timestamp() + %(lease)s
where id = %(chunk_id)s and status = 'processing' and attempt = %(attempt)s;
