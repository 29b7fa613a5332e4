-- Jobs that are long over, added up by day.

-- name: sum_up
-- The oldest of ours that have an end, at most so many at once: each is a row of the ledger or part of a sum, never both.  Kept
-- are the last ten of each repository and type, from which times and failures in a row are told, and what failed since a type
-- of job was last completed.  The jobs of an application, and what it wrote for us and nobody began, are its own.
with old as materialized (
    select j.id
    from progressive_capture_jobs j
    where j.run_key is not null and j.outcome is not null and j.status not in ('pending', 'processing')
      and greatest(j.created_at, j.completed_at) < coalesce(%(now)s::timestamptz, clock_timestamp()) - %(old)s
      and (j.repository_id is null
           or (select count(*) from (select from progressive_capture_jobs n
                                     where n.repository_id = j.repository_id and n.job_type = j.job_type
                                       and n.created_at > j.created_at
                                     limit %(kept)s) newer) = %(kept)s
              and (j.status <> 'failed'
                   or exists (select from progressive_capture_jobs n
                              where n.repository_id = j.repository_id and n.job_type = j.job_type
                                and n.created_at > j.created_at and n.status = 'completed')))
    order by j.created_at
    limit %(most)s
    for update skip locked
), gone as (
    delete from progressive_capture_jobs j
    using old
    where j.id = old.id
    returning j.*
), summed as (
    insert into job_sums as s (day, processor, job_type, repository_id, jobs, started, failed, points, requests, chunks, items,
                               minutes, cost)
    select (g.created_at at time zone 'UTC')::date, g.processor_type, g.job_type, g.repository_id, count(*)::integer,
           count(g.started_at)::integer, count(*) filter (where g.status = 'failed')::integer, coalesce(sum(g.points), 0),
           coalesce(sum(g.requests), 0), coalesce(sum(g.chunks), 0), coalesce(sum(g.items), 0),
           coalesce(sum(ceil(coalesce(g.runner_seconds, case when isfinite(g.completed_at) and isfinite(g.started_at)
                                                  then extract(epoch from g.completed_at - g.started_at) end) / 60)), 0),
           coalesce(sum(g.cost), 0)::float8
    from gone g
    group by 1, 2, 3, 4
    on conflict (day, processor, job_type, repository_id) do update
    set jobs = s.jobs + excluded.jobs, started = s.started + excluded.started, failed = s.failed + excluded.failed,
        points = s.points + excluded.points, requests = s.requests + excluded.requests, chunks = s.chunks + excluded.chunks,
        items = s.items + excluded.items, minutes = s.minutes + excluded.minutes, cost = s.cost + excluded.cost
)
select count(*)::integer as jobs from gone;
