-- When plans take repositories.

-- name: set_schedule
-- What is not said stays as it is; `clears` names what is taken back.
update tracked_repositories t
set off_peak = case when 'off_peak' = any(%(clears)s::text[]) then null else coalesce(%(off_peak)s, t.off_peak) end,
    every_days = case when 'every_days' = any(%(clears)s::text[]) then null
                      else coalesce(%(every_days)s::integer, t.every_days) end,
    updated_at = clock_timestamp()
where t.repository_id = any(%(ids)s::uuid[]) and t.tracking_enabled is distinct from false
returning t.repository_id;

-- name: schedules
select r.id, r.full_name, r.is_private is not false as is_private, t.off_peak, t.every_days, b.status,
       case when b.status = 'completed' then b.completed_at end as completed_at
from repositories r
join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
where %(ids)s::uuid[] is null and (t.off_peak is not null or t.every_days is not null) or r.id = any(%(ids)s::uuid[])
order by r.full_name;

-- name: others_use
-- What others used of our budgets in each hour that was looked at, as a share of what GitHub grants in one: what is gone of the
-- window by the last look at it, less what our jobs spent until then, for as much of the hour as had passed.  A job that is in
-- two windows spent evenly.
with looked as (
    select date_trunc('hour', s.reset_at - interval '1 hour') as hour, s.identity,
           max(s.reset_at) - interval '1 hour' as begins, max(s.at) as at, max(s.budget_limit) as granted,
           max(s.budget_limit) - min(s.remaining) as used
    from budget_samples s
    where s.resource = 'graphql' and s.reset_at > s.at and s.reset_at <= s.at + interval '50 minutes'
    group by 1, 2
), hours as (
    select hour, min(begins) as begins, max(at) as at, sum(granted)::float8 as granted, sum(used)::float8 as used
    from looked
    group by 1
)
select h.hour, greatest(0, h.used - coalesce(ours.points, 0)) / nullif(h.granted, 0)
               / greatest(extract(epoch from h.at - h.begins) / 3600, 0.1) as share
from hours h
left join lateral (
    select sum(j.points * greatest(0, extract(epoch from least(j.ended, h.at) - greatest(j.started_at, h.begins)))
               / greatest(1, extract(epoch from j.ended - j.started_at))) as points
    from (select points, started_at, coalesce(completed_at, heartbeat_at, started_at) as ended
          from progressive_capture_jobs
          where started_at < h.at and points > 0 and coalesce(completed_at, heartbeat_at, started_at) > h.begins) j
) ours on true
where h.granted > 0
order by h.hour;
