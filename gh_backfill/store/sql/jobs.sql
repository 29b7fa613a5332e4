-- The ledger of planned work: one row per matrix entry, named by the run it belongs to.

-- name: plan
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, metadata)
select 'progressive_backfill', repository_id, %(processor)s, 'pending', %(run_id)s, %(run_attempt)s, %(run_key)s,
       jsonb_build_object('reason', reason)
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, reason text);

-- name: plan_failed
-- What was asked for and can't be done, so that the report names it.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, outcome, error, completed_at, metadata)
select 'progressive_backfill', repository_id, %(processor)s, 'failed', %(run_id)s, %(run_attempt)s, %(run_key)s,
       'not_possible', error, clock_timestamp(), '{"reason": "asked for"}'
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, error text);

-- name: start
-- Take the planned job of this run.  No row back: nobody planned it.
update progressive_capture_jobs
set status = 'processing', started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
where id = (select id from progressive_capture_jobs
            where run_key = %(run_key)s and repository_id = %(repository_id)s and status = 'pending'
            order by created_at limit 1 for update skip locked)
returning id;

-- name: start_unplanned
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, workflow_run_id,
                                      workflow_run_attempt, run_key, started_at, heartbeat_at, metadata)
values ('progressive_backfill', %(repository_id)s, %(processor)s, 'processing', %(run_id)s, %(run_attempt)s,
        %(run_key)s, clock_timestamp(), clock_timestamp(), '{"reason": "started by hand"}')
returning id;

-- name: finish
-- A job that the old application's cleaner failed after ten minutes may still become what it really is.
update progressive_capture_jobs
set status = %(status)s, outcome = %(outcome)s, completed_at = clock_timestamp(), error = %(error)s,
    points = %(points)s, requests = %(requests)s, chunks = %(chunks)s, items = %(items)s, warnings = %(warnings)s
where id = %(id)s and status in ('pending', 'processing', 'failed') and outcome is null;

-- name: close
-- Whatever a run left open gets its one final status: never started, or died.
update progressive_capture_jobs
set status = case when status = 'pending' then 'cancelled' else 'failed' end,
    outcome = case when status = 'pending' then 'never_started' else 'died' end,
    error = case when status = 'pending' then 'the job never started' else 'the job ended without a word' end,
    completed_at = clock_timestamp()
where run_key = %(run_key)s and status in ('pending', 'processing');

-- name: of_run
select j.id, r.id as repository_id, r.full_name, r.is_private is not false as is_private, j.status, j.outcome, j.error,
       j.started_at, j.completed_at, coalesce(j.points, 0) as points, coalesce(j.requests, 0) as requests,
       coalesce(j.chunks, 0) as chunks, coalesce(j.items, 0) as items, coalesce(j.warnings, 0) as warnings
from progressive_capture_jobs j
left join repositories r on r.id = j.repository_id
where j.run_key = %(run_key)s
order by r.full_name, j.created_at;

-- name: latest_run
select run_key from progressive_capture_jobs where run_key is not null order by created_at desc limit 1;
