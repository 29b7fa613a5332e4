-- Open a backfill, let it stand or go on.  Lock order everywhere: the row that others read and may change
-- (pull requests have one), backfill, stream, chunk, data.

-- name: open_row
-- Open the one backfill of a repository and a kind, whatever it was before; the count of captured rows starts from the truth:
-- the `given` one.  What a person paused stays so until its time has come.  That of pull requests has the id of the row that
-- others read, also where that one was there first.
insert into backfills as b (id, repository_id, kind, total, captured)
select coalesce((select id from progressive_backfill_state
                 where repository_id = %(repository_id)s and %(kind)s = 'pull_requests'), gen_random_uuid()),
       %(repository_id)s, %(kind)s, %(total)s, given.rows
from given
on conflict (repository_id, kind) do update
set total = excluded.total, captured = excluded.captured, consecutive_errors = 0,
    (status, held, pause_reason, resume_at) = (
        select case when stays then b.status else 'active' end, stays, case when stays then b.pause_reason end,
               case when stays then b.resume_at end
        from (select b.status = 'paused' and b.held and coalesce(b.resume_at, 'infinity') > clock_timestamp() as stays) pause),
    completed_at = null, gaps_seen = null, updated_at = clock_timestamp();

-- name: restart_history
-- A finished walk whose goal is not raised begins again at the top; part 0 stands for it, whoever read the parts.
update backfill_streams s
set cursor = null, items_done = 0, watermark = null, stuck = false, updated_at = clock_timestamp(),
    status = case when s.part = 0 then 'active' else s.status end
from backfill_streams walk
where walk.repository_id = %(repository_id)s and walk.kind = %(kind)s and walk.stream = 'history' and walk.part = 0
  and walk.status = 'completed'
  and coalesce(walk.goal_max_items, 2147483647) >= coalesce(%(max_items)s, 2147483647)
  and s.backfill_id = walk.backfill_id and s.stream = 'history';

-- name: open_history
-- Open the walk; one that exists goes on from its cursor, with the larger of both goals (null: everything).  One that is
-- split stands still itself until its parts are done.
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, ordering,
                                   goal_max_items)
select b.repository_id, b.kind, b.id, case when b.kind = 'pull_requests' then b.id end, 'history', 'CREATED_AT', %(max_items)s
from backfills b
where b.repository_id = %(repository_id)s and b.kind = %(kind)s
on conflict (repository_id, kind, stream, part) do update
set goal_max_items = case when s.goal_max_items is null or excluded.goal_max_items is null then null
                          else greatest(s.goal_max_items, excluded.goal_max_items) end,
    backfill_id = excluded.backfill_id, backfill_state_id = excluded.backfill_state_id, updated_at = clock_timestamp(),
    status = case when exists (select from backfill_streams p
                               where p.backfill_id = s.backfill_id and p.stream = 'history' and p.part > 0
                                 and p.status = 'active') then s.status else 'active' end;

-- name: split_walk
-- A walk that has not begun goes on in parts.  No row: it has, or is not to go to the end.
update backfill_streams s
set status = 'paused', updated_at = clock_timestamp()
where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'history' and s.part = 0
  and s.status = 'active' and s.cursor is null and s.goal_max_items is null
  and not exists (select from backfill_chunks c where c.stream_id = s.id and c.status = 'processing')
returning s.backfill_id;

-- name: open_parts
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, part, ordering,
                                   lowest_number, highest_number, watermark)
select b.repository_id, b.kind, b.id, case when b.kind = 'pull_requests' then b.id end, 'history', p.part, 'CREATED_AT',
       p.lowest, p.highest, %(watermark)s
from backfills b
cross join jsonb_to_recordset(%(parts)s) as p (part integer, lowest integer, highest integer)
where b.id = %(backfill_id)s
on conflict (repository_id, kind, stream, part) do update
set status = 'active', cursor = null, items_done = 0, lowest_number = excluded.lowest_number,
    highest_number = excluded.highest_number, watermark = excluded.watermark, backfill_id = excluded.backfill_id,
    backfill_state_id = excluded.backfill_state_id, updated_at = clock_timestamp();

-- name: last_part
select coalesce(max(part), 0) as part
from backfill_streams
where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'history';

-- name: reopen_catch_up
-- A finished backfill reads again what was updated since its last catch-up began.
update backfill_streams
set status = 'active', cursor = null, pass = 1, read_down_to = watermark - %(margin)s, watermark = null, items_done = 0,
    stuck = false, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'catch_up' and status = 'completed'
  and watermark is not null;

-- name: close_catch_up
-- A walk that begins again or goes on makes the catch-up of the last one void; it is opened anew when the walk ends.  Its open
-- chunk would be taken over by the next catch-up, with a cursor from the middle of this one.
with closed as (
    update backfill_streams
    set status = 'paused', cursor = null, pass = 1, updated_at = clock_timestamp()
    where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'catch_up' and status = 'active'
    returning id
)
update backfill_chunks c
set status = 'skipped', lease_until = null, retry_at = null, error = 'the walk goes on: the catch-up begins anew after it'
from closed
where closed.id = c.stream_id and c.status in ('pending', 'processing');

-- name: count_new
update backfills
set captured = captured + %(new_items)s, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s;

-- name: pause_backfill
update backfills
set status = 'paused', held = false, pause_reason = %(reason)s, resume_at = %(resume_at)s,
    metadata = metadata || jsonb_build_object('pause_reason', %(reason)s::text, 'paused_at', clock_timestamp()),
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status = 'active';

-- name: resume_in_time
-- What a person paused stays so until its time has come.
update backfills
set status = 'active', held = false, pause_reason = null, resume_at = null, consecutive_errors = 0,
    updated_at = clock_timestamp()
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status = 'paused'
  and not (held and coalesce(resume_at, 'infinity') > clock_timestamp());

-- name: fail_backfill
-- What failed only because GitHub did not show it goes on by itself once GitHub does again.
update backfills
set status = 'failed', last_error = %(error)s, last_error_at = clock_timestamp(), updated_at = clock_timestamp(),
    metadata = case when %(gone)s then metadata || '{"failed_because": "gone"}'
                    else metadata - 'failed_because' end
where repository_id = %(repository_id)s and (%(kind)s::text is null or kind = %(kind)s) and status in ('active', 'paused');

-- name: mark_planned
with states as materialized (
    select id from progressive_backfill_state
    where repository_id = any(%(ids)s::uuid[]) and %(kind)s = 'pull_requests'
    order by id
    for no key update
)
update backfills b
set planned_at = %(now)s
from (select count(*) from states) locked
where b.repository_id = any(%(ids)s::uuid[]) and b.kind = %(kind)s;
