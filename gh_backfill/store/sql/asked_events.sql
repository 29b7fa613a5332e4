-- Backfills of events that somebody asked for: jobs that belong to no run until somebody takes them.

-- name: lock_asked
-- Who asks twice at once waits here, and finds what the first one wrote.
select id from repositories where id = any(%(ids)s::uuid[]) order by id for update;

-- name: end_silent
-- Nobody works on these any more, whoever began them.  What waits for its turn in a run has not begun, and is not silent.
update progressive_capture_jobs
set status = 'failed', outcome = 'died', error = %(error)s, error_type = 'runner', completed_at = clock_timestamp()
where job_type = 'events' and outcome is null and run_key is not null and repository_id = any(%(ids)s::uuid[])
  and greatest(heartbeat_at, started_at) < clock_timestamp() - %(old)s;

-- name: ask_events
-- A repository whose backfill waits or runs already keeps it, whatever status a host application gave that.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days, metadata)
select 'events', r.id, %(processor)s, 'pending', %(days)s,
       jsonb_build_object('reason', 'events asked for', 'batch', %(batch)s::text, 'who', %(who)s::text,
                          'label', case when r.is_private is true then r.id::text else r.full_name end)
from repositories r
where r.id = any(%(ids)s::uuid[])
  and not exists (select from progressive_capture_jobs j
                  where j.repository_id = r.id and j.job_type = 'events' and j.outcome is null
                    and (j.run_key is not null or j.status = 'pending'))
returning id;

-- name: claim_asked
-- What waits longest, and what lost its worker: that goes on where it was.
with due as (
    select id
    from progressive_capture_jobs
    where job_type = 'events' and outcome is null and metadata ? 'batch'
      and (run_key is null and status = 'pending'
               and coalesce((metadata ->> 'not_before')::timestamptz, '-infinity') <= clock_timestamp()
           or run_key is not null and greatest(heartbeat_at, started_at) < clock_timestamp() - %(old)s)
    order by created_at, id
    limit 1
    for update skip locked
)
update progressive_capture_jobs j
set run_key = %(run_key)s, processor_type = %(processor)s, worker = %(worker)s, status = 'processing',
    workflow_run_id = %(run_id)s, workflow_run_attempt = %(attempt)s, started_at = clock_timestamp(),
    heartbeat_at = clock_timestamp()
from due
where j.id = due.id
returning j.id, j.repository_id, coalesce(j.time_range_days, 90) as days, j.metadata ->> 'batch' as batch;

-- name: asked_wait
select 1 as one
from progressive_capture_jobs
where job_type = 'events' and outcome is null and metadata ? 'batch'
  and (run_key is null and status = 'pending'
           and coalesce((metadata ->> 'not_before')::timestamptz, '-infinity') <= clock_timestamp()
       or run_key is not null and greatest(heartbeat_at, started_at) < clock_timestamp() - %(old)s)
limit 1;

-- name: ask_again
-- What had to wait goes on by itself when its time comes, unless somebody has asked for it meanwhile or cancelled it.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days, metadata)
select 'events', o.repository_id, o.processor_type, 'pending', o.time_range_days,
       o.metadata || jsonb_build_object('not_before', %(not_before)s::timestamptz)
from progressive_capture_jobs o
where o.id = %(id)s and o.metadata ? 'batch' and o.outcome in ('paused', 'stopped')
  and not exists (select from progressive_capture_jobs j
                  where j.repository_id = o.repository_id and j.job_type = 'events' and j.outcome is null);

-- name: cancel_asked
-- One that runs stops after the page in hand: it finds its end written.  What a run has planned and not begun is that run's.
update progressive_capture_jobs
set status = 'cancelled', outcome = 'cancelled', error = 'cancelled by ' || %(who)s::text, error_type = 'cancelled',
    completed_at = clock_timestamp()
where job_type = 'events' and outcome is null and (id = %(id)s::uuid or repository_id = any(%(ids)s::uuid[]))
  and (run_key is null or started_at is not null)
returning id;

-- name: event_jobs
-- The last backfill of events of each repository, and when one was last whole.
select r.id as repository_id, j.id, j.status, j.outcome, j.error, j.created_at, j.started_at, j.completed_at,
       greatest(j.heartbeat_at, j.started_at) as beat_at, j.time_range_days as days, j.run_key is not null as taken,
       j.metadata ->> 'batch' as batch, (j.metadata ->> 'not_before')::timestamptz as not_before,
       j.metadata ? 'datpipe' as handed, last.completed_at as last_at
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
-- A job, or the one that goes on with it.
select r.id as repository_id, r.full_name, j.id, j.status, j.outcome, j.error, j.created_at, j.started_at, j.completed_at,
       greatest(j.heartbeat_at, j.started_at) as beat_at, j.time_range_days as days, j.run_key is not null as taken,
       j.metadata ->> 'batch' as batch, (j.metadata ->> 'not_before')::timestamptz as not_before,
       j.metadata ? 'datpipe' as handed, last.completed_at as last_at
from progressive_capture_jobs asked
join repositories r on r.id = asked.repository_id
cross join lateral (
    select * from progressive_capture_jobs
    where repository_id = r.id and job_type = 'events'
      and (id = asked.id or metadata ->> 'batch' = asked.metadata ->> 'batch' and created_at > asked.created_at)
    order by created_at desc, id desc limit 1
) j
left join lateral (
    select completed_at from progressive_capture_jobs
    where repository_id = r.id and job_type = 'events' and outcome = 'completed'
    order by created_at desc, id desc limit 1
) last on true
where asked.id = %(id)s::uuid and asked.job_type = 'events';

-- name: batches_ended
-- What was asked for together and is over is told once, by whoever marks it first.
with over as (
    select metadata ->> 'batch' as batch
    from progressive_capture_jobs
    where job_type = 'events' and metadata ? 'batch' and created_at > clock_timestamp() - interval '7 days'
    group by 1
    having bool_and(outcome is not null) and not bool_or(metadata ? 'told')
), told as (
    update progressive_capture_jobs j
    set metadata = j.metadata || '{"told": true}'
    from over
    where j.job_type = 'events' and j.metadata ->> 'batch' = over.batch and not j.metadata ? 'told'
      and j.created_at > clock_timestamp() - interval '7 days'
    returning j.metadata ->> 'batch' as batch, j.repository_id, j.outcome, j.time_range_days as days, j.created_at
), last as (
    select distinct on (batch, repository_id) batch, outcome, days
    from told
    order by batch, repository_id, created_at desc
)
select count(*)::integer as jobs, (count(*) filter (where outcome = 'completed'))::integer as completed, max(days) as days
from last
group by batch;
