-- The line of figures of the last 24 hours also has pauses, slow-downs and refusals, and what somebody cancelled is no failure,
-- as on the monitor.  Repeatable; the columns that were there stay where they are.
create or replace view backfill_metrics with (security_invoker = true) as
select count(*) filter (where outcome is not null) as finished_jobs,
       count(*) filter (where outcome is null and status in ('processing', 'failed')
                          and coalesce(heartbeat_at, started_at) > now() - interval '2 hours') as running_jobs,
       count(*) filter (where outcome is null and status = 'pending') as waiting_jobs,
       round(100.0 * count(*) filter (where outcome is not null and status = 'completed')
             / nullif(count(*) filter (where outcome is not null and status <> 'cancelled'), 0), 1) as success_percent,
       round(avg(extract(epoch from completed_at - started_at))
             filter (where outcome in ('completed', 'stopped', 'paused')), 1) as seconds_per_repository,
       coalesce(sum(points), 0) as points,
       round(coalesce(sum(points), 0) / greatest(1.0, extract(epoch from now() - min(coalesce(started_at, created_at))) / 3600), 1)
           as points_per_hour,
       coalesce(sum(retries), 0) as retries,
       coalesce(sum(warnings), 0) as warnings,
       max(coalesce(completed_at, heartbeat_at, created_at)) as fresh_at,
       -- Jobs that left the rest to a later run, for there were no points.
       count(*) filter (where outcome = 'paused') as pauses,
       -- Jobs that GitHub told to wait, or whose turn at its time had to come first, and for how many seconds in all.
       count(*) filter (where coalesce((times ->> 'slow_down')::numeric, 0) + coalesce((times ->> 'server_time')::numeric, 0) > 0)
           as slow_downs,
       round(coalesce(sum(coalesce((times ->> 'slow_down')::numeric, 0) + coalesce((times ->> 'server_time')::numeric, 0)), 0), 1)
           as slow_down_seconds,
       -- Jobs whose credential GitHub refused.
       count(*) filter (where error_type = 'denied') as refusals
from progressive_capture_jobs
where run_key is not null and created_at > now() - interval '24 hours';
