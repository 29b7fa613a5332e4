-- The end of a backfill.  The caller holds its lock.

-- name: ended
-- No row of a backfill: something of it is still open.  Part 0 stands for a walk that is split.
select b.repository_id, b.kind, b.gaps_seen, b.total, h.goal_max_items, h.goal_since, h.goal_until, h.goal_states, h.goal_wanted,
       h.watermark, h.stuck, walk.listed
from backfills b
join backfill_streams h on h.backfill_id = b.id and h.stream = 'history' and h.part = 0
cross join lateral (
    select coalesce(sum(s.items_done), 0)::integer as listed
    from backfill_streams s
    where s.backfill_id = b.id and s.stream = 'history'
) walk
where b.repository_id = any(%(ids)s::uuid[]) and (%(kind)s::text is null or b.kind = %(kind)s) and b.status = 'active'
  and not exists (select from backfill_streams s where s.backfill_id = b.id and s.status = 'active');

-- name: walk_on
-- The walk asks again for what follows its end.  One that is split asked for every number by itself.
update backfill_streams s
set status = 'active', stuck = false, updated_at = clock_timestamp()
where s.repository_id = %(repository_id)s and s.kind = %(kind)s and s.stream = 'history' and s.part = 0
  and s.status = 'completed'
  and not exists (select from backfill_streams p
                  where p.backfill_id = s.backfill_id and p.stream = 'history' and p.part > 0);

-- name: catch_up_again
update backfill_streams
set status = 'active', cursor = null, pass = 1, read_down_to = watermark - %(margin)s, watermark = null, items_done = 0,
    stuck = false, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'catch_up' and status = 'completed'
  and watermark is not null;

-- name: seen
update backfills
set gaps_seen = %(missing)s, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s;

-- name: goal_captured
-- How many items are here of what a walk is about, where that leaves out others than the oldest.
update backfill_streams
set goal_captured = %(captured)s
where repository_id = %(repository_id)s and kind = %(kind)s and stream = 'history' and part = 0;

-- name: complete_backfill
update backfills
set status = 'completed', completed_at = clock_timestamp(), pause_reason = null, resume_at = null, gaps = %(gaps)s,
    gaps_seen = null, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and kind = %(kind)s and status = 'active';
