-- Backfills of events that somebody asked for: jobs that belong to no run until somebody takes them.

-- name: lock_asked
-- Who asks twice at once waits here, and finds what the first one wrote.
select id from repositories where id = any(%(ids)s::uuid[]) order by id for update;

-- name: end_silent
-- Nobody works on these any more, whoever began them.
update progressive_capture_jobs
set status = 'failed', outcome = 'died', error = %(error)s, error_type = 'runner', completed_at = clock_timestamp()
where job_type = 'events' and outcome is null and run_key is not null and repository_id = any(%(ids)s::uuid[])
  and coalesce(heartbeat_at, started_at, created_at) < clock_timestamp() - %(old)s;

-- name: ask_events
-- A repository whose backfill waits or runs already keeps it.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days, metadata)
select 'events', r.id, %(processor)s, 'pending', %(days)s,
       jsonb_build_object('reason', 'events asked for', 'batch', %(batch)s::text, 'who', %(who)s::text,
                          'label', case when r.is_private is true then r.id::text else r.full_name end)
from repositories r
where r.id = any(%(ids)s::uuid[])
  and not exists (select from progressive_capture_jobs j
                  where j.repository_id = r.id and j.job_type = 'events' and j.outcome is null
                    and j.status in ('pending', 'processing'));

-- name: claim_asked
with due as (
    select id
    from progressive_capture_jobs
    where job_type = 'events' and outcome is null and run_key is null and status = 'pending'
      and coalesce((metadata ->> 'not_before')::timestamptz, '-infinity') <= clock_timestamp()
    order by created_at, id
    limit 1
    for update skip locked
)
update progressive_capture_jobs j
set run_key = %(run_key)s, processor_type = %(processor)s, worker = %(worker)s, heartbeat_at = clock_timestamp()
from due
where j.id = due.id
returning j.id, j.repository_id, coalesce(j.time_range_days, 90) as days, j.metadata ->> 'batch' as batch;

-- name: asked_wait
select 1 as one
from progressive_capture_jobs
where job_type = 'events' and outcome is null and run_key is null and status = 'pending'
  and coalesce((metadata ->> 'not_before')::timestamptz, '-infinity') <= clock_timestamp()
limit 1;

-- name: ask_again
-- What had to wait for points goes on by itself when they are there.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days, metadata)
select 'events', repository_id, processor_type, 'pending', time_range_days,
       metadata || jsonb_build_object('not_before', %(not_before)s::timestamptz)
from progressive_capture_jobs
where id = %(id)s and metadata ? 'batch';

-- name: is_wanted
select 1 as one from progressive_capture_jobs where id = %(id)s and outcome is null;

-- name: was_cancelled
select 1 as one from progressive_capture_jobs where id = %(id)s and outcome = 'cancelled';

-- name: cancel_asked
-- One that runs stops after the page in hand: it finds its end written.
update progressive_capture_jobs
set status = 'cancelled', outcome = 'cancelled', error = 'cancelled by ' || %(who)s::text, error_type = 'cancelled',
    completed_at = clock_timestamp()
where job_type = 'events' and outcome is null and (id = %(id)s::uuid or repository_id = any(%(ids)s::uuid[]))
returning id;

-- name: event_jobs
-- The last backfill of events of each repository, and when one was last whole.
select r.id as repository_id, j.id, j.status, j.outcome, j.error, j.created_at, j.started_at, j.completed_at,
       coalesce(j.heartbeat_at, j.started_at, j.created_at) as beat_at, j.time_range_days as days, j.run_key is not null as taken,
       j.metadata ->> 'batch' as batch, (j.metadata ->> 'not_before')::timestamptz as not_before,
       last.completed_at as last_at
from repositories r
left join lateral (
    select * from progressive_capture_jobs
    where repository_id = r.id and job_type = 'events'
    order by created_at desc, id desc limit 1
) j on true
left join lateral (
    select completed_at from progressive_capture_jobs
    where repository_id = r.id and job_type = 'events' and outcome = 'completed'
    order by created_at desc, id desc limit 1
) last on true
where r.id = any(%(ids)s::uuid[]);

-- name: event_job
select j.id, j.repository_id, r.full_name, r.is_private is not false as is_private
from progressive_capture_jobs j
join repositories r on r.id = j.repository_id
where j.id = %(id)s::uuid and j.job_type = 'events';

-- name: batch_ended
-- Whoever gives the last job of a batch its end tells of the whole.
select count(*)::integer as jobs, (count(*) filter (where last.outcome is null or last.outcome in ('paused', 'stopped')))::integer as open,
       (count(*) filter (where last.outcome = 'completed'))::integer as completed, max(last.time_range_days) as days,
       min(last.created_at) as begun_at
from (select distinct on (repository_id) repository_id, outcome, time_range_days, created_at
      from progressive_capture_jobs
      where job_type = 'events' and metadata ->> 'batch' = %(batch)s and created_at > clock_timestamp() - interval '7 days'
      order by repository_id, created_at desc, id desc) last;
