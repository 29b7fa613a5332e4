-- The ledger of planned work: one row per matrix entry, named by the run it belongs to.
-- A job without an outcome is open: its status alone may have been changed by a host application's cleaner.

-- name: plan
-- The label is what the matrix entry is called: by it GitHub's job is found again.  A process that starts the jobs itself says
-- that they are its own, so that they end with it.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, worker, metadata)
select %(job_type)s, i.repository_id, %(processor)s, 'pending', %(run_id)s, %(run_attempt)s, %(run_key)s, %(worker)s::text,
       jsonb_build_object('reason', i.reason, 'part', i.part, 'label',
                          case when r.is_private is true then r.id::text else r.full_name end
                          || coalesce(' part ' || i.part, ''))
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, reason text, part integer)
left join repositories r on r.id = i.repository_id;

-- name: plan_failed
-- What was asked for and can't be done, so that the report names it; `named` is a name that no repository here has.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, outcome, error, error_type, completed_at, metadata)
select %(job_type)s, repository_id, %(processor)s, 'failed', %(run_id)s, %(run_attempt)s, %(run_key)s,
       'not_possible', error, error_type, clock_timestamp(), jsonb_build_object('reason', 'asked for', 'named', named)
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, error text, error_type text, named text);

-- name: supersede
-- What earlier attempts of this run left open.  GitHub begins an attempt only when the one before it is over.
update progressive_capture_jobs
set status = case when status = 'pending' then 'cancelled' else 'failed' end,
    outcome = case when status = 'pending' then 'never_started' else 'died' end, error_type = 'runner',
    error = 'attempt ' || coalesce(workflow_run_attempt, 1) || ' of the run ended without it; attempt '
            || %(run_attempt)s::text || ' planned it again',
    completed_at = clock_timestamp()
where run_key = %(run_key)s and coalesce(workflow_run_attempt, 1) < %(run_attempt)s and outcome is null;

-- name: plan_waiting
-- What a plan would have captured, had there been points: nothing failed, and nothing is to be done.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, outcome, error, error_type, completed_at, metadata)
select %(job_type)s, id, %(processor)s, 'completed', %(run_id)s, %(run_attempt)s, %(run_key)s, 'paused', %(error)s,
       'rate_limit', clock_timestamp(), '{"reason": "no points"}'
from unnest(%(ids)s::uuid[]) as id;

-- name: start
-- Take the planned job of this run, or the one this worker took already, when the answer to its COMMIT was lost; where
-- nobody planned one, write it.  An initial backfill that was to come has begun.
with planned as (
    update progressive_capture_jobs
    set status = 'processing', processor_type = %(processor)s, started_at = clock_timestamp(), heartbeat_at = clock_timestamp(),
        workflow_run_id = coalesce(workflow_run_id, %(run_id)s), workflow_run_attempt = %(run_attempt)s, worker = %(worker)s
    where id = (select id from progressive_capture_jobs
                where run_key = %(run_key)s and repository_id = %(repository_id)s and job_type = %(job_type)s
                  and (metadata ->> 'part')::integer is not distinct from %(part)s
                  and (status = 'pending' or (status = 'processing' and worker = %(worker)s))
                order by status desc, created_at limit 1 for update skip locked)
    returning id
), unplanned as (
    insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                          workflow_run_attempt, run_key, started_at, heartbeat_at, worker, metadata)
    select %(job_type)s, %(repository_id)s, %(processor)s, 'processing', %(run_id)s, %(run_attempt)s,
           %(run_key)s, clock_timestamp(), clock_timestamp(), %(worker)s,
           jsonb_build_object('reason', case when %(job_type)s = 'webhook' then 'announced by a webhook'
                                             when %(job_type)s = 'verify' then 'verified'
                                             when %(run_attempt)s > 1 then 'run again, attempt ' || %(run_attempt)s::text
                                             else 'started by hand' end,
                              'part', %(part)s::integer, 'label',
                              (select case when is_private is true then id::text else full_name end
                                      || coalesce(' part ' || %(part)s::text, '')
                               from repositories where id = %(repository_id)s))
    where not exists (select from planned)
    returning id
), begun as (
    update repositories
    set initial_backfill_status = 'processing'
    where id = %(repository_id)s and initial_backfill_status = 'pending' and %(job_type)s = 'progressive_backfill'
)
select id from planned union all select id from unplanned;

-- name: resume_job_in_steps
-- The one job of a run that works in steps: that of its earlier steps, whatever anybody made of it meanwhile; else the one that
-- waits for this run, else a new one.  Where the one that waited is another run's by now, there is none.
with mine as (
    select id
    from progressive_capture_jobs
    where repository_id = %(repository_id)s
      and (run_key = %(run_key)s or id = %(job_id)s::uuid and status = 'pending' and outcome is null)
    order by run_key is not distinct from %(run_key)s desc limit 1
    for update
), resumed as (
    update progressive_capture_jobs j
    set status = 'processing', outcome = null, error = null, error_type = null, completed_at = null,
        processor_type = %(processor)s, run_key = %(run_key)s, worker = %(worker)s,
        started_at = coalesce(j.started_at, clock_timestamp()), heartbeat_at = clock_timestamp()
    from mine
    where j.id = mine.id
    returning j.id, j.points, j.requests, j.chunks, j.items, j.warnings, j.retries, j.times
), new as (
    insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, run_key, started_at, heartbeat_at,
                                          worker, metadata)
    select %(job_type)s, r.id, %(processor)s, 'processing', %(run_key)s, clock_timestamp(), clock_timestamp(), %(worker)s,
           jsonb_build_object('reason', 'an event', 'label',
                              case when r.is_private is true then r.id::text else r.full_name end)
    from repositories r
    where r.id = %(repository_id)s and not exists (select from mine)
      and not exists (select from progressive_capture_jobs where id = %(job_id)s::uuid)
    returning id, points, requests, chunks, items, warnings, retries, times
), begun as (
    update repositories
    set initial_backfill_status = 'processing'
    where id = %(repository_id)s and initial_backfill_status = 'pending' and %(job_type)s = 'progressive_backfill'
      and (exists (select from mine) or exists (select from new))
)
select * from resumed union all select * from new;

-- name: end_job_in_steps
-- What its steps did stands there already.
update progressive_capture_jobs
set status = %(status)s, outcome = %(outcome)s, error = %(error)s, completed_at = clock_timestamp()
where run_key = %(run_key)s and outcome is null
returning id, repository_id,
          exists (select from workspace_repositories m where m.repository_id = progressive_capture_jobs.repository_id) as in_workspace;

-- name: heartbeat
-- The job lives, and this is what it did so far.  started_at stays what it is.  `item` is the word for what a step brought: of
-- several they are items.
update progressive_capture_jobs
set heartbeat_at = clock_timestamp(), points = %(points)s, requests = %(requests)s, chunks = %(chunks)s, items = %(items)s,
    times = coalesce(%(times)s, times),
    metadata = case when %(item)s::text is null then metadata
                    else coalesce(metadata, '{}') || jsonb_build_object('item', case
                        when coalesce(metadata ->> 'item', %(item)s::text) = %(item)s::text then %(item)s::text else 'item' end) end
where id = %(id)s and outcome is null
returning id;

-- name: finish
-- A job that a host application's cleaner failed after ten minutes may still become what it really is.  It also says whether there
-- are figures that are older now: those of the repository's workspaces.  `item` is the word for one of its items.
update progressive_capture_jobs j
set status = %(status)s, outcome = %(outcome)s, completed_at = clock_timestamp(), error = %(error)s,
    error_type = %(error_type)s, points = %(points)s, requests = %(requests)s, chunks = %(chunks)s, items = %(items)s,
    warnings = %(warnings)s, times = coalesce(%(times)s, times), retries = %(retries)s,
    metadata = coalesce(j.metadata, '{}') || case when %(item)s::text is null then '{}' else jsonb_build_object('item', %(item)s::text) end
where j.id = %(id)s and j.status in ('pending', 'processing', 'failed') and j.outcome is null
returning j.id, j.repository_id,
          exists (select from workspace_repositories m where m.repository_id = j.repository_id) as in_workspace;

-- name: open_jobs
-- What has no outcome: of one run, or of all others than that one.
select id, coalesce(metadata ->> 'label', repository_id::text, '') as label, run_key, workflow_run_id as run_id,
       coalesce(workflow_run_attempt, 1) as attempt,
       case when status = 'failed' then 'processing' else status end as status, created_at,
       coalesce(heartbeat_at, started_at) as beat_at
from progressive_capture_jobs
where outcome is null and run_key is not null and status in ('pending', 'processing', 'failed')
  and (run_key = %(run_key)s) = %(own)s
order by created_at
limit 1000;

-- name: labels
select distinct metadata ->> 'label' as label
from progressive_capture_jobs
where run_key = %(run_key)s and metadata ->> 'label' is not null
order by 1;

-- name: close
-- The final word on a job that had none itself.  What it did is counted from the chunks that it left, of a part from those
-- that it claimed.  Whatever GitHub's
-- clock says, it ended after it had claimed the last of them: by that the recovery sees that nobody works on it.
update progressive_capture_jobs j
set status = case when j.status = 'failed' then 'failed' else %(status)s end, outcome = %(outcome)s,
    error_type = %(error_type)s, error = %(error)s,
    completed_at = greatest(coalesce(%(completed_at)s, clock_timestamp()), j.started_at, j.heartbeat_at, c.last_at),
    points = greatest(j.points, c.points), requests = greatest(j.requests, c.requests),
    chunks = greatest(j.chunks, c.chunks), items = greatest(j.items, c.items),
    warnings = coalesce(j.warnings, c.warnings), retries = c.retries
from progressive_capture_jobs same
left join lateral (
    select sum(points)::integer as points, sum(api_calls_made)::integer as requests,
           count(*) filter (where status = 'completed')::integer as chunks, sum(pr_count)::integer as items,
           sum(rows_quarantined)::integer as warnings, max(started_at) as last_at,
           coalesce(sum(retry_count), 0)::integer as retries
    from backfill_chunks
    where repository_id = same.repository_id and started_at >= same.started_at
      and (same.metadata ->> 'part' is null or claimed_by = same.worker)
) c on true
where same.id = j.id and j.id = %(id)s and j.outcome is null;

-- name: took
-- How long GitHub's runner was busy with a job, whoever closed it.
update progressive_capture_jobs
set runner_seconds = %(seconds)s
where run_key = %(run_key)s and metadata ->> 'label' = %(label)s and runner_seconds is null
  and coalesce(workflow_run_attempt, 1) = %(attempt)s;

-- name: note_run
-- Where the run of jobs is at GitHub, its number and its conclusion, by the names that applications read in the metadata.  Of a
-- run that is not over its own jobs tell.
update progressive_capture_jobs j
set metadata = coalesce(j.metadata, '{}') || jsonb_strip_nulls(jsonb_build_object(
        'workflow_run_id', coalesce(j.workflow_run_id, %(run_id)s), 'workflow_url', %(url)s::text,
        'run_number', %(number)s::integer,
        'conclusion', coalesce(%(conclusion)s::text, case j.status when 'completed' then 'success'
                                                                   when 'failed' then 'failure' else j.status end)))
where j.outcome is not null
  and (j.run_key = %(run_key)s
       or j.workflow_run_id = %(run_id)s and coalesce(j.workflow_run_attempt, 1) = %(attempt)s);

-- name: latest_run
select run_key from progressive_capture_jobs where run_key is not null order by created_at desc limit 1;
