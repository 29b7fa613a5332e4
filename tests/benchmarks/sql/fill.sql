-- A history that is stored already, under numbers and ids that the captured one does not have.

-- name: people
insert into contributors (github_id, username)
select 9000000000000 + n, 'stored-' || n
from generate_series(1, greatest(50, %(count)s / 5)) as n
on conflict do nothing;

-- name: pull_requests
insert into pull_requests (github_id, number, title, body, state, repository_id, repository_full_name, author_id,
                           head_branch, created_at, updated_at)
select 9000000000000 + n, 1000000 + n, 'Stored ' || n, repeat('Some words. ', 40), 'merged', r.id, r.full_name, c.id,
       'branch-' || n, timestamptz '2010-01-01' + n * interval '10 minutes',
       timestamptz '2010-01-02' + n * interval '10 minutes'
from repositories r
cross join generate_series(1, %(count)s) as n
join contributors c on c.github_id = 9000000000000 + 1 + n %% greatest(50, %(count)s / 5)
where r.full_name = %(name)s;

-- name: reviews
insert into reviews (github_id, pull_request_id, repository_id, author_id, state, body, submitted_at)
select p.github_id * 10 + n, p.id, p.repository_id, p.author_id, 'COMMENTED', '', p.updated_at
from pull_requests p
cross join generate_series(1, 2) as n
where p.github_id > 9000000000000;

-- name: comments
insert into comments (github_id, repository_id, pull_request_id, commenter_id, body, comment_type, path, diff_hunk,
                      created_at, updated_at, review_github_id)
select p.github_id * 10 + n, p.repository_id, p.id, p.author_id, repeat('Words of a comment. ', 10),
       case when n <= 2 then 'issue_comment' else 'review_comment' end, 'src/file.c', repeat('+ a line\n', 8),
       p.created_at, p.updated_at, case when n > 2 then p.github_id * 10 + 1 end
from pull_requests p
cross join generate_series(1, 5) as n
where p.github_id > 9000000000000;

-- name: chunks
insert into backfill_chunks (repository_id, backfill_state_id, stream_id, chunk_number, status, started_at,
                             completed_at, points, api_calls_made, pr_numbers)
select s.repository_id, s.backfill_state_id, s.id, n, 'completed', now() - interval '1 day', now() - interval '1 day',
       2, 2, array(select generate_series(1, 74))
from backfill_streams s
join repositories r on r.id = s.repository_id
cross join generate_series(1, %(count)s / 74) as n
where r.full_name = %(name)s;

-- name: scans
select relname as name, seq_scan, seq_tup_read
from pg_stat_user_tables
where relname in ('pull_requests', 'reviews', 'comments', 'contributors', 'backfill_chunks');
