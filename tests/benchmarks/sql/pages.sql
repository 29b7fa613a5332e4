-- An installation of some age: repositories in every state, their pages of work, sixty days of jobs, and those of a host
-- application.

-- name: installation
insert into repositories (github_id, full_name, owner, name, is_private, github_pull_requests)
select n, 'bench/repository-' || lpad(n::text, 5, '0'), 'bench', 'repository-' || lpad(n::text, 5, '0'), n %% 7 = 0, 100 + n
from generate_series(1, %(repositories)s) as n;

insert into tracked_repositories (repository_id, organization_name, repository_name)
select id, owner, name from repositories;

insert into backfills (repository_id, status, total, captured, held, held_reason, held_by, pause_reason, resume_at, last_error,
                       last_error_at, completed_at, last_processed_at, created_at, points)
select id,
       case when github_id %% 10 < 7 then 'completed' when github_id %% 10 = 7 then 'active'
            when github_id %% 20 = 8 then 'failed' else 'paused' end,
       github_pull_requests, case when github_id %% 10 < 7 then github_pull_requests else 50 end,
       github_id %% 50 = 19, case when github_id %% 50 = 19 then 'cancelled' end, case when github_id %% 50 = 19 then 'mona' end,
       case when github_id %% 10 = 9 then 'graphql_rate_limit_low' end,
       case when github_id %% 10 = 9 then now() + interval '20 minutes' end,
       case when github_id %% 20 = 8 then 'GitHub answers 404' end, case when github_id %% 20 = 8 then now() - interval '1 hour' end,
       case when github_id %% 10 < 7 then now() - github_id %% 90 * interval '1 day' end, now() - interval '1 hour',
       now() - (1 + github_id %% 100) * interval '1 day', 40
from repositories;

insert into backfill_streams (repository_id, backfill_id, backfill_state_id, stream, ordering, status, goal_max_items)
select repository_id, id, id, 'history', 'CREATED_AT', case when status = 'completed' then 'completed' else 'active' end,
       case when total %% 3 = 0 then 200 end
from backfills;

insert into backfill_streams (repository_id, backfill_id, backfill_state_id, stream, ordering, status, watermark)
select repository_id, id, id, 'catch_up', 'UPDATED_AT', 'completed', now() - total %% 24 * interval '1 hour'
from backfills where status = 'completed';

insert into backfill_chunks (repository_id, backfill_id, backfill_state_id, stream_id, chunk_number, status, started_at, completed_at,
                             created_at, points, api_calls_made, pr_numbers, processor_type, claimed_by)
select s.repository_id, s.backfill_id, s.backfill_id, s.id, n, 'completed', at, at + interval '3 seconds', at, 2, 2,
       array(select generate_series(1, 74)), 'github_actions', 'a worker'
from backfill_streams s
cross join generate_series(1, 20) as n
cross join lateral (select now() - interval '1 day' + n * interval '1 minute' as at) moment
where s.stream = 'history';

insert into backfill_chunks (repository_id, backfill_id, backfill_state_id, stream_id, chunk_number, status, started_at, lease_until,
                             retry_count, error, processor_type, claimed_by)
select s.repository_id, s.backfill_id, s.backfill_id, s.id, 21, 'processing', now(), now() + interval '5 minutes',
       case when r.github_id %% 30 = 7 then 2 else 0 end, case when r.github_id %% 30 = 7 then 'GitHub took over 10 s' end,
       'local', 'a worker'
from backfill_streams s
join repositories r on r.id = s.repository_id
join backfills b on b.id = s.backfill_id and b.status = 'active'
where s.stream = 'history' and r.github_id <= 200;

-- name: jobs
-- A run every half hour for as many days as there are jobs for; the newest are the last ones, and a few of them are open.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, outcome, error, error_type, created_at, started_at,
                                      completed_at, heartbeat_at, points, requests, chunks, items, run_key, workflow_run_id, worker, times)
select 'progressive_backfill', r.id, (array['github_actions', 'github_actions', 'inngest', 'local'])[1 + n %% 4],
       case when n <= 5 then 'processing' when n %% 40 = 0 then 'failed' else 'completed' end,
       case when n <= 5 then null when n %% 40 = 0 then 'failed' when n %% 10 = 0 then 'paused' else 'completed' end,
       case when n %% 40 = 0 then 'GitHub answers 502' end, case when n %% 40 = 0 then 'network' end,
       at, at, case when n > 5 then at + interval '2 minutes' end, at + interval '2 minutes', 12, 12, 4, 300,
       'run-' || n / 35, 1000000 - n / 35, 'a worker', '{"total": 120, "requests": 80, "points": 0}'
from generate_series(1, %(jobs)s) as n
join repositories r on r.github_id = 1 + n %% %(repositories)s
cross join lateral (select now() - n * interval '51.84 seconds' as at) moment;

-- As many of a host application, which have no run, and stand before ours wherever an index does not tell them apart.
insert into progressive_capture_jobs (job_type, repository_id, processor_type, status, error, created_at, started_at, completed_at)
select 'recent-prs', r.id, (array['github_actions', 'inngest', 'local'])[1 + n %% 3],
       (array['completed', 'completed', 'failed', 'pending'])[1 + n %% 4], case when n %% 4 = 2 then 'rate limited' end, at, at, at
from generate_series(1, %(jobs)s) as n
join repositories r on r.github_id = 1 + n %% %(repositories)s
cross join lateral (select now() - interval '61 days' - n * interval '10 seconds' as at) moment;

insert into backfill_reports (run_key, workflow_run_id, processor, report, error_summary, minutes, reported_at)
select run_key, min(workflow_run_id), 'github_actions',
       jsonb_build_object('address', 'https://github.com/bench/ops/actions/runs/' || min(workflow_run_id), 'headline', 'It ran.',
                          'repositories', jsonb_agg(jsonb_build_object('name', id, 'error', repeat('words ', 20)))),
       '{}', 2, max(created_at)
from progressive_capture_jobs
where run_key is not null
group by run_key;

-- name: rest
insert into api_budgets (identity, resource, budget_limit, remaining, reset_at)
values ('user:1', 'graphql', 5000, 3212, now() + interval '20 minutes'), ('repository:bench/ops', 'graphql', 1000, 640, now() + interval '20 minutes');

insert into budget_samples (run_key, identity, resource, at, budget_limit, remaining)
select 'run-' || n, b.identity, 'graphql', now() - n * interval '30 minutes', b.budget_limit, b.remaining - n * 10
from generate_series(0, 47) as n
cross join api_budgets b;

insert into backfill_events (repository_id, event, who, at)
select r.id, 'planned', 'schedule', now() - n * interval '1 hour'
from repositories r
cross join generate_series(1, 30) as n;

insert into backfill_quarantine (repository_id, kind, identity, number, reason)
select id, 'review', github_id::text, 5, 'it has no date' from repositories where github_id %% 5 = 0;

insert into pull_requests (github_id, number, title, state, repository_id, repository_full_name, head_branch, created_at, updated_at,
                           capture_gap)
select r.github_id * 1000000 + n, n * 2, 'Pull request ' || n, 'merged', r.id, r.full_name, 'branch', now(), now(),
       case when n = 7 then 'one review is missing' end
from repositories r
cross join lateral generate_series(1, case when r.github_id = 1 then %(largest)s else 10 end) as n;

-- name: analyzed
analyze;

-- name: rows_read
select pg_stat_force_next_flush();

-- name: counters
select coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::bigint as read from pg_stat_user_tables;
