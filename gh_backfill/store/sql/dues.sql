-- What is due for a sync, by the one thing that ticks obey; and what a tick writes of all that it asked about, in one statement
-- each, whatever the number.

-- name: begin_dues
-- Whoever was tracked and never synced is due since then.
insert into repository_syncs (repository_id, next_due_at)
select t.repository_id, least(t.created_at, clock_timestamp())
from tracked_repositories t
where t.tracking_enabled is distinct from false
  and not exists (select from repository_syncs y where y.repository_id = t.repository_id)
order by t.repository_id
on conflict (repository_id) do nothing;

-- name: take_due
-- The longest due first.  What is taken is due again after the lease, should the one that took it die.  A repository of which a
-- job waits, or is at work, is served by that.
with due as materialized (
    select y.repository_id, y.next_due_at
    from repository_syncs y
    join repositories r on r.id = y.repository_id and r.node_id is not null
    join tracked_repositories t on t.repository_id = y.repository_id and t.tracking_enabled is distinct from false
    where y.next_due_at <= coalesce(%(now)s::timestamptz, clock_timestamp())
      and not exists (select from backfills b where b.repository_id = y.repository_id and b.kind = 'pull_requests' and b.held)
      and not exists (select from progressive_capture_jobs j
                      where j.repository_id = y.repository_id and j.job_type = 'sync' and j.outcome is null
                        and (j.status = 'pending' or j.status = 'processing'
                                                     and coalesce(j.heartbeat_at, j.started_at) > clock_timestamp() - %(alive)s::interval))
    order by y.next_due_at, y.repository_id
    limit %(most)s
    for update of y skip locked
), taken as (
    update repository_syncs y
    set next_due_at = coalesce(%(now)s::timestamptz, clock_timestamp()) + %(lease)s::interval
    from due
    where due.repository_id = y.repository_id
    returning y.repository_id, due.next_due_at as due_since, y.interval_minutes, y.failures
)
select r.id, r.node_id, r.full_name, r.is_private is not false as is_private, r.github_pull_requests as total,
       taken.due_since, taken.failures, taken.interval_minutes, t.priority::text as priority, t.sync_frequency_hours,
       coalesce(t.kinds, %(kinds)s::text[]) as kinds,
       coalesce(b.status in ('active', 'paused'), false) as backfilling,
       (select coalesce(jsonb_object_agg(s.kind, s.watermark), '{}')
        from (select kind, coalesce(max(watermark) filter (where stream = 'sync'),
                                    max(watermark) filter (where stream = 'catch_up')) as watermark
              from backfill_streams
              where repository_id = r.id and stream in ('sync', 'catch_up') and status = 'completed' and watermark is not null
              group by kind) s) as checkpoints
from taken
join repositories r on r.id = taken.repository_id
join tracked_repositories t on t.repository_id = r.id
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
order by taken.due_since, r.id;

-- name: look_due
-- The same for who only looks.
select r.full_name, r.id, r.is_private is not false as is_private, coalesce(y.next_due_at, t.created_at) as due_since
from tracked_repositories t
join repositories r on r.id = t.repository_id and r.node_id is not null
left join repository_syncs y on y.repository_id = r.id
where t.tracking_enabled is distinct from false
  and coalesce(y.next_due_at, t.created_at) <= coalesce(%(now)s::timestamptz, clock_timestamp())
  and not exists (select from backfills b where b.repository_id = r.id and b.kind = 'pull_requests' and b.held)
order by due_since, r.id
limit %(most)s;

-- name: missing_heads
-- Which of these items are not here as they are at GitHub: by the very time of their last update.  What another application
-- wrote has that time, and perhaps nothing of what belongs to the item: only what we read ourselves counts.
select i.repository_id, i.kind, i.number
from jsonb_to_recordset(%(heads)s) as i (repository_id uuid, kind text, number integer, updated_at timestamptz)
where not exists (select from pull_requests p
                  where i.kind = 'pull_requests' and p.repository_id = i.repository_id and p.number = i.number
                    and p.updated_at = i.updated_at and p.counts_fetched_at is not null)
  and not exists (select from issues s
                  where i.kind = 'issues' and s.repository_id = i.repository_id and s.number = i.number
                    and s.updated_at = i.updated_at and s.counts_fetched_at is not null)
  and not exists (select from discussions d
                  where i.kind = 'discussions' and d.repository_id = i.repository_id and d.number = i.number
                    and d.updated_at = i.updated_at and d.counts_fetched_at is not null);

-- name: advance_checkpoints
-- Everything up to `at`, GitHub's time, is as it was: the next sync reads from there.  A sync under way has its own word.
insert into backfill_streams as s (repository_id, kind, backfill_id, backfill_state_id, stream, ordering, status, watermark)
select i.repository_id, k.name, null, null, 'sync', 'UPDATED_AT', 'completed', i.at
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, kinds jsonb, at timestamptz)
cross join lateral jsonb_array_elements_text(i.kinds) as k (name)
order by i.repository_id, k.name
on conflict (repository_id, kind, stream, part) do update
set watermark = greatest(s.watermark, excluded.watermark), updated_at = clock_timestamp()
where s.status = 'completed';

-- name: settle_unchanged
update repository_syncs y
set last_success_at = greatest(y.last_success_at, i.at), next_due_at = i.next_due_at, failures = 0, last_error = null
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, at timestamptz, next_due_at timestamptz)
where y.repository_id = i.repository_id;

-- name: settle_unknown
-- GitHub did not say, or does not show it: that is a failure of this one.
update repository_syncs y
set failures = y.failures + 1, last_error = i.error, next_due_at = i.next_due_at
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, error text, next_due_at timestamptz)
where y.repository_id = i.repository_id;

-- name: give_back_due
-- What nobody asked about, and what a job will see to, is due since when it was: reports say so, and a job that dies leaves it due.
update repository_syncs y
set next_due_at = i.due_since
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, due_since timestamptz)
where y.repository_id = i.repository_id;

-- name: hasten
-- Another priority counts from now on, not from the next sync on: that comes with the next tick.
update repository_syncs
set next_due_at = clock_timestamp()
where repository_id = any(%(ids)s::uuid[]) and next_due_at > clock_timestamp();

-- name: plan_syncs
-- A job that waits for whoever routes jobs.  `changed` is a hint: so many items of each kind are not here as they are.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, time_range_days, metadata)
select 'sync', i.repository_id, 'github_actions', 'pending', i.days,
       jsonb_build_object('reason', 'scheduled', 'due_since', i.due_since, 'changed', i.changed, 'items', i.items,
                          'label', case when r.is_private is false then r.full_name else r.id::text end)
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, days integer, due_since timestamptz, changed text, items jsonb)
join repositories r on r.id = i.repository_id
order by i.due_since, i.repository_id
returning id;

-- name: dues
-- How many repositories are due, and since when the longest.  One that no tick has ever seen is due since its history is
-- complete.  What GitHub's id is not known of can't be asked about.
select count(*)::integer as many, min(due.at) as since
from tracked_repositories t
join repositories r on r.id = t.repository_id and r.node_id is not null
left join repository_syncs y on y.repository_id = t.repository_id
left join backfills b on b.repository_id = t.repository_id and b.kind = 'pull_requests'
cross join lateral (select coalesce(y.next_due_at, b.completed_at) as at) due
where t.tracking_enabled is distinct from false and b.held is not true
  and due.at <= coalesce(%(now)s::timestamptz, clock_timestamp());
