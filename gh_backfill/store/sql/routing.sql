-- Jobs that wait for somebody to route them: a host application wrote them, or a tick did for what is due.

-- name: take_jobs
-- The oldest first.  Taken ones have a key, so that nobody takes them twice; one that was routed and that no processor began in
-- time is taken again.  What plans wrote has a key and was never routed: it is not ours.
with waiting as materialized (
    select j.id
    from progressive_capture_jobs j
    where j.status = 'pending' and j.outcome is null and j.job_type = any(%(types)s::text[])
      and (not %(ours)s::boolean or j.metadata ? 'due_since')
      and (j.run_key is null
           or (j.metadata -> 'routing' ->> 'at')::timestamptz < clock_timestamp() - %(unheard)s::interval)
    order by j.created_at, j.id
    limit %(most)s
    for update of j skip locked
)
update progressive_capture_jobs j
set run_key = %(run_key)s,
    metadata = coalesce(j.metadata, '{}') || jsonb_build_object('routing',
        coalesce(j.metadata -> 'routing', '{}') || jsonb_build_object('at', clock_timestamp()))
from waiting
where waiting.id = j.id
returning j.id;

-- name: planned_syncs
-- What was handed to the worker of a run, and that it has not begun.
select id
from progressive_capture_jobs
where run_key = %(run_key)s and status = 'pending' and outcome is null and job_type = 'sync';

-- name: read_jobs
-- All that decides where a job goes, and what it is to do.
select j.id, j.job_type, j.repository_id, j.time_range_days as days, j.created_at, j.metadata ->> 'reason' as reason,
       j.metadata ->> 'trigger_reason' as trigger_reason, j.metadata ? 'due_since' as ours,
       case when j.metadata -> 'routing' ->> 'starts' ~ '^\d{1,6}$' then (j.metadata -> 'routing' ->> 'starts')::integer else 0 end as starts,
       r.owner, r.name, r.is_private is not false as is_private, coalesce(r.github_pull_requests, b.total, 0) as pull_requests,
       coalesce(b.status = 'active', false) as backfilling, t.priority::text as priority,
       extract(epoch from clock_timestamp() - (
           select min(c.watermark)
           from (select s.kind, max(s.watermark) as watermark
                 from backfill_streams s
                 where s.repository_id = j.repository_id and s.stream in ('sync', 'catch_up') and s.status = 'completed'
                 group by s.kind) c))::float8 / 86400 as days_since
from progressive_capture_jobs j
left join repositories r on r.id = j.repository_id
left join tracked_repositories t on t.repository_id = r.id
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
where j.id = any(%(ids)s::uuid[])
order by j.created_at, j.id;

-- name: look_jobs
-- How many wait, for who only looks.
select job_type, count(*)::integer as many, min(created_at) as since
from progressive_capture_jobs
where status = 'pending' and outcome is null and run_key is null and job_type = any(%(types)s::text[])
group by job_type
order by job_type;

-- name: write_routes
-- Before a processor is told: should we die after that, the job says where it went, and the next tick takes it again if nobody
-- began it.
update progressive_capture_jobs j
set processor_type = i.processor, run_key = i.run_key,
    metadata = j.metadata || jsonb_build_object('routing', (j.metadata -> 'routing') || jsonb_build_object(
        'decision', i.processor, 'rule', i.rule, 'reason', i.reason, 'fallback', i.fallback, 'starts', i.starts))
        || jsonb_build_object('label', coalesce(j.metadata ->> 'label', i.label))
from jsonb_to_recordset(%(rows)s) as i (id uuid, processor text, run_key text, rule text, reason text, fallback boolean,
                                        starts integer, label text)
where j.id = i.id and j.status = 'pending' and j.outcome is null;

-- name: close_routed
-- What nobody has to do, or what nobody began however often it was started.
update progressive_capture_jobs j
set status = i.status, outcome = i.outcome, error = i.error, error_type = i.error_type, completed_at = clock_timestamp(),
    metadata = j.metadata || jsonb_build_object('routing', (j.metadata -> 'routing') || jsonb_build_object(
        'decision', i.decision, 'rule', i.rule, 'reason', i.error))
from jsonb_to_recordset(%(rows)s) as i (id uuid, status text, outcome text, error text, error_type text, decision text, rule text)
where j.id = i.id and j.status = 'pending' and j.outcome is null;

-- name: release_jobs
-- Nobody could be told: the next tick takes them up as if they had just come, and no start is counted.
update progressive_capture_jobs j
set run_key = null,
    metadata = j.metadata || jsonb_build_object('routing', (j.metadata -> 'routing') || jsonb_build_object(
        'waits', %(why)s::text, 'starts', greatest(
            0, case when j.metadata -> 'routing' ->> 'starts' ~ '^\d{1,6}$' then (j.metadata -> 'routing' ->> 'starts')::integer - 1 end)))
where j.id = any(%(ids)s::uuid[]) and j.status = 'pending' and j.outcome is null;

-- name: release_unbegun
-- The run that was told of them is over and began none: the next tick takes them up.  That start counts.
update progressive_capture_jobs j
set run_key = null
where j.run_key = %(run_key)s and j.status = 'pending' and j.outcome is null and j.metadata ? 'routing';

-- name: routing_shares
-- What became of the jobs that were routed since a time, by rule and processor.
select metadata -> 'routing' ->> 'rule' as rule, metadata -> 'routing' ->> 'decision' as processor, count(*)::integer as many
from progressive_capture_jobs
where created_at >= %(since)s and metadata -> 'routing' is not null and metadata -> 'routing' ->> 'rule' is not null
group by 1, 2
order by 1, 2;
