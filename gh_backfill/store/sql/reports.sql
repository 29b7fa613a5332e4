-- The read model: what a run did, why, and what it cost.

-- name: reported_jobs
-- A repository whose privacy is unknown counts as private.  `failures` are those since the last job of its type that completed.
-- Of several attempts at the same work the last one counts for the run; the ledger keeps all.
select j.id, j.job_type, r.id as repository_id, r.full_name, r.is_private is not false as is_private,
       j.processor_type as processor, j.status, j.outcome, j.error_type, j.error, j.started_at, j.completed_at,
       coalesce(j.points, 0) as points, coalesce(j.requests, 0) as requests, coalesce(j.chunks, 0) as chunks,
       coalesce(j.items, 0) as items, coalesce(j.metadata ->> 'item', 'pull request') as item, coalesce(j.warnings, 0) as warnings, coalesce(j.retries, 0) as retries,
       j.metadata ->> 'named' as named, j.times, j.runner_seconds, j.cost::float8 as cost, j.workflow_run_id, j.workflow_run_attempt,
       b.last_processed_at as last_progress_at,
       exists (select from backfill_streams s
               where s.repository_id = r.id and s.kind = 'pull_requests' and s.goal_max_items is not null)
           or r.initial_backfill_status in ('pending', 'processing') as initial,
       f.failures::integer as failures_in_a_row, w.warned, v.certificate ->> 'line' as certificate
from progressive_capture_jobs j
left join repositories r on r.id = j.repository_id
left join progressive_backfill_state b on b.repository_id = r.id
left join verifications v on v.repository_id = r.id
cross join lateral (
    select count(*) as failures
    from progressive_capture_jobs o
    where o.repository_id = j.repository_id and o.job_type = j.job_type and o.outcome is not null and o.status = 'failed'
      and o.created_at <= j.created_at
      and o.created_at > coalesce((select max(c.created_at) from progressive_capture_jobs c
                                   where c.repository_id = j.repository_id and c.job_type = j.job_type and c.outcome is not null
                                     and c.status = 'completed' and c.created_at <= j.created_at), '-infinity')
) f
cross join lateral (
    select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'reason', reason, 'count', n) order by n desc), '[]') as warned
    from (
        select kind, reason, count(*) as n
        from (
            select q.kind, q.reason
            from backfill_quarantine q
            where q.repository_id = j.repository_id and q.resolved_at is null and coalesce(j.warnings, 0) > 0
              and q.last_seen_at between j.started_at and coalesce(j.completed_at, clock_timestamp())
            union all
            select 'gap', p.capture_gap
            from pull_requests p
            where p.repository_id = j.repository_id and p.capture_gap is not null and coalesce(j.warnings, 0) > 0
              and p.counts_fetched_at between j.started_at and coalesce(j.completed_at, clock_timestamp())
            union all
            select 'gap', i.capture_gap
            from issues i
            where i.repository_id = j.repository_id and i.capture_gap is not null and coalesce(j.warnings, 0) > 0
              and i.counts_fetched_at between j.started_at and coalesce(j.completed_at, clock_timestamp())
            union all
            select 'gap', d.capture_gap
            from discussions d
            where d.repository_id = j.repository_id and d.capture_gap is not null and coalesce(j.warnings, 0) > 0
              and d.counts_fetched_at between j.started_at and coalesce(j.completed_at, clock_timestamp())
            union all
            select 'gap', o.gaps || ' ' || replace(o.kind, '_', ' ') || ' that GitHub counts and does not list'
            from backfills o
            where o.repository_id = j.repository_id and o.gaps > 0 and coalesce(j.warnings, 0) > 0
        ) each_one
        group by kind, reason
        order by n desc
        limit 5
    ) most
) w
where j.run_key = %(run_key)s
  and not exists (select from progressive_capture_jobs later
                  where later.run_key = j.run_key and later.job_type = j.job_type
                    and later.repository_id is not distinct from j.repository_id
                    and (later.metadata ->> 'part') is not distinct from (j.metadata ->> 'part')
                    and (j.repository_id is not null or later.error is not distinct from j.error)
                    and coalesce(later.workflow_run_attempt, 1) > coalesce(j.workflow_run_attempt, 1))
order by r.full_name, j.created_at, j.id;

-- name: times
-- Where the time of the last day's jobs went.
select repository_id, times
from progressive_capture_jobs
where times is not null and repository_id is not null and coalesce(completed_at, heartbeat_at) > clock_timestamp() - interval '24 hours'
  and (%(ids)s::uuid[] is null or repository_id = any(%(ids)s::uuid[]));

-- name: budget
-- What GitHub last said of this hour's points; of several identities the one that has least.
select budget_limit as points_limit, remaining as points_left
from api_budgets
where resource = 'graphql' and reset_at > clock_timestamp()
order by remaining::float8 / greatest(budget_limit, 1)
limit 1;

-- name: keep_job
update progressive_capture_jobs
set error_summary = %(error_summary)s, cost = %(cost)s
where id = %(id)s and (error_summary, cost) is distinct from (%(error_summary)s, (%(cost)s)::numeric(12, 6));

-- name: keep_run
-- A run that is reported again keeps its delivery id: whoever received it knows that it is the same.  A further attempt
-- of the run is news, and is told again.
insert into backfill_reports as b (run_key, workflow_run_id, workflow_run_attempt, processor, report, error_summary,
                                   alerts, minutes, reported_at)
values (%(run_key)s, %(run_id)s, %(attempt)s, %(processor)s, %(report)s, %(error_summary)s, %(alerts)s, %(minutes)s, %(at)s)
on conflict (run_key) do update
set report = excluded.report, error_summary = excluded.error_summary, alerts = excluded.alerts,
    minutes = excluded.minutes, reported_at = excluded.reported_at,
    workflow_run_attempt = excluded.workflow_run_attempt,
    delivery_id = case when excluded.workflow_run_attempt > b.workflow_run_attempt then gen_random_uuid() else b.delivery_id end,
    delivered_at = case when excluded.workflow_run_attempt > b.workflow_run_attempt then null else b.delivered_at end,
    notified_at = case when excluded.workflow_run_attempt > b.workflow_run_attempt then null else b.notified_at end
returning delivery_id, delivered_at;

-- name: keep_issues
-- Where the issues of alerts are, for the pages; whoever the report was sent to has their numbers in its text.
update backfill_reports set report = report || jsonb_build_object('issues', %(issues)s) where run_key = %(run_key)s;

-- name: delivered
update backfill_reports set delivered_at = clock_timestamp() where run_key = %(run_key)s;

-- name: undigested
-- Reports that no notification has told of yet, oldest first.  One without jobs and with nothing serious tells nothing new.
select run_key, report, alerts, reported_at
from backfill_reports
where notified_at is null and ((report ->> 'jobs')::integer > 0 or alerts @> '[{"serious": true}]')
  and reported_at > clock_timestamp() - interval '7 days'
order by reported_at
limit 200;

-- name: last_notified
-- One notification tells of several runs: they share the moment.
select max(b.notified_at) as at, jsonb_agg(each.alert) filter (where each.alert is not null) as alerts
from backfill_reports b
left join lateral jsonb_array_elements(b.alerts) as each (alert) on true
where b.notified_at = (select max(notified_at) from backfill_reports)
having count(*) > 0;

-- name: notified
update backfill_reports set notified_at = %(at)s where run_key = any(%(run_keys)s::text[]) and notified_at is null;

-- name: backfill_progress
-- How far each backfill has come.
select r.id as repository_id, r.full_name, r.is_private is not false as is_private, b.status,
       coalesce(b.processed_prs, 0) as captured, coalesce(r.github_pull_requests, b.total_prs, 0) as total,
       not exists (select from backfill_goals g
                   where g.repository_id = r.id and g.kind = 'pull_requests'
                     and (g.filtered or g.goal_max_items is not null)) as whole,
       coalesce(b.last_processed_at, b.updated_at, b.created_at) as last_progress_at, b.resume_at
from progressive_backfill_state b
join repositories r on r.id = b.repository_id
where b.status <> 'failed' and exists (select from backfill_streams s where s.backfill_state_id = b.id)
order by r.full_name;

-- name: mended
-- What failed in the last quarter and whose last job of that type went well, wherever that was; or what a person holds, or
-- untracked.
select f.repository_id
from (select distinct repository_id, job_type
      from progressive_capture_jobs
      where status = 'failed' and repository_id is not null and created_at > clock_timestamp() - interval '90 days') f
cross join lateral (
    select outcome, status, chunks
    from progressive_capture_jobs j
    where j.repository_id = f.repository_id and j.job_type = f.job_type and j.outcome is not null
    order by j.created_at desc
    limit 1
) last
left join progressive_backfill_state b on b.repository_id = f.repository_id
left join tracked_repositories t on t.repository_id = f.repository_id and t.tracking_enabled is distinct from false
group by f.repository_id
having bool_and(last.outcome in ('completed', 'stopped') or (last.outcome = 'paused' and last.chunks > 0)
                or coalesce(b.held, false) or t.repository_id is null);

-- name: month
-- What the ledger knows of a month, by processor.  A job of which only its own clock is known counts by that.
select processor_type as processor, count(*)::integer as jobs, coalesce(sum(chunks), 0)::integer as chunks,
       coalesce(sum(ceil(coalesce(runner_seconds, case when isfinite(completed_at) and isfinite(started_at)
                                             then extract(epoch from completed_at - started_at) end) / 60)), 0)::integer as minutes
from progressive_capture_jobs
where created_at >= %(since)s and created_at < %(until)s and started_at is not null and job_type <> 'embedding'
group by processor_type
order by processor_type;

-- name: embeddings
-- Embedding jobs know their own cost.
select coalesce(sum(cost), 0)::float8 as cost
from progressive_capture_jobs
where created_at >= %(since)s and created_at < %(until)s and job_type = 'embedding';

-- name: overhead
-- The minutes of the runs' other jobs (plan and report), which are no entries of the ledger.
select count(*)::integer as runs, coalesce(sum(minutes), 0)::integer as minutes
from backfill_reports
where reported_at >= %(since)s and reported_at < %(until)s and processor = 'github_actions';

-- name: public
-- What the last workflow of a month knew of the repository that it ran in.
select (report ->> 'public')::boolean as public
from backfill_reports
where reported_at >= %(since)s and reported_at < %(until)s and report ->> 'public' is not null
order by reported_at desc
limit 1;
