-- Repositories that were added together, and the initial backfills that wait for a worker.

-- name: record_batch
insert into backfill_batches (id, created_at, created_by, backfill, wish, members)
values (%(id)s, %(created_at)s, %(created_by)s, %(backfill)s, %(wish)s, %(members)s);

-- name: batch
select id, created_at, created_by, backfill, wish, members from backfill_batches where id = %(id)s;

-- name: last_batches
select id, created_at, created_by, backfill, wish, members
from backfill_batches
order by created_at desc, id desc
limit %(most)s;

-- name: forget_batches
-- A quarter is kept, and what still waits or runs.
delete from backfill_batches b
where b.created_at < clock_timestamp() - interval '90 days'
  and not exists (select from repositories r
                  where r.initial_backfill_status in ('pending', 'processing')
                    and b.members @> jsonb_build_array(jsonb_build_object('repository_id', r.id)));

-- name: initial_queue
-- Initial backfills that may go on now and that nobody works on; those of which the last batch wants one of an account at a time
-- are `alone`.  Who takes one asks for its `id` once more, while it is locked: others take from the same queue.
select r.id, r.full_name, b.updated_at, r.github_pushed_at as pushed_at,
       case when g.filtered then coalesce(g.wanted, g.goal_max_items, r.github_pull_requests)
            else least(g.goal_max_items, r.github_pull_requests) end as wanted,
       coalesce((select a.wish -> 'one_per_owner' = 'true' from backfill_batches a
                 where a.members @> jsonb_build_array(jsonb_build_object('repository_id', r.id))
                 order by a.created_at desc, a.id desc limit 1), false) as alone
from repositories r
join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
where r.initial_backfill_status in ('pending', 'processing')
  and (%(id)s::uuid is null or r.id = %(id)s::uuid)
  and (b.status = 'active' and not b.held
       or b.status = 'paused' and case when b.resume_at is null then not b.held else b.resume_at <= clock_timestamp() end)
  and not exists (select from backfill_chunks c
                  where c.backfill_id = b.id and c.status = 'processing' and c.lease_until > clock_timestamp())
  -- One that somebody else has just taken has a job before it has a page.
  and not exists (select from progressive_capture_jobs j
                  where j.repository_id = r.id and j.outcome is null and j.status in ('pending', 'processing')
                    and j.run_key is not null and j.job_type is distinct from 'events'
                    and coalesce(j.heartbeat_at, j.started_at, j.created_at) > clock_timestamp() - interval '3 minutes');
