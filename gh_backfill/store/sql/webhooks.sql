-- Deliveries of GitHub's webhooks, and what they announced.

-- name: begin
-- Take a delivery.  No row back: it was taken before, and did something.  One that failed is taken again, and so is one
-- that was ignored: its repository may be tracked by now.  One that has been `processing` for a minute was lost.
insert into webhook_deliveries as d (delivery_id, event, action, status)
values (%(delivery_id)s, %(event)s, %(action)s, 'processing')
on conflict (delivery_id) do update
set status = 'processing', attempts = d.attempts + 1, error = null, received_at = clock_timestamp(), finished_at = null
where d.status in ('failed', 'ignored')
   or (d.status = 'processing' and d.received_at < clock_timestamp() - interval '1 minute')
returning attempts;

-- name: end
update webhook_deliveries
set status = %(status)s, error = %(error)s, finished_at = clock_timestamp()
where delivery_id = %(delivery_id)s;

-- name: forget_deliveries
-- GitHub delivers again for three days at most.
delete from webhook_deliveries where received_at < clock_timestamp() - interval '30 days';

-- name: forget_announced
-- Of a repository that is not tracked any more nothing is fetched.  Of one that is, a pull request stays announced until it
-- is fetched, however long the receiver is down or without a token: nobody else knows that it moved.
delete from webhook_pending w
where w.last_at < clock_timestamp() - interval '30 days'
  and (w.kind = 'event'
       or not exists (select from repositories r
                      join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
                      where r.github_id = w.repository_github_id));

-- name: forget_events
-- Of what no event could be made of, the newest of each repository is kept for who looks for the reason.
delete from webhook_pending w
using (select repository_github_id, identity,
              row_number() over (partition by repository_github_id order by last_at desc, identity) as place
       from webhook_pending
       where kind = 'event' and reason is not null) as old
where w.kind = 'event' and w.repository_github_id = old.repository_github_id and w.identity = old.identity
  and old.place > %(most)s;

-- name: heard
-- What tells of events of repositories that are tracked or in a workspace, the longest heard first, as far as it was not found unusable.
select w.repository_github_id, r.id as repository_id, w.identity, w.version, w.event, w.payload, w.first_at as heard_at
from webhook_pending w
join repositories r on r.github_id = w.repository_github_id
where w.kind = 'event' and w.reason is null
  and (exists (select from tracked_repositories t
               where t.repository_id = r.id and t.tracking_enabled is distinct from false)
       or exists (select from workspace_repositories m
                  join workspaces k on k.id = m.workspace_id and k.is_active is distinct from false
                  where m.repository_id = r.id))
order by w.first_at, w.repository_github_id, w.identity
limit %(most)s;

-- name: take_heard
-- Take what becomes events in this transaction.  What another one is at is left to that; what came again meanwhile stays.
with mine as (
    select w.identity
    from webhook_pending w
    join jsonb_to_recordset(%(rows)s) as i (identity text, version uuid) on i.identity = w.identity and i.version = w.version
    where w.repository_github_id = %(repository_github_id)s and w.kind = 'event'
    order by w.identity
    for update of w skip locked
)
delete from webhook_pending w
using mine
where w.repository_github_id = %(repository_github_id)s and w.kind = 'event' and w.identity = mine.identity
returning w.identity;

-- name: set_heard_aside
-- It is judged anew only where it comes again.
update webhook_pending w
set attempts = w.attempts + 1, reason = i.reason
from jsonb_to_recordset(%(rows)s) as i (identity text, version uuid, reason text)
where w.repository_github_id = %(repository_github_id)s and w.kind = 'event' and w.reason is null
  and w.identity = i.identity and w.version = i.version;

-- name: drop_heard
-- Of a repository that is not tracked any more, and in no workspace, nothing is kept.
delete from webhook_pending w
where w.kind = 'event'
  and not exists (select from repositories r
                  join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
                  where r.github_id = w.repository_github_id)
  and not exists (select from repositories r
                  join workspace_repositories m on m.repository_id = r.id
                  join workspaces k on k.id = m.workspace_id and k.is_active is distinct from false
                  where r.github_id = w.repository_github_id);

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
-- Only what is tracked here counts, and for events what is in a workspace.  However often a thing moves before it is fetched,
-- it is one row.
insert into webhook_pending as w (repository_github_id, kind, identity, event, payload)
select %(repository_github_id)s, %(kind)s, %(identity)s, %(event)s, %(payload)s
where exists (select from repositories r
              join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
              where r.github_id = %(repository_github_id)s)
   or %(kind)s = 'event'
      and exists (select from repositories r
                  join workspace_repositories m on m.repository_id = r.id
                  join workspaces k on k.id = m.workspace_id and k.is_active is distinct from false
                  where r.github_id = %(repository_github_id)s)
on conflict (repository_github_id, kind, identity) do update
set times = w.times + 1, last_at = clock_timestamp(), event = excluded.event, payload = excluded.payload,
    version = gen_random_uuid(), attempts = 0, retry_at = null, reason = null;

-- name: due
-- What is to be fetched: all that was announced of a repository once the first of it has waited long enough.  It stays
-- announced until the transaction that stores it.
select r.id, r.github_id, r.owner, r.name, r.node_id, r.is_private is true as is_private,
       w.identity::integer as number, w.version, w.attempts
from webhook_pending w
join repositories r on r.github_id = w.repository_github_id
where w.kind = 'capture' and w.identity ~ '^[0-9]{1,9}$' and (w.retry_at is null or w.retry_at <= %(now)s)
  and w.repository_github_id in (select repository_github_id from webhook_pending
                                 where kind = 'capture' and coalesce(retry_at, first_at + %(gather)s) <= %(now)s)
  and exists (select from tracked_repositories t
              where t.repository_id = r.id and t.tracking_enabled is distinct from false)
order by w.first_at, r.id, w.identity
limit %(most)s;

-- name: done
-- Take off the list what was stored in this transaction, unless it was announced again since it was read from the list.
delete from webhook_pending w
using jsonb_to_recordset(%(rows)s) as i (identity text, version uuid)
where w.repository_github_id = %(repository_github_id)s and w.kind = 'capture'
  and w.identity = i.identity and w.version = i.version;

-- name: gather_anew
-- What was announced again while it was fetched waits as anything new does.
update webhook_pending w
set first_at = w.last_at
from jsonb_to_recordset(%(rows)s) as i (identity text, version uuid)
where w.repository_github_id = %(repository_github_id)s and w.kind = 'capture'
  and w.identity = i.identity and w.version <> i.version;

-- name: failed
update webhook_pending w
set attempts = w.attempts + 1, retry_at = i.retry_at, reason = i.reason
from jsonb_to_recordset(%(rows)s) as i (identity text, version uuid, retry_at timestamptz, reason text)
where w.repository_github_id = %(repository_github_id)s and w.kind = 'capture'
  and w.identity = i.identity and w.version = i.version;

-- name: waiting
-- How many pull requests are announced, since when, and how many could not be fetched so far; those that nobody fetches, since
-- their repository is not tracked any more, wait for nothing.
select count(*)::integer as announced, min(first_at) as since, count(*) filter (where attempts > 0)::integer as failing,
       (array_agg(reason order by retry_at desc) filter (where reason is not null))[1] as reason
from webhook_pending w
where kind = 'capture'
  and exists (select from repositories r
              join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
              where r.github_id = w.repository_github_id);

-- name: unusable
-- Of how much no event could be made, and why not of the last.
select count(*)::integer as many, (array_agg(reason order by last_at desc))[1] as reason
from webhook_pending
where kind = 'event' and reason is not null;
