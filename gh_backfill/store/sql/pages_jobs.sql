-- What the monitor shows of jobs and runs.  `public_only` and `untold` are as in pages.sql.  A job without a run is one of a
-- host application: it has no outcome whatever became of it, and is not shown.

-- name: failing_jobs
-- Repositories of which the last finished job failed, of those that failed in the last three days: how often, and the last one.
with failed as (
    select id, repository_id, created_at
    from progressive_capture_jobs
    where status = 'failed' and outcome is not null and repository_id is not null
      and created_at > coalesce(%(now)s::timestamptz, clock_timestamp()) - interval '3 days'
      and (not %(public_only)s or exists (select from repositories r where r.id = repository_id and r.is_private is false))
    order by created_at desc
    limit %(window)s
), last as (
    select distinct on (repository_id) repository_id, id, count(*) over (partition by repository_id) as times
    from failed
    order by repository_id, created_at desc
)
select r.id as repository_id, r.full_name, r.is_private is not false as is_private, l.times,
       case when j.error is not null then coalesce(%(untold)s::text, j.error) end as error, j.error_type, j.outcome,
       j.processor_type as processor, coalesce(j.completed_at, j.created_at) as at, j.run_key, j.workflow_run_id as run_id,
       coalesce(j.workflow_run_attempt, 1) as attempt
from last l
join progressive_capture_jobs j on j.id = l.id
cross join lateral (
    select id, full_name, is_private
    from repositories
    where id = l.repository_id
    limit 1
) r
cross join lateral (
    select true as tracked
    from tracked_repositories t
    where t.repository_id = r.id and t.tracking_enabled is distinct from false
    limit 1
) listed
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
where b.held is not true
  and not exists (select from progressive_capture_jobs later
                  where later.repository_id = j.repository_id and later.job_type = j.job_type and later.created_at > j.created_at
                    and (later.outcome in ('completed', 'stopped') or (later.outcome = 'paused' and later.chunks > 0)))
order by at desc;

-- name: day
-- The last 24 hours by half hour and processor; the row without a half hour is all of them.  A job counts when it ended.
with clock as (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
), job as (
    select date_bin('30 minutes', coalesce(j.completed_at, j.heartbeat_at, j.created_at), timestamptz '2000-01-01 00:00+00') as slot,
           j.processor_type as processor, j.run_key, j.outcome, j.status, coalesce(j.items, 0) as items
    from progressive_capture_jobs j
    cross join clock k
    where j.run_key is not null and j.created_at > k.moment - interval '26 hours'
      and (not %(public_only)s or exists (select from repositories r where r.id = j.repository_id and r.is_private is false))
)
select slot, processor, count(*) filter (where outcome is not null) as finished,
       count(*) filter (where outcome is not null and status = 'completed') as completed,
       count(*) filter (where outcome is not null and status = 'failed') as failed,
       coalesce(sum(items), 0) as items, count(distinct run_key) as runs
from job
cross join clock
where slot > date_bin('30 minutes', moment, timestamptz '2000-01-01 00:00+00') - interval '24 hours'
group by grouping sets ((slot, processor), ());

-- name: unfinished
-- What waits and runs at each processor that has a job or ever had one.  Whether one ever had is a look into an index for each
-- of those that we know, which has no job of a host application.
with unfinished as (
    select processor_type as processor, count(*) filter (where status = 'pending') as pending,
           count(*) filter (where status <> 'pending'
                              and coalesce(heartbeat_at, started_at) > coalesce(%(now)s::timestamptz, clock_timestamp()) - %(alive)s) as running
    from progressive_capture_jobs
    where outcome is null and run_key is not null and status in ('pending', 'processing', 'failed')
      and (not %(public_only)s or exists (select from repositories r where r.id = repository_id and r.is_private is false))
    group by processor_type
), used as (
    select processor
    from unnest(%(processors)s::text[]) as processor
    where exists (select from progressive_capture_jobs j
                  where j.processor_type = processor and j.run_key is not null
                    and (not %(public_only)s or exists (select from repositories r where r.id = j.repository_id and r.is_private is false)))
)
select processor, coalesce(pending, 0) as pending, coalesce(running, 0) as running
from unfinished
full join used using (processor);

-- name: jobs
-- Jobs, the latest first: all, those that are open, or those that failed; those of one repository or of one run where asked.
select j.id, j.created_at, r.id as repository_id, r.full_name, r.is_private is not false as is_private,
       j.metadata ->> 'named' as named, case when not %(public_only)s then j.metadata ->> 'reason' end as reason,
       j.metadata ->> 'part' as part, j.job_type, j.processor_type as processor, j.status, j.outcome,
       case when j.error is not null then coalesce(%(untold)s::text, j.error) end as error, j.error_type, j.started_at, j.completed_at,
       coalesce(j.heartbeat_at, j.started_at) as beat_at, coalesce(j.items, 0) as items, coalesce(j.points, 0) as points,
       coalesce(j.chunks, 0) as chunks, coalesce(j.warnings, 0) as warnings, j.run_key, j.workflow_run_id as run_id,
       coalesce(j.workflow_run_attempt, 1) as attempt,
       case when not %(public_only)s then j.worker end as worker
from (
    select *
    from progressive_capture_jobs
    where run_key is not null and (%(id)s::uuid is null or repository_id = %(id)s::uuid)
      and (not %(open)s or (outcome is null and status in ('pending', 'processing', 'failed')))
      and (not %(failed)s or (status = 'failed' and outcome is not null))
      and (not %(public_only)s or exists (select from repositories r where r.id = repository_id and r.is_private is false))
      and (%(before)s::timestamptz is null or (created_at, id) < (%(before)s::timestamptz, %(before_id)s::uuid))
    order by created_at desc, id desc
    limit %(most)s
) j
left join repositories r on r.id = j.repository_id
order by j.created_at desc, j.id desc;

-- name: runs
-- The last runs in sums, from the jobs that were planned last.  A run that reaches beyond them is counted whole.  What a run
-- said counts all repositories, and its page lies in a repository that may be private.
with planned as (
    select run_key, max(created_at) as last_at
    from (select run_key, created_at
          from progressive_capture_jobs
          where run_key is not null and (%(before)s::timestamptz is null or created_at < %(before)s::timestamptz)
            and (not %(public_only)s or exists (select from repositories r where r.id = repository_id and r.is_private is false))
          order by created_at desc
          limit %(window)s) j
    group by run_key
    order by last_at desc
    limit %(most)s
)
select p.run_key, j.*, case when not %(public_only)s or b.report ->> 'public' = 'true' then b.report ->> 'address' end as address,
       case when not %(public_only)s then b.report ->> 'headline' end as headline
from planned p
cross join lateral (
    select min(workflow_run_id) as run_id, max(workflow_run_attempt) as attempt, min(processor_type) as processor,
           min(created_at) as began_at, max(coalesce(completed_at, heartbeat_at)) as ended_at, count(*)::integer as jobs,
           count(*) filter (where outcome is null and started_at is null)::integer as waiting,
           count(*) filter (where outcome is null and started_at is not null)::integer as running,
           count(*) filter (where outcome is not null and status <> 'completed')::integer as failed,
           count(*) filter (where outcome = 'paused')::integer as paused,
           coalesce(sum(items), 0)::integer as items,
           case count(distinct coalesce(metadata ->> 'item', 'pull request')) filter (where items > 0)
               when 1 then min(coalesce(metadata ->> 'item', 'pull request')) filter (where items > 0)
               when 0 then 'pull request' else 'item' end as item, coalesce(sum(points), 0)::integer as points
    from progressive_capture_jobs
    where run_key = p.run_key
      and (not %(public_only)s or exists (select from repositories r where r.id = repository_id and r.is_private is false))
) j
left join backfill_reports b on b.run_key = p.run_key
where %(before)s::timestamptz is null or j.began_at < %(before)s::timestamptz
order by j.began_at desc;

-- name: issues
-- Where the issues of alerts were after the last report that saw them.  Nobody knows whether their repository is public.
select report -> 'issues' as addresses
from backfill_reports
where report ? 'issues' and not %(public_only)s
order by reported_at desc
limit 1;

-- name: clock
-- What is due for a sync and since when, what the last report in Actions heard of disabled workflows, and what became of the jobs
-- that were routed since a time.
with due as (
    select due.at
    from tracked_repositories t
    join repositories r on r.id = t.repository_id and r.node_id is not null and (not %(public_only)s or r.is_private is false)
    left join repository_syncs y on y.repository_id = t.repository_id
    left join backfills b on b.repository_id = t.repository_id and b.kind = 'pull_requests'
    cross join lateral (select coalesce(y.next_due_at, b.completed_at) as at) due
    where t.tracking_enabled is distinct from false and b.held is not true
      and due.at <= coalesce(%(now)s::timestamptz, clock_timestamp())
)
select (select count(*)::integer from due) as due, (select min(at) from due) as due_since,
       (select coalesce(report -> 'disabled', '[]')
        from backfill_reports
        where not %(public_only)s and report ->> 'disabled' is not null
        order by reported_at desc limit 1) as disabled,
       (select coalesce(jsonb_agg(jsonb_build_array(rule, processor, many)), '[]')
        from (select j.metadata -> 'routing' ->> 'rule' as rule, j.metadata -> 'routing' ->> 'decision' as processor,
                     count(*)::integer as many
              from progressive_capture_jobs j
              left join repositories r on r.id = j.repository_id
              where j.created_at >= %(routed_since)s and j.metadata -> 'routing' is not null
                and j.metadata -> 'routing' ->> 'rule' is not null
                and (not %(public_only)s or r.is_private is false)
              group by 1, 2) shares) as shares;
