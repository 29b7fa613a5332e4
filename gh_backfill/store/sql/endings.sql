-- The end of a backfill.  The caller holds the locks of stream and state.

-- name: missing
-- No row of a repository: something is still open.  What is missing is what GitHub counts of the goal and neither the table nor the walk
-- has: rows that were deleted here were listed, and what was deleted on GitHub since is no less complete for it.  What is
-- in quarantine is listed, and what was created after the walk began is not the walk's.  What a walk listed that is stuck
-- proves nothing: it did not end.
select b.repository_id, b.gaps_seen,
       case when h.goal_max_items <= walk.listed then 0
            else least(h.goal_max_items, b.total_prs)
                 - case when h.stuck then here.stored else greatest(here.stored, walk.listed + here.later) end end as missing
from progressive_backfill_state b
join backfill_streams h on h.backfill_state_id = b.id and h.stream = 'history' and h.part = 0
cross join lateral (
    select coalesce(sum(s.items_done), 0)::integer as listed
    from backfill_streams s
    where s.backfill_state_id = b.id and s.stream = 'history'
) walk
cross join lateral (
    select (count(*) + (select count(*) from backfill_quarantine q
                        where q.repository_id = b.repository_id and q.kind = 'pull_request' and q.resolved_at is null
                          and not exists (select from pull_requests o
                                          where o.repository_id = q.repository_id and o.number = q.number)))::integer as stored,
           (count(*) filter (where p.created_at >= h.watermark))::integer as later
    from pull_requests p
    where p.repository_id = b.repository_id
) here
where b.repository_id = any(%(ids)s::uuid[]) and b.status = 'active'
  and not exists (select from backfill_streams s where s.backfill_state_id = b.id and s.status = 'active');

-- name: walk_on
-- The walk asks again for what follows its end.  One that is split asked for every number by itself.
update backfill_streams s
set status = 'active', stuck = false, updated_at = clock_timestamp()
where s.repository_id = %(repository_id)s and s.stream = 'history' and s.part = 0 and s.status = 'completed'
  and not exists (select from backfill_streams p
                  where p.repository_id = s.repository_id and p.stream = 'history' and p.part > 0);

-- name: catch_up_again
update backfill_streams
set status = 'active', cursor = null, pass = 1, read_down_to = watermark - %(margin)s, watermark = null, items_done = 0,
    stuck = false, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and stream = 'catch_up' and status = 'completed' and watermark is not null;

-- name: seen
update progressive_backfill_state
set gaps_seen = %(missing)s, updated_at = clock_timestamp()
where repository_id = %(repository_id)s;

-- name: complete_state
update progressive_backfill_state
set status = 'completed', completed_at = clock_timestamp(), pause_reason = null, resume_at = null, gaps = %(gaps)s,
    gaps_seen = null, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and status = 'active';
