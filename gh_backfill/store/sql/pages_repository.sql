-- What the page of one repository shows, beside its standing and its jobs.  `public_only` and `untold` are as in pages.sql.

-- name: about
select r.id, r.full_name, r.is_private is not false as is_private, t.id is not null as tracked,
       greatest(t.created_at, (select max(e.at) from backfill_events e where e.repository_id = r.id and e.event = 'tracked'))
           as tracked_at,
       r.github_pull_requests_at as total_at, r.default_branch, r.description,
       (select e.who from backfill_events e
        where e.repository_id = r.id and e.event = 'tracked' and not %(public_only)s
        order by e.at desc
        limit 1) as tracked_by,
       (select count(*) from backfill_quarantine q where q.repository_id = r.id and q.resolved_at is null) as quarantined,
       (select count(*) from pull_requests p where p.repository_id = r.id and p.capture_gap is not null)
       + (select count(*) from issues i where i.repository_id = r.id and i.capture_gap is not null)
       + (select count(*) from discussions d where d.repository_id = r.id and d.capture_gap is not null) as short
from repositories r
left join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
where r.id = %(id)s::uuid and (r.is_private is false or not %(public_only)s);

-- name: chunks
-- The pages of work, the latest first.
select c.id, c.chunk_number, coalesce(s.kind, 'pull_requests') as kind, coalesce(s.stream, 'history') as stream, c.status,
       c.attempt, coalesce(c.retry_count, 0) as failures, c.retry_at, c.lease_until as lease_at,
       case when c.error is not null then coalesce(%(untold)s::text, c.error) end as error,
       case when not %(public_only)s then c.claimed_by end as claimed_by, c.created_at,
       c.started_at, c.completed_at, c.pr_count as items, c.points, c.rows_inserted as inserted, c.rows_updated as updated,
       c.rows_quarantined as quarantined
from (
    select *
    from backfill_chunks
    where repository_id = %(id)s::uuid
      and (%(before)s::timestamptz is null or (created_at, id) < (%(before)s::timestamptz, %(before_id)s::uuid))
    order by created_at desc, id desc
    limit %(most)s
) c
left join backfill_streams s on s.id = c.stream_id
order by c.created_at desc, c.id desc;

-- name: quarantined_items
-- What could not be stored or read, the latest first.
select id, item_kind, kind, identity, number, coalesce(%(untold)s::text, reason) as reason, attempts, first_seen_at, last_seen_at
from backfill_quarantine
where repository_id = %(id)s::uuid and resolved_at is null
order by last_seen_at desc, id
limit %(most)s;

-- name: gaps
-- Items of which GitHub counts more than it lists; they are few, and found by an index of their own.
with short as materialized (
    select 'pull_requests' as kind, number, capture_gap as gap
    from pull_requests
    where repository_id = %(id)s::uuid and capture_gap is not null
    union all
    select 'issues', number, capture_gap
    from issues
    where repository_id = %(id)s::uuid and capture_gap is not null
    union all
    select 'discussions', number, capture_gap
    from discussions
    where repository_id = %(id)s::uuid and capture_gap is not null
)
select kind, number, gap from short order by number desc limit %(most)s;

-- name: coverage
-- The numbers from 1 to the highest in so many cells of equal width: whether a pull request of a cell is here, and how many
-- of it are in quarantine or have a gap.  Each cell is one look into an index, however many pull requests there are.
with range as materialized (
    select greatest((select max(number) from pull_requests where repository_id = %(id)s::uuid),
                    (select max(number) from backfill_quarantine
                     where repository_id = %(id)s::uuid and resolved_at is null and item_kind = 'pull_requests')) as highest,
           (select min(number) from pull_requests where repository_id = %(id)s::uuid) as lowest
), odd as (
    select number, true as quarantined from backfill_quarantine
    where repository_id = %(id)s::uuid and resolved_at is null and item_kind = 'pull_requests' and number is not null
    union all
    select number, false from pull_requests where repository_id = %(id)s::uuid and capture_gap is not null
), whole as (
    select coalesce(bool_or(stream = 'history' and part = 0 and status = 'completed' and goal_max_items is null
                            and goal_since is null and goal_until is null and goal_states is null), false) as walked,
           coalesce(bool_or(part > 0), false) as split
    from backfill_streams
    where repository_id = %(id)s::uuid and kind = 'pull_requests'
), cell as (
    select n, 1 + (n - 1) * r.highest::bigint / c.cells as first, n * r.highest::bigint / c.cells as last, r.highest, r.lowest
    from range r
    cross join lateral (select least(%(cells)s, r.highest) as cells) c
    cross join lateral generate_series(1, c.cells) as n
    where r.highest is not null
)
select c.n, c.first, c.last,
       exists (select from pull_requests p
               where p.repository_id = %(id)s::uuid and p.number between c.first and c.last) as here,
       w.walked or (not w.split and c.first >= c.lowest) as walked,
       (select count(*) from odd o where o.quarantined and o.number between c.first and c.last) as quarantined,
       (select count(*) from odd o where not o.quarantined and o.number between c.first and c.last) as short
from cell c
cross join whole w;

-- name: story
-- Everything that happened to a repository, the latest first: each source gives as many as are shown, from before the place, and
-- in the order of all, so that nothing of one moment is lost between two pages.
with event as (
    select at, 'event ' || id as key, 'event' as source, jsonb_build_object(
               'event', event, 'detail', case when not %(public_only)s then detail end,
               'who', case when not %(public_only)s then who end, 'run_key', run_key, 'kind', kind) as told
    from backfill_events
    where repository_id = %(id)s::uuid
      and (%(before)s::timestamptz is null or (at, 'event ' || id) < (%(before)s::timestamptz, %(before_key)s::text))
      and (%(before)s::timestamptz is null or at <= %(before)s::timestamptz)
    order by at desc, 'event ' || id desc
    limit %(most)s
), job as (
    select created_at, 'job ' || id, 'job', jsonb_build_object(
               'status', status, 'outcome', outcome, 'error', case when error is not null then coalesce(%(untold)s::text, error) end,
               'error_type', error_type, 'reason', case when not %(public_only)s then metadata ->> 'reason' end,
               'beat_at', coalesce(heartbeat_at, started_at), 'processor', processor_type, 'job_type', job_type, 'items', items,
               'item', coalesce(metadata ->> 'item', 'pull request'), 'points', points,
               'started_at', started_at, 'completed_at', completed_at, 'run_key', run_key, 'run_id', workflow_run_id,
               'attempt', workflow_run_attempt, 'worker', case when not %(public_only)s then worker end)
    from progressive_capture_jobs
    where repository_id = %(id)s::uuid and run_key is not null
      and (%(before)s::timestamptz is null or (created_at, 'job ' || id) < (%(before)s::timestamptz, %(before_key)s::text))
      and (%(before)s::timestamptz is null or created_at <= %(before)s::timestamptz)
    order by created_at desc, 'job ' || id desc
    limit %(most)s
), chunk as (
    select c.created_at, 'chunk ' || c.id, 'chunk', jsonb_build_object(
               'chunk_number', c.chunk_number, 'kind', coalesce(s.kind, 'pull_requests'), 'stream', coalesce(s.stream, 'history'),
               'status', c.status, 'attempt', c.attempt, 'failures', coalesce(c.retry_count, 0), 'retry_at', c.retry_at,
               'lease_at', c.lease_until, 'error', case when c.error is not null then coalesce(%(untold)s::text, c.error) end,
               'claimed_by', case when not %(public_only)s then c.claimed_by end, 'started_at', c.started_at,
               'completed_at', c.completed_at, 'items', c.pr_count, 'points', c.points, 'inserted', c.rows_inserted,
               'updated', c.rows_updated, 'quarantined', c.rows_quarantined)
    from (
        select *
        from backfill_chunks
        where repository_id = %(id)s::uuid
          and (%(before)s::timestamptz is null or (created_at, 'chunk ' || id) < (%(before)s::timestamptz, %(before_key)s::text))
          and (%(before)s::timestamptz is null or created_at <= %(before)s::timestamptz)
        order by created_at desc, 'chunk ' || id desc
        limit %(most)s
    ) c
    left join backfill_streams s on s.id = c.stream_id
), quarantined as (
    select first_seen_at, 'quarantine ' || id, 'quarantine', jsonb_build_object(
               'kind', kind, 'identity', identity, 'number', number,
               'reason', coalesce(%(untold)s::text, reason), 'resolved_at', resolved_at,
               'attempts', attempts)
    from backfill_quarantine
    where repository_id = %(id)s::uuid
      and (%(before)s::timestamptz is null or (first_seen_at, 'quarantine ' || id) < (%(before)s::timestamptz, %(before_key)s::text))
      and (%(before)s::timestamptz is null or first_seen_at <= %(before)s::timestamptz)
    order by first_seen_at desc, 'quarantine ' || id desc
    limit %(most)s
), announced as (
    -- What a webhook announced stands here until it is fetched; from then on the job that fetched it tells.  Nobody fetches for a
    -- repository that is not tracked.
    select w.last_at, 'announced ' || w.identity, 'announced', jsonb_build_object(
               'number', w.identity, 'event', w.event, 'action', w.payload ->> 'action', 'times', w.times, 'attempts', w.attempts,
               'who', case when not %(public_only)s then w.payload ->> 'actor' end, 'retry_at', w.retry_at,
               'reason', case when w.reason is not null then coalesce(%(untold)s::text, w.reason) end,
               'tracked', exists (select from tracked_repositories t
                                  where t.repository_id = r.id and t.tracking_enabled is distinct from false))
    from webhook_pending w
    join repositories r on r.github_id = w.repository_github_id
    where r.id = %(id)s::uuid and w.kind = 'capture'
      and (%(before)s::timestamptz is null or (w.last_at, 'announced ' || w.identity) < (%(before)s::timestamptz, %(before_key)s::text))
    order by w.last_at desc, 'announced ' || w.identity desc
    limit %(most)s
)
select * from event union all select * from job union all select * from chunk union all select * from quarantined
union all select * from announced
order by at desc, key desc
limit %(most)s;
