-- What an export has of each table; columns and their types are those of policy/exported.py.  JSON comes as its text, an id of
-- ours as text.  `repositories` are our ids.  Addresses of mail are left out: an application has them of its own users, too.

-- name: export_candidates
-- Which of them are not known to be public; without names, all that are on the list.
select r.id, r.full_name, r.is_private is not false as is_private
from repositories r
where case when %(repositories)s::uuid[] is null
           then exists (select from tracked_repositories t
                        where t.repository_id = r.id and t.tracking_enabled is distinct from false)
           else r.id = any(%(repositories)s::uuid[]) end
order by r.full_name;

-- name: export_moment
select now() as at;

-- name: export_people_left_out
-- How many people are known from the repositories that were left out, and from none of the others.
with wanted as materialized (
    select r.id, r.id = any(%(repositories)s::uuid[]) as exported
    from repositories r
    where r.id = any(%(repositories)s::uuid[] || %(left_out)s::uuid[])
), people as (
    select p.author_id as id, w.exported from wanted w join pull_requests p on p.repository_id = w.id
    union all
    select p.merged_by_id, w.exported from wanted w join pull_requests p on p.repository_id = w.id
    union all
    select v.author_id, w.exported from wanted w join reviews v on v.repository_id = w.id
    union all
    select c.commenter_id, w.exported from wanted w join comments c on c.repository_id = w.id
    union all
    select i.author_id, w.exported from wanted w join issues i on i.repository_id = w.id
    union all
    select i.closed_by_id, w.exported from wanted w join issues i on i.repository_id = w.id
    union all
    select k.id, w.exported
    from wanted w
    join discussions d on d.repository_id = w.id
    join contributors k on k.github_id = d.author_id
    union all
    select k.id, w.exported
    from wanted w
    join discussions d on d.repository_id = w.id
    join discussion_comments c on c.discussion_id = d.id
    join contributors k on k.github_id = c.author_github_id
)
select count(*)::integer as people
from (select id from people where id is not null group by id having not bool_or(exported)) hidden;

-- name: export_repositories
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, full_name, owner, name, description, homepage, language, license, default_branch,
       to_json(topics)::text as topics, stargazers_count, forks_count, size, is_private, is_fork, is_archived, is_disabled,
       is_template, has_issues, has_projects, has_wiki, has_discussions, github_pull_requests, github_created_at,
       github_updated_at, github_pushed_at
from repositories
where id = any(%(repositories)s::uuid[])
order by full_name;

-- name: export_contributors
-- Whoever occurs in these repositories, and nobody else.
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, username, display_name, is_bot, avatar_url, profile_url, company, location, bio, blog, public_repos,
       public_gists, followers, following, github_created_at
from contributors
where id in (select author_id from pull_requests where repository_id = any(%(repositories)s::uuid[])
             union select merged_by_id from pull_requests where repository_id = any(%(repositories)s::uuid[])
             union select author_id from reviews where repository_id = any(%(repositories)s::uuid[])
             union select commenter_id from comments where repository_id = any(%(repositories)s::uuid[])
             union select author_id from issues where repository_id = any(%(repositories)s::uuid[])
             union select closed_by_id from issues where repository_id = any(%(repositories)s::uuid[])
             union select k.id from discussions d join contributors k on k.github_id = d.author_id
                   where d.repository_id = any(%(repositories)s::uuid[])
             union select k.id from discussions d join discussion_comments c on c.discussion_id = d.id
                   join contributors k on k.github_id = c.author_github_id
                   where d.repository_id = any(%(repositories)s::uuid[]));

-- name: export_pull_requests
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, repository_id::text, number, title, body, state, draft, merged, author_id::text, author_login,
       merged_by_id::text, base_branch, head_branch, additions, deletions, changed_files, commits, labels::text, assignees::text,
       requested_reviewers::text, milestone::text, html_url, created_at, updated_at, merged_at, closed_at, github_reviews,
       github_review_comments, github_comments, github_review_threads, capture_gap, gone_at, gone_reason
from pull_requests
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_reviews
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, repository_id::text, pull_request_id::text, author_id::text, state, body, commit_id, submitted_at,
       gone_at, gone_reason
from reviews
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_comments
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, comment_type, repository_id::text, pull_request_id::text, issue_id::text, commenter_id::text, body,
       in_reply_to_id::text, review_github_id, path, position, original_position, diff_hunk, commit_id, original_commit_id,
       created_at, updated_at, gone_at, gone_reason
from comments
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_issues
declare gh_backfill_rows no scroll cursor for
select id::text, github_id, repository_id::text, number, title, body, state, state_reason, author_id::text, closed_by_id::text,
       labels::text, assignees::text, milestone::text, comments_count, is_pull_request, html_url, created_at, updated_at,
       closed_at, capture_gap, gone_at, gone_reason
from issues
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_discussions
-- author_id is ours here, as in all other tables of an export.
declare gh_backfill_rows no scroll cursor for
select d.id::text, d.github_id, d.repository_id::text, d.number, d.title, d.body, d.state, d.state_reason, d.category_name,
       k.id::text as author_id, d.author_login, d.is_answered, d.answer_id, d.answer_chosen_at, d.answer_chosen_by,
       d.upvote_count, d.comment_count, d.locked, d.url, d.created_at, d.updated_at, d.closed_at, d.capture_gap, d.gone_at,
       d.gone_reason
from discussions d
left join contributors k on k.github_id = d.author_id
where d.repository_id = any(%(repositories)s::uuid[]);

-- name: export_discussion_comments
-- An installation may keep GitHub's number as text.
declare gh_backfill_rows no scroll cursor for
select c.id::text, case when c.github_id::text ~ '^\d{1,18}$' then c.github_id::text::bigint end as github_id,
       d.repository_id::text, c.discussion_id::text, c.parent_comment_id::text, k.id::text as author_id, c.author_login, c.body,
       c.is_answer, c.upvote_count, c.reply_count, c.url, c.created_at, c.updated_at, c.deleted_at, c.gone_at, c.gone_reason
from discussions d
join discussion_comments c on c.discussion_id = d.id
left join contributors k on k.github_id = c.author_github_id
where d.repository_id = any(%(repositories)s::uuid[]);

-- name: export_pull_request_files
declare gh_backfill_rows no scroll cursor for
select f.repository_id::text, f.pull_request_id::text, f.number, f.position, f.path, f.change_type, f.additions, f.deletions
from pull_request_files f
where f.repository_id = any(%(repositories)s::uuid[]);

-- name: export_pull_request_commits
declare gh_backfill_rows no scroll cursor for
select c.repository_id::text, c.pull_request_id::text, c.number, c.position, c.oid, c.message, c.authored_at, c.committed_at,
       c.author_name, c.author_github_id, c.author_login
from pull_request_commits c
where c.repository_id = any(%(repositories)s::uuid[]);

-- name: export_events
-- Names are given again, so that GitHub's id decides where it is known; of repositories that are not public they lie apart.
declare gh_backfill_rows no scroll cursor for
select e.id::text, r.id::text as repository_id, e.event_type, e.event_id, e.actor_login, e.actor_github_id, e.created_at, e.source,
       e.payload::text
from repositories r
join github_events_cache e on e.repository_owner = r.owner and e.repository_name = r.name
                          and (e.repository_github_id is null or e.repository_github_id = r.github_id)
where r.id = any(%(repositories)s::uuid[])
union all
select id::text, repository_id::text, event_type, event_id, actor_login, actor_github_id, created_at, source, payload::text
from private_events
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_star_days
declare gh_backfill_rows no scroll cursor for
select repository_id::text, day, stars, provisional, read_at
from star_days
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_count_snapshots
declare gh_backfill_rows no scroll cursor for
select repository_id::text, taken_at, stars, forks
from count_snapshots
where repository_id = any(%(repositories)s::uuid[]);

-- name: export_embeddings
-- By way of JSON, for without pgvector there is no such column.
declare gh_backfill_rows no scroll cursor for
select e.item_type, e.item_id, e.repository_id::text, translate(e.embedding, '{}', '[]') as embedding
from (select 'issue' as item_type, i.id::text as item_id, i.repository_id, to_jsonb(i) ->> 'embedding' as embedding from issues i
      union all
      select 'pull_request', p.id::text, p.repository_id, to_jsonb(p) ->> 'embedding' from pull_requests p
      union all
      select 'discussion', d.id::text, d.repository_id, to_jsonb(d) ->> 'embedding' from discussions d) e
where e.repository_id = any(%(repositories)s::uuid[]) and e.embedding is not null;
