-- The last runs and their jobs, for whoever looks back.

-- name: last_runs
select j.run_key, min(j.workflow_run_id) as run_id, max(j.workflow_run_attempt) as attempt,
       min(coalesce(j.processor_type, 'local')) as processor, min(j.created_at) as began_at,
       max(coalesce(j.completed_at, j.heartbeat_at)) as ended_at, count(*)::integer as jobs,
       count(*) filter (where j.outcome is null and j.started_at is null)::integer as waiting,
       count(*) filter (where j.outcome is null and j.started_at is not null)::integer as running,
       count(*) filter (where j.outcome is not null and j.status <> 'completed')::integer as failed,
       count(*) filter (where j.outcome = 'paused')::integer as paused,
       coalesce(sum(j.items), 0)::integer as items,
       case count(distinct coalesce(j.metadata ->> 'item', 'pull request')) filter (where j.items > 0)
           when 1 then min(coalesce(j.metadata ->> 'item', 'pull request')) filter (where j.items > 0)
           when 0 then 'pull request' else 'item' end as item, coalesce(sum(j.points), 0)::integer as points,
       min(b.report ->> 'address') as address, min(b.report ->> 'headline') as headline
from progressive_capture_jobs j
left join backfill_reports b on b.run_key = j.run_key
where j.run_key is not null
group by j.run_key
order by min(j.created_at) desc
limit %(most)s;

-- name: jobs_of_a_run
select coalesce(r.full_name, 'unknown repository') as name, j.metadata ->> 'part' as part,
       coalesce(j.outcome, j.status) as outcome, j.error, j.metadata ->> 'reason' as reason, j.started_at,
       coalesce(j.completed_at, j.heartbeat_at) as ended_at, coalesce(j.items, 0) as items,
       coalesce(j.metadata ->> 'item', 'pull request') as item,
       coalesce(j.points, 0) as points, coalesce(j.workflow_run_attempt, 1) as attempt
from progressive_capture_jobs j
left join repositories r on r.id = j.repository_id
where j.run_key = %(run_key)s
order by j.created_at, r.full_name;
