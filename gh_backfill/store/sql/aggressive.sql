-- Aggressive backfills: one that is not over for each repository, and its steps.

-- name: reopen_aggressive
-- A step of the last one failed not long ago: it goes on where it was.  One whose checklist did not hold begins anew.
update aggressive_backfills a
set status = 'pending', completed_at = null, worker = null
where a.status = 'failed' and a.checklist is null and a.repository_id = %(repository_id)s::uuid and a.completed_at > clock_timestamp() - %(rested)s
  and not exists (select from aggressive_backfills o
                  where o.repository_id = a.repository_id and o.created_at > a.created_at);

-- name: ask_aggressive
-- One that is not over goes on; where data is wanted (`reads`), with the larger of both wishes.
insert into aggressive_backfills as a (repository_id, kinds, since, asked_by)
values (%(repository_id)s::uuid, %(kinds)s::text[], %(since)s, %(who)s)
on conflict (repository_id) where status in ('pending', 'processing') do update
set kinds = case when %(reads)s then array(select kind from unnest(a.kinds || excluded.kinds) with ordinality as u (kind, at)
                                           group by kind order by min(at)) else a.kinds end,
    since = case when not %(reads)s then a.since when a.since is null or excluded.since is null then null
                 else least(a.since, excluded.since) end,
    version = a.version + case when %(reads)s and (not excluded.kinds <@ a.kinds or excluded.since < a.since
                                                   or excluded.since is null and a.since is not null) then 1 else 0 end,
    not_before = null
returning id::text as id, (xmax = 0) as inserted, version;

-- name: ask_steps
-- A step that is wanted again of an open backfill is only added: what is done stays done, unless more is wanted of it.
insert into aggressive_steps as s (backfill_id, step)
select %(id)s::uuid, step from unnest(%(steps)s::text[]) as u (step)
on conflict (backfill_id, step) do update
set status = 'pending', completed_at = null
where s.status in ('failed', 'skipped') or %(again)s and s.status = 'completed';

-- name: go_on_now
update aggressive_backfills
set not_before = null
where repository_id = %(repository_id)s::uuid and status in ('pending', 'processing')
returning id;

-- name: claim_aggressive
-- Nobody else works on it, or whoever did fell silent.
update aggressive_backfills
set status = 'processing', worker = %(worker)s, run_key = %(run_key)s, beat_at = clock_timestamp(), not_before = null,
    started_at = coalesce(started_at, clock_timestamp()), reason = null
where id = %(id)s::uuid
  and (status = 'pending' or status = 'processing' and (worker = %(worker)s or beat_at < clock_timestamp() - %(old)s))
returning id;

-- name: take_back
-- Its worker is known to be gone.
update aggressive_backfills
set status = 'pending', worker = null
where id = %(id)s::uuid and worker = %(worker)s and status = 'processing';

-- name: due_aggressive
-- What waits for somebody, the longest waiting first.
select id::text as id
from aggressive_backfills
where status = 'pending' and coalesce(not_before, '-infinity') <= clock_timestamp()
   or status = 'processing' and beat_at < clock_timestamp() - %(old)s
order by created_at, id;

-- name: beat_aggressive
update aggressive_backfills
set beat_at = clock_timestamp()
where id = %(id)s::uuid and worker = %(worker)s and status = 'processing'
returning id;

-- name: begin_step
-- Whoever lost it to another worker, or to who cancelled it, writes nothing more.
update aggressive_steps s
set status = 'processing', started_at = coalesce(s.started_at, clock_timestamp()), told = null
from aggressive_backfills a
where s.backfill_id = %(id)s::uuid and s.step = %(step)s and a.id = s.backfill_id and a.worker = %(worker)s
  and a.status = 'processing'
returning s.step;

-- name: tell_step
update aggressive_steps
set done = %(done)s, total = %(total)s
where backfill_id = %(id)s::uuid and step = %(step)s and status = 'processing';

-- name: end_step
-- What is complete while more was wanted of it meanwhile is to be done again.
update aggressive_steps s
set status = case when %(status)s = 'completed' and a.version <> %(version)s then 'pending' else %(status)s end, told = %(told)s,
    completed_at = case when %(status)s in ('completed', 'skipped') then clock_timestamp() end
from aggressive_backfills a
where s.backfill_id = %(id)s::uuid and s.step = %(step)s and a.id = s.backfill_id and a.worker = %(worker)s
  and a.status = 'processing'
returning s.step;

-- name: leave_aggressive
-- It goes on another time.
update aggressive_backfills
set status = 'pending', worker = null, reason = %(reason)s, not_before = %(not_before)s, points = points + %(points)s
where id = %(id)s::uuid and worker = %(worker)s and status = 'processing';

-- name: end_aggressive
update aggressive_backfills
set status = %(status)s, reason = %(reason)s, checklist = %(checklist)s::jsonb, points = points + %(points)s, worker = null,
    completed_at = clock_timestamp()
where id = %(id)s::uuid and worker = %(worker)s and status = 'processing'
  and (version = %(version)s and %(steps)s::text[] @> array(select step from aggressive_steps where backfill_id = %(id)s::uuid)
       or %(checklist)s::jsonb is null)
returning id;

-- name: cancel_run
-- A step that somebody was at is one that is not done.
with over as (update aggressive_backfills
              set status = 'cancelled', reason = 'its run was cancelled in Inngest', completed_at = clock_timestamp()
              where run_key = %(run_key)s and status in ('pending', 'processing')
              returning id)
update aggressive_steps s
set status = 'pending'
from over
where s.backfill_id = over.id and s.status = 'processing';

-- name: cancel_aggressive
-- A step that somebody was at is one that is not done.
with over as (update aggressive_backfills
              set status = 'cancelled', reason = 'cancelled by ' || %(who)s::text, completed_at = clock_timestamp()
              where repository_id = any(%(ids)s::uuid[]) and status in ('pending', 'processing')
              returning id, repository_id),
     left_off as (update aggressive_steps s
                  set status = 'pending'
                  from over
                  where s.backfill_id = over.id and s.status = 'processing')
select repository_id from over;

-- name: aggressive_standing
-- The last one of each repository (ids null: of all that ever had one), and its steps.
select a.id::text as id, a.repository_id::text as repository_id, r.full_name, r.is_private is true as is_private, a.status,
       a.kinds, a.since, a.asked_by, a.version, a.worker, a.points, a.checklist, a.reason, a.not_before, a.created_at, a.started_at,
       a.beat_at, a.completed_at, coalesce(a.status = 'processing' and a.beat_at < clock_timestamp() - %(old)s, false) as silent,
       (select coalesce(jsonb_agg(jsonb_build_object('step', s.step, 'status', s.status, 'told', s.told, 'done', s.done,
                                                     'total', s.total)), '[]')
        from aggressive_steps s where s.backfill_id = a.id) as steps
from (select distinct on (repository_id) * from aggressive_backfills
      where %(ids)s::uuid[] is null or repository_id = any(%(ids)s::uuid[])
      order by repository_id, created_at desc, id desc) a
join repositories r on r.id = a.repository_id
order by a.created_at desc, r.full_name;

-- name: aggressive_of
select a.repository_id::text as repository_id from aggressive_backfills a where a.id = %(id)s::uuid;

-- name: checked_kinds
-- How the backfill of each kind of a repository stands, and the goal of its walk.
select b.kind, b.status = 'completed' as over, b.gaps, s.goal_max_items, s.goal_since, s.goal_until, s.goal_states
from backfills b
join backfill_streams s on s.backfill_id = b.id and s.stream = 'history' and s.part = 0
where b.repository_id = %(repository_id)s::uuid
order by b.kind;

-- name: checked_authors
-- The pull requests and issues that say nobody's name.
select (select count(*) from pull_requests
        where repository_id = %(repository_id)s::uuid and gone_at is null and author_id is null)::integer
           + (select count(*) from issues
              where repository_id = %(repository_id)s::uuid and gone_at is null and author_id is null)::integer as unnamed;

-- name: checked_errors
-- Jobs of the repository that failed since then, and none like them went well after: those of Inngest, and those that the
-- database failed.
select (count(*) filter (where processor_type = 'inngest'))::integer as inngest,
       (array_agg(error order by created_at desc) filter (where processor_type = 'inngest'))[1] as inngest_error,
       (count(*) filter (where error_type = 'database'))::integer as database,
       (array_agg(error order by created_at desc) filter (where error_type = 'database'))[1] as database_error
from progressive_capture_jobs j
where repository_id = %(repository_id)s::uuid and outcome in ('failed', 'died') and created_at >= %(began)s
  and not exists (select from progressive_capture_jobs o
                  where o.repository_id = j.repository_id and o.job_type = j.job_type and o.created_at > j.created_at
                    and o.outcome is distinct from 'failed' and o.outcome is distinct from 'died');
