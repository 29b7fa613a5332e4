-- Deliveries of GitHub's webhooks, and what they announced.

-- name: begin
-- Take a delivery.  No row back: it was taken before, and did not fail.  One that has been `processing` for a minute was lost.
insert into webhook_deliveries as d (delivery_id, event, action, status)
values (%(delivery_id)s, %(event)s, %(action)s, 'processing')
on conflict (delivery_id) do update
set status = 'processing', attempts = d.attempts + 1, error = null, received_at = clock_timestamp(), finished_at = null
where d.status = 'failed' or (d.status = 'processing' and d.received_at < clock_timestamp() - interval '1 minute')
returning attempts;

-- name: end
update webhook_deliveries
set status = %(status)s, error = %(error)s, finished_at = clock_timestamp()
where delivery_id = %(delivery_id)s;

-- name: forget
-- GitHub delivers again for three days at most.
delete from webhook_deliveries where received_at < clock_timestamp() - interval '30 days';

-- name: open_of_run
-- The open jobs of one attempt of a workflow run.
select id, coalesce(metadata ->> 'label', repository_id::text, '') as label, run_key, workflow_run_id as run_id,
       coalesce(workflow_run_attempt, 1) as attempt,
       case when status = 'failed' then 'processing' else status end as status, created_at,
       coalesce(heartbeat_at, started_at) as beat_at
from progressive_capture_jobs
where workflow_run_id = %(run_id)s and coalesce(workflow_run_attempt, 1) = %(attempt)s and outcome is null
  and status in ('pending', 'processing', 'failed')
order by created_at;

-- name: announce
-- Only what is tracked here counts.  However often a thing moves within the minute, it is one row.
insert into webhook_pending as w (repository_github_id, kind, identity, event, payload)
select %(repository_github_id)s, %(kind)s, %(identity)s, %(event)s, %(payload)s
where exists (select from repositories r
              join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
              where r.github_id = %(repository_github_id)s)
on conflict (repository_github_id, kind, identity) do update
set times = w.times + 1, last_at = clock_timestamp(), event = excluded.event, payload = excluded.payload;

-- name: due
-- Take what was announced at least a minute ago: one row for each repository with the numbers that moved.
delete from webhook_pending w
using repositories r
where w.kind = 'capture' and r.github_id = w.repository_github_id
  and w.repository_github_id in (select repository_github_id from webhook_pending
                                 where kind = 'capture' and first_at <= %(before)s)
returning r.id as repository_id, w.identity;

-- name: put_back
insert into webhook_pending (repository_github_id, kind, identity, event)
select r.github_id, 'capture', %(identity)s, 'again' from repositories r where r.id = %(repository_id)s
on conflict do nothing;
