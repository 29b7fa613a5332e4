-- What is left of backfills, and what they took so far.

-- name: works
-- What the walk has still to read, where GitHub's count is known.  Measured are the last pages of each part, and the last
-- jobs whose times are known.  Part 0 stands for a walk that is split.  Of a goal that nobody knows the size of nothing is said.
select r.id as repository_id,
       case when h.status = 'completed' then 0
            when g.filtered then greatest(0, g.wanted - coalesce(parts.done, 0))
            else greatest(0, least(h.goal_max_items, r.github_pull_requests) - coalesce(parts.done, 0)) end as left,
       h.status is distinct from 'completed' or exists (
           select from backfill_streams s
           where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream = 'catch_up' and s.status = 'active') as catch_up,
       c.items, c.points, c.requests, j.timed_requests, j.seconds, j.request_seconds
from repositories r
left join backfill_streams h on h.repository_id = r.id and h.kind = 'pull_requests' and h.stream = 'history' and h.part = 0
left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
left join progressive_backfill_state b on b.repository_id = r.id
cross join lateral (
    select sum(s.items_done)::integer as done
    from backfill_streams s
    where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream = 'history'
) parts
cross join lateral (
    select coalesce(sum(last.pr_count), 0)::integer as items, coalesce(sum(last.points), 0)::integer as points,
           coalesce(sum(last.api_calls_made), 0)::integer as requests
    from backfill_streams s
    cross join lateral (
        select pr_count, points, api_calls_made
        from backfill_chunks
        where stream_id = s.id and status = 'completed' and points is not null and pr_count > 0
        order by chunk_number desc
        limit 12
    ) last
    where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream = 'history'
) c
cross join lateral (
    select coalesce(sum(requests), 0)::integer as timed_requests,
           coalesce(sum((times ->> 'total')::float8 - (times ->> 'points')::float8), 0)::float8 as seconds,
           coalesce(sum((times ->> 'requests')::float8), 0)::float8 as request_seconds
    from (
        select requests, times
        from progressive_capture_jobs
        where repository_id = r.id and times is not null and requests > 0
        order by created_at desc
        limit 10
    ) last
) j
where r.id = any(%(ids)s::uuid[]) and r.github_pull_requests is not null and b.status is distinct from 'completed'
  and g.open_ended is not true;
