-- Syncs: a stream for each repository and kind that belongs to no backfill.  Lock order everywhere: the row that others read and
-- may change (pull requests have one), backfill, stream, chunk, data.

-- name: known
-- What is asked of a repository before it is synced: whether somebody stopped it, and how far its pull requests are.
select r.id, r.full_name, r.is_private is not false as is_private, t.id is not null as tracked,
       coalesce(b.held, false) as held, b.held_reason, b.held_by, b.status, b.resume_at, b.total,
       b.captured + b.gaps as there, r.github_pull_requests, y.last_success_at, y.failures, y.interval_minutes,
       t.priority::text as priority, t.sync_frequency_hours
from repositories r
left join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
left join repository_syncs y on y.repository_id = r.id
where r.id = %(id)s::uuid;

-- name: sync_times
select last_success_at, next_due_at, last_error,
       (select count(*)::integer from progressive_capture_jobs j
        where j.repository_id = %(id)s::uuid and j.job_type = 'sync' and j.status = 'pending' and j.outcome is null) as waiting
from repository_syncs
where repository_id = %(id)s::uuid;

-- name: open_sync
-- Begin a sync, or let one go on that was interrupted.  It reads down to the last checkpoint less a margin: the start of its
-- last success, without one that of the last catch-up that was finished, and without that a day that was given; or that day,
-- where somebody asked for it and it is earlier.  A goal of some of the newest is a span of time here: from the oldest of so
-- many that are stored.  Its first page is small where the last one is not long ago, for that finds little.
with walk as (
    select goal_max_items, goal_since, goal_until, goal_states
    from backfill_streams
    where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'history' and part = 0
), before as (
    select max(case status when 'completed' then watermark else checkpoint end) filter (where stream = 'sync') as sync,
           max(watermark) filter (where stream = 'catch_up' and status = 'completed') as catch_up
    from backfill_streams
    where repository_id = %(repository_id)s and kind = %(kind)s and stream in ('sync', 'catch_up')
), newest as (
    select p.created_at
    from walk
    cross join lateral (
        select created_at from pull_requests
        where repository_id = %(repository_id)s and %(kind)s = 'pull_requests'
        order by created_at desc
        offset greatest(0, walk.goal_max_items - 1) limit 1
    ) p
    where walk.goal_max_items is not null
), opened as (
    select coalesce(before.sync, before.catch_up) as checkpoint,
           least(coalesce(before.sync, before.catch_up, %(since)s::timestamptz) - %(margin)s,
                 case when %(asked)s then %(since)s::timestamptz end) as read_down_to,
           greatest(walk.goal_since, newest.created_at) as goal_since, walk.goal_until, walk.goal_states
    from before
    left join walk on true
    left join newest on true
)
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, ordering, read_down_to,
                                   checkpoint, goal_since, goal_until, goal_states, page_size)
select %(repository_id)s, %(kind)s, null, null, 'sync', 'UPDATED_AT', read_down_to, checkpoint, goal_since, goal_until,
       goal_states, case when read_down_to > clock_timestamp() - %(soon)s::interval then %(first)s::integer else %(later)s::integer end
from opened
on conflict (repository_id, kind, stream, part) do update
set status = 'active', cursor = null, pass = 1, read_down_to = excluded.read_down_to, checkpoint = excluded.checkpoint,
    watermark = null, items_done = 0, stuck = false, goal_since = excluded.goal_since, goal_until = excluded.goal_until,
    goal_states = excluded.goal_states, page_size = least(excluded.page_size, s.page_too_big - 1), updated_at = clock_timestamp()
where s.status <> 'active' or %(asked)s and s.pass = 1 and s.read_down_to > %(since)s::timestamptz;

-- name: surplus_of_pull_requests
-- Parts of pull requests that were read since the sync began, and have more of that sort here than GitHub counts.
with read as materialized (
    select p.id, p.number, p.github_reviews, p.github_comments, p.github_review_comments
    from pull_requests p
    where p.repository_id = %(repository_id)s and p.gone_at is null and p.capture_gap is null
      and p.counts_fetched_at >= (select last_started_at from repository_syncs where repository_id = %(repository_id)s)
)
select 'reviews' as kind, v.github_id, v.node_id, r.number
from read r
join reviews v on v.pull_request_id = r.id and v.gone_at is null
where r.github_reviews < (select count(*) from reviews o where o.pull_request_id = r.id and o.gone_at is null)
union all
select c.comment_type, c.github_id, c.node_id, r.number
from read r
join comments c on c.pull_request_id = r.id and c.gone_at is null
where case c.comment_type when 'issue_comment' then r.github_comments else r.github_review_comments end
      < (select count(*) from comments o
         where o.pull_request_id = r.id and o.comment_type = c.comment_type and o.gone_at is null)
limit %(most)s;

-- name: surplus_of_issues
select c.comment_type as kind, c.github_id, c.node_id, s.number
from issues s
join comments c on c.issue_id = s.id and c.gone_at is null
where s.repository_id = %(repository_id)s and s.gone_at is null and s.capture_gap is null
  and s.counts_fetched_at >= (select last_started_at from repository_syncs where repository_id = %(repository_id)s)
  and s.comments_count < (select count(*) from comments o where o.issue_id = s.id and o.gone_at is null)
limit %(most)s;

-- name: forget_chunks
-- A sync leaves many small chunks behind.
delete from backfill_chunks c
using backfill_streams s
where s.id = c.stream_id and s.repository_id = %(repository_id)s and s.stream = 'sync'
  and c.status in ('completed', 'failed', 'skipped') and c.created_at < clock_timestamp() - %(kept)s::interval;

-- name: choose_sync
-- Lock the open sync, and note it for `claim_chunk`, the next statement of the same transaction.
with chosen as materialized (
    select s.id
    from backfill_streams s
    where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'sync' and s.status = 'active'
    for no key update of s
)
select set_config('gh_backfill.stream', coalesce((select id::text from chosen), ''), true);

-- name: why_no_sync
-- Why a claim found nothing: the stream, and when its open chunk may be claimed again.
select s.status, c.status as chunk_status, c.retry_at, c.lease_until, c.claimed_by
from backfill_streams s
left join backfill_chunks c on c.stream_id = s.id and c.status in ('pending', 'processing')
where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'sync';

-- name: hold_sync_chunk
-- Lock backfill and stream, then prove that the chunk is still ours.  No row: the claim was lost, roll everything back.
with state as materialized (
    select p.id from progressive_backfill_state p
    where p.repository_id = %(repository_id)s and %(kind)s = 'pull_requests'
    for no key update of p
), backfill as materialized (
    select b.id
    from backfills b
    left join state on true
    where b.repository_id = %(repository_id)s and b.kind = %(kind)s
    for no key update of b
), locked as materialized (
    select s.id
    from (select count(*) from backfill) held
    join backfill_streams s on s.id = %(stream_id)s
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

-- name: count_synced
-- What a sync found counts for the backfill, where there is one.
update backfills
set captured = captured + %(new_items)s, total = %(total)s, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s and (%(new_items)s > 0 or total <> %(total)s);

-- name: give_up_sync
-- The next sync begins again where this one did.
update backfill_streams
set status = 'completed', watermark = checkpoint, cursor = null, pass = 1, updated_at = clock_timestamp()
where id = %(stream_id)s and status = 'active';

-- name: began
-- After the streams are open.  What goes on where it was began when it did.
insert into repository_syncs as y (repository_id, last_started_at, reason)
values (%(repository_id)s, clock_timestamp(), %(reason)s)
on conflict (repository_id) do update
set reason = excluded.reason, last_started_at = case
        when exists (select from backfill_streams s
                     where s.repository_id = excluded.repository_id and s.stream = 'sync' and s.status = 'active'
                       and (s.items_done > 0 or s.pass > 1)) then y.last_started_at
        else excluded.last_started_at end;

-- name: hand_over
-- A large repository without a backfill waits for one: whoever routes jobs starts it.  One that waits, or is at work, is enough.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, metadata)
select 'progressive_backfill', %(repository_id)s, 'github_actions', 'pending',
       jsonb_build_object('reason', 'auto_initiated', 'total_prs', %(total)s::integer,
                          'label', (select case when is_private is false then full_name else id::text end
                                    from repositories where id = %(repository_id)s))
where not exists (select from progressive_capture_jobs j
                  where j.repository_id = %(repository_id)s and j.job_type = 'progressive_backfill'
                    and j.status in ('pending', 'processing') and j.outcome is null)
returning id;

-- name: succeeded
-- The start of what is complete by now, by GitHub's clock; of several kinds the earliest counts.
update repository_syncs y
set last_success_at = greatest(last_success_at, (
        select min(s.watermark) from backfill_streams s
        where s.repository_id = y.repository_id and s.stream = 'sync' and s.kind = any(%(kinds)s::text[]))),
    last_ended_at = clock_timestamp(), rows_read = %(rows_read)s, rows_changed = %(rows_changed)s, failures = 0,
    last_error = %(alarm)s, next_due_at = %(next_due_at)s
where repository_id = %(repository_id)s
returning repository_id;

-- name: settle_waiting
-- What asked for a sync of this repository before it began has it now, and is done with it; what was asked for later waits on.
update progressive_capture_jobs j
set status = 'completed', outcome = 'completed', started_at = coalesce(j.started_at, clock_timestamp()), completed_at = clock_timestamp(),
    metadata = coalesce(case when jsonb_typeof(j.metadata) = 'object' then j.metadata end, '{}')
               || jsonb_build_object('done_by', %(run_key)s::text)
where j.repository_id = %(repository_id)s and j.job_type = 'sync' and j.status = 'pending' and j.outcome is null
  and j.created_at <= (select last_started_at from repository_syncs where repository_id = %(repository_id)s)
returning j.id;

-- name: partly_synced
-- Some kinds alone: when the repository is due follows from all of them.
update repository_syncs set last_ended_at = clock_timestamp() where repository_id = %(repository_id)s returning repository_id;

-- name: sync_ended
-- It did not come to its end: that is how often in a row now, unless only the budget kept it, and when it is due again.
update repository_syncs
set last_ended_at = clock_timestamp(), failures = failures + case when %(failed)s then 1 else 0 end,
    last_error = %(error)s, next_due_at = %(next_due_at)s
where repository_id = %(repository_id)s
returning repository_id;

-- name: due_for_sync
-- Everything whose time has come, the longest due first; nobody has to have synced it before.
select r.id, coalesce(y.next_due_at, t.created_at) as due_since
from tracked_repositories t
join repositories r on r.id = t.repository_id
left join repository_syncs y on y.repository_id = r.id
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
where t.tracking_enabled is distinct from false and coalesce(b.held, false) = false
  and coalesce(y.next_due_at, '-infinity') <= %(now)s
order by due_since, r.id;
