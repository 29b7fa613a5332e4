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

-- name: aim_history
-- Give a walk that exists its goal, unless the one that it has contains it (`policy/goals.py` says the same); part 0 stands for
-- the walk, whoever read the parts.  It goes on from its own cursor where the list is the same, for all above that is here.  It
-- begins again at the top where states or the end of the span differ, for what was skipped lies above, and where it is finished
-- and nothing more is asked for.  A page that is under way was asked for with the former goal: its chunk is void.
with walk as materialized (
    select s.id, s.backfill_id, now_is.covered, case when now_is.covered then s.status = 'completed' else not list.same end as again
    from backfill_streams s
    cross join lateral (
        select (s.goal_states, s.goal_until) is not distinct from (%(goal_states)s::text[], %(goal_until)s::timestamptz) as same
    ) list
    cross join lateral (
        select (s.goal_since is null or coalesce(s.goal_since <= %(goal_since)s::timestamptz, false))
           and case when s.goal_max_items is null
                    then (s.goal_states is null or coalesce(s.goal_states @> %(goal_states)s::text[], false))
                         and (s.goal_until is null or coalesce(s.goal_until >= %(goal_until)s::timestamptz, false))
                    else list.same and coalesce(s.goal_max_items >= %(max_items)s::integer, false) end as covered
    ) now_is
    where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'history' and s.part = 0
), aimed as (
    update backfill_streams s
    set cursor = case when walk.again then null else s.cursor end, items_done = case when walk.again then 0 else s.items_done end,
        watermark = case when walk.again then null else s.watermark end, stuck = s.stuck and not walk.again,
        status = case when walk.again and s.part = 0 then 'active' else s.status end,
        goal_max_items = case when walk.covered or s.part > 0 then s.goal_max_items else %(max_items)s end,
        goal_since = case when walk.covered or s.part > 0 then s.goal_since else %(goal_since)s end,
        goal_until = case when walk.covered or s.part > 0 then s.goal_until else %(goal_until)s end,
        goal_states = case when walk.covered or s.part > 0 then s.goal_states else %(goal_states)s::text[] end,
        goal_wanted = null, goal_captured = null, updated_at = clock_timestamp()
    from walk
    where s.backfill_id = walk.backfill_id and s.stream = 'history' and (walk.again or not walk.covered and s.part = 0)
    returning s.id
)
update backfill_chunks c
set status = 'skipped', lease_until = null, retry_at = null, error = 'the walk has another goal: its page is asked for anew'
from aimed, walk
where not walk.covered and c.stream_id = aimed.id and c.status in ('pending', 'processing');

-- name: open_history
-- Open the walk; one that exists goes on from its place to the goal that it has by now.  One that is split stands still itself
-- until its parts are done.
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, ordering,
                                   goal_max_items, goal_since, goal_until, goal_states)
select b.repository_id, b.kind, b.id, case when b.kind = 'pull_requests' then b.id end, 'history', 'CREATED_AT', %(max_items)s,
       %(goal_since)s, %(goal_until)s, %(goal_states)s::text[]
from backfills b
where b.repository_id = %(repository_id)s and b.kind = %(kind)s
on conflict (repository_id, kind, stream, part) do update
set backfill_id = excluded.backfill_id, backfill_state_id = excluded.backfill_state_id, updated_at = clock_timestamp(),
    status = case when exists (select from backfill_streams p
                               where p.backfill_id = s.backfill_id and p.stream = 'history' and p.part > 0
                                 and p.status = 'active') then s.status else 'active' end;

-- name: split_walk
-- A walk that has not begun goes on in parts.  No row: it has, or is not to go to the end.
update backfill_streams s
set status = 'paused', updated_at = clock_timestamp()
where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'history' and s.part = 0
  and s.status = 'active' and s.cursor is null and s.goal_max_items is null
  and s.goal_since is null and s.goal_until is null and s.goal_states is null
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

-- name: aim_of
select goal_max_items, goal_since, goal_until, goal_states
from backfill_streams
where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'history' and part = 0;

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
