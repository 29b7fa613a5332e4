-- The questions that the customer's guides answer with SQL, as they are answered here: each runs on databases that we make and
-- on existing installations.  Give a repository by its id, as \set repository '...' in psql.  A test runs every one of them.
-- Where a note says *misleads*, the guide's own statement gives another answer than it seems to.
-- Embeddings and workspaces have their statements where they are described.

-- name: active_backfills
-- Progressive backfill guide, "Check active backfills".  Misleads: ROUND(x::float, 2) does not exist in PostgreSQL (only our
-- own databases have it), and a repository without pull requests divides by zero.  A paused or failed backfill is not active:
-- leave the condition out to see all.
select r.full_name as repository, b.processed_prs || '/' || b.total_prs as progress,
       round(100.0 * b.processed_prs / nullif(b.total_prs, 0), 2) as percent, b.status, b.pause_reason, b.resume_at, b.updated_at
from progressive_backfill_state b
join repositories r on r.id = b.repository_id
where b.status = 'active'
order by b.updated_at desc;

-- name: failed_chunks
-- Progressive backfill guide, "Find failed chunks".  Misleads: a chunk fails only for good, after five tries; what is tried
-- again is `pending` with an error and `retry_at`.
select r.full_name as repository, c.chunk_number, c.status, c.retry_count, c.retry_at, c.error, c.started_at
from backfill_chunks c
join repositories r on r.id = c.repository_id
where c.status = 'failed' or (c.status = 'pending' and c.error is not null)
order by c.started_at desc nulls last
limit 10;

-- name: completion_rates
-- Progressive backfill guide, "Check completion rates".  Misleads: in existing installations `pull_request_count` counts the
-- rows that are here, so that everything is complete; `github_pull_requests` is what GitHub counts.
select r.full_name as repository, count(p.id) as captured, r.github_pull_requests as total,
       round(100.0 * count(p.id) / nullif(r.github_pull_requests, 0), 2) as percent
from repositories r
left join pull_requests p on p.repository_id = r.id
where r.github_pull_requests > 100
group by r.id, r.full_name, r.github_pull_requests
having count(p.id) < 0.8 * r.github_pull_requests
order by percent;

-- name: doubled_chunk_numbers
-- Progressive backfill guide, "Duplicate processing", chunk numbers.  Misleads: chunks are numbered in each backfill, and in
-- each sync, so that the same number in two of them is right.
select stream_id, chunk_number, count(*)
from backfill_chunks
where stream_id is not null
group by stream_id, chunk_number
having count(*) > 1;

-- name: doubled_pull_requests
-- Progressive backfill guide, "Duplicate processing", pull requests.
select repository_id, number, count(*)
from pull_requests
group by repository_id, number
having count(*) > 1;

-- name: reset_after_errors
-- Progressive backfill guide, "Too many errors".  gh-backfill resume does the same, writes down who did it, and tells what it did.
update progressive_backfill_state
set consecutive_errors = 0, status = 'active'
where repository_id = :'repository' and status = 'paused';

-- name: one_repository
-- Aggressive backfill guide, "Script Fails Immediately".  A repository that was renamed has its present name here.
select id, owner, name, full_name, github_id, is_private
from repositories
where lower(full_name) = lower('octocat/hello-world');

-- name: data_coverage
-- Aggressive backfill guide, "Overall data coverage".  Misleads: who only reviewed or commented is a contributor, too; and an
-- existing installation may keep pull requests among its issues.
select (select count(*) from pull_requests where repository_id = :'repository') as pull_requests,
       (select count(*) from issues where repository_id = :'repository' and is_pull_request is not true) as issues,
       (select count(distinct person) from (
            select author_id as person from pull_requests where repository_id = :'repository'
            union all select v.author_id from reviews v join pull_requests p on p.id = v.pull_request_id
                      where p.repository_id = :'repository'
            union all select author_id from issues where repository_id = :'repository') people) as contributors;

-- name: recent_activity
-- Aggressive backfill guide, "Recent activity".  Misleads: the newest `created_at` says nothing of freshness in a quiet
-- repository; `synced` is the time before which every change at GitHub is here.
select 'pull requests' as kind, max(p.created_at) as newest, max(p.updated_at) as last_change,
       (select last_success_at from repository_syncs where repository_id = :'repository') as synced
from pull_requests p
where p.repository_id = :'repository'
union all
select 'issues', max(i.created_at), max(i.updated_at),
       (select last_success_at from repository_syncs where repository_id = :'repository')
from issues i
where i.repository_id = :'repository';

-- name: null_authors
-- Aggressive backfill guide, "Data quality checks".  Misleads: an account that was deleted is GitHub's `ghost`, here a row of its
-- own; what is null was not given by GitHub at all, and is no error by itself.
select 'pull requests without an author' as what, count(*) as count
from pull_requests
where repository_id = :'repository' and author_id is null
union all
select 'issues without an author', count(*)
from issues
where repository_id = :'repository' and author_id is null;

-- name: jobs_that_ended_badly
-- Actions migration, "Enhanced Monitoring": every job of the last day that did not do what it was planned for.
select j.job_type, r.full_name as repository, j.processor_type, j.status, j.outcome, j.error_type, j.error, j.completed_at,
       j.metadata ->> 'workflow_url' as workflow_url
from progressive_capture_jobs j
left join repositories r on r.id = j.repository_id
where j.status = 'failed' and j.created_at > now() - interval '1 day'
order by j.completed_at desc nulls last;

-- name: due_and_fresh
-- Actions migration, "Sync Throttling": when each repository was fresh last and when it is due again.
select r.full_name as repository, y.last_success_at, y.next_due_at, y.rows_read, y.rows_changed, y.failures, y.last_error
from tracked_repositories t
join repositories r on r.id = t.repository_id
left join repository_syncs y on y.repository_id = r.id
where t.tracking_enabled is distinct from false
order by y.next_due_at nulls first;

-- name: figures_of_a_day
-- Actions migration, "ProcessingMetrics": jobs, success, points, pauses, slow-downs and refusals of the last 24 hours.
select * from backfill_metrics;

-- name: event_coverage
-- Workspace guide, "Verification".  Misleads: a day without events is not in it, whether nothing happened or nobody looked, and
-- stars that are known as daily counts alone are no events; days go by the zone of the session.  gh-backfill coverage tells both.
select date(created_at) as date, event_type, count(*) as event_count
from github_events_cache
where repository_owner = 'octocat' and repository_name = 'hello-world' and created_at >= now() - interval '90 days'
group by date(created_at), event_type
order by date desc;

-- name: events_of_ninety_days
-- Workspace guide, "Backfill completes but metrics still show 0%".  Misleads: events of a repository that is not known to be public
-- are in private_events, and of stars that are known as daily counts there is none.
select count(*)
from github_events_cache
where repository_owner = 'octocat' and repository_name = 'hello-world' and created_at >= now() - interval '90 days';

-- name: known_days
-- Workspace guide, "Metrics calculated from event data".  Which spans of time each source has told everything of, and why it does
-- not answer now: what velocity and coverage count by.
select series, source, state, reason, asked_at, covered, expected - found as unexplained
from event_sources
where repository_id = :'repository'
order by series, source;
