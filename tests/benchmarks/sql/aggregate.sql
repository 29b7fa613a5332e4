-- A workspace of many repositories with their pull requests, reviews, comments and issues, spread over three years; beside it as
-- many repositories again, which are in no workspace.

-- name: repositories
insert into repositories (github_id, full_name, owner, name, is_private, stargazers_count, forks_count)
select n, 'bench/repository-' || lpad(n::text, 5, '0'), 'bench', 'repository-' || lpad(n::text, 5, '0'), false, n, n / 10
from generate_series(1, 2 * %(repositories)s) as n;

insert into contributors (github_id, username, is_bot)
select n, 'person-' || n, n %% 50 = 0 from generate_series(1, greatest(100, %(pulls)s / 20)) as n;

insert into workspaces (slug, name, owner_id, max_repositories)
values ('bench', 'Bench', '00000000-0000-4000-8000-000000000001', 5000);

insert into workspace_repositories (workspace_id, repository_id, added_by)
select w.id, r.id, w.owner_id from workspaces w, repositories r where r.github_id <= %(repositories)s;

insert into workspaces (slug, name, owner_id) values ('small', 'Small', '00000000-0000-4000-8000-000000000001');

insert into workspace_repositories (workspace_id, repository_id, added_by)
select w.id, r.id, w.owner_id from workspaces w, repositories r where w.slug = 'small' and r.github_id <= %(small)s;

-- name: pulls
insert into pull_requests (github_id, number, title, body, state, merged, draft, repository_id, repository_full_name, author_id,
                           head_branch, created_at, updated_at, merged_at, closed_at)
select n, 1 + n / (2 * %(repositories)s), 'Pull request ' || n, repeat('Some words. ', 40),
       case n %% 10 when 0 then 'open' when 1 then 'closed' else 'merged' end, n %% 10 > 1, n %% 20 = 0, r.id, r.full_name, c.id,
       'branch-' || n, at, at + interval '2 days', case when n %% 10 > 1 then at + n %% 97 * interval '1 hour' end,
       case when n %% 10 > 0 then at + n %% 97 * interval '1 hour' end
from generate_series(1, %(pulls)s * 2) as n
cross join lateral (select now() - n %% 1095 * interval '1 day' - n %% 86400 * interval '1 second' - interval '5 days') x (at)
join repositories r on r.github_id = 1 + n %% (2 * %(repositories)s)
join contributors c on c.github_id = 1 + n %% greatest(100, %(pulls)s / 20);

-- name: reviews
insert into reviews (github_id, pull_request_id, repository_id, author_id, reviewer_id, state, body, submitted_at)
select p.github_id * 10 + k, p.id, p.repository_id, c.id, c.id, case k when 1 then 'COMMENTED' else 'APPROVED' end, '',
       p.created_at + k * (1 + p.github_id %% 31) * interval '1 hour'
from pull_requests p
cross join generate_series(1, 2) as k
join contributors c on c.github_id = 1 + (p.github_id * 7 + k) %% 400;

-- name: comments
insert into comments (github_id, repository_id, pull_request_id, commenter_id, body, comment_type, created_at, updated_at,
                      review_github_id)
select p.github_id * 10 + k, p.repository_id, p.id, c.id, repeat('Words of a comment. ', 10),
       case when k = 1 then 'issue_comment' else 'review_comment' end, p.created_at + k * interval '1 hour', p.updated_at,
       case when k > 1 then p.github_id * 10 + 1 end
from pull_requests p
cross join generate_series(1, 3) as k
join contributors c on c.github_id = 1 + (p.github_id * 11 + k) %% greatest(100, %(pulls)s / 20);

-- name: issues
insert into issues (github_id, repository_id, number, title, state, author_id, created_at, updated_at, closed_at)
select p.github_id, p.repository_id, 1000000 + p.number, 'Issue', case when p.github_id %% 3 = 0 then 'open' else 'closed' end,
       p.author_id, p.created_at, p.updated_at, case when p.github_id %% 3 > 0 then p.updated_at end
from pull_requests p
where p.github_id %% 2 = 0;

-- name: discussions
insert into discussions (id, github_id, repository_id, number, title, author_id, created_at, updated_at, is_answered,
                         answer_chosen_at, url)
select 'D_' || p.github_id, p.github_id, p.repository_id, 2000000 + p.number, 'Discussion',
       1 + p.github_id %% greatest(100, %(pulls)s / 20), p.created_at, p.updated_at, p.github_id %% 3 > 0,
       case when p.github_id %% 3 > 0 then p.updated_at end, ''
from pull_requests p
where p.github_id %% 4 = 0;

insert into discussion_comments (id, github_id, discussion_id, discussion_number, author_github_id, created_at, updated_at)
select d.id || '_' || k, d.github_id * 10 + k, d.id, d.number, 1 + (d.github_id * 13 + k) %% greatest(100, %(pulls)s / 20),
       d.created_at + k * interval '1 hour', d.updated_at
from discussions d
cross join generate_series(1, 3) as k;

-- name: snapshots
insert into count_snapshots (repository_id, taken_at, stars, forks)
select r.id, now() - d * interval '1 day', 1000 - d, 100 from repositories r cross join generate_series(0, 90) as d;
analyze;
