-- The rows of a chunk: one statement per table, each told its rows as one jsonb array.

-- name: upsert_pull_requests
-- A newer reading replaces an older one; the same one changes nothing.  What was not fetched is not touched, and what GitHub
-- shows is not gone.  Of labels, assignees and requested reviewers that could not be read whole, those that are there stay
-- if they are more.
-- Older installations differ in whether `merged` is a state.
with vocabulary as materialized (
    select coalesce((select pg_get_constraintdef(c.oid) ~ '''merged'''
                     from pg_constraint c
                     where c.conrelid = 'pull_requests'::regclass and c.contype = 'c'
                       and pg_get_constraintdef(c.oid) ~ '\mstate\M'), true) as merged_state
), input as materialized (
    select i.*, case when i.merged and not (select merged_state from vocabulary) then 'closed' else i.github_state end as state,
           a.id as author_id, m.id as merged_by_id,
           case when i.labels_whole or jsonb_typeof(p.labels) is distinct from 'array' then i.labels
                when jsonb_array_length(p.labels) > jsonb_array_length(i.labels) then p.labels
                else i.labels end as best_labels,
           case when i.assignees_whole or jsonb_typeof(p.assignees) is distinct from 'array' then i.assignees
                when jsonb_array_length(p.assignees) > jsonb_array_length(i.assignees) then p.assignees
                else i.assignees end as best_assignees,
           case when i.reviewers_whole or jsonb_typeof(p.requested_reviewers) is distinct from 'array' then i.requested_reviewers
                when jsonb_array_length(p.requested_reviewers) > jsonb_array_length(i.requested_reviewers) then p.requested_reviewers
                else i.requested_reviewers end as best_requested_reviewers
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, number integer, title text, body text, github_state text, draft boolean, url text,
        created_at timestamptz, updated_at timestamptz, closed_at timestamptz, merged_at timestamptz, merged boolean,
        additions integer, deletions integer, changed_files integer, commits integer, base_branch text,
        head_branch text, author bigint, author_login text, merged_by bigint, reviews integer, review_comments integer,
        comments integer, review_threads integer, total_comments integer, gap text, labels jsonb, labels_whole boolean,
        assignees jsonb, assignees_whole boolean, requested_reviewers jsonb, reviewers_whole boolean, milestone jsonb)
    left join contributors a on a.github_id = i.author
    left join contributors m on m.github_id = i.merged_by
    left join pull_requests p on p.github_id = i.github_id
), written as (
    insert into pull_requests as p (
        github_id, node_id, number, title, body, state, draft, html_url, diff_url, patch_url, created_at, updated_at,
        closed_at, merged_at, merged, additions, deletions, changed_files, commits, base_branch, head_branch, base_ref,
        head_ref, author_id, author_github_id, author_login, merged_by_id, repository_id, repository_full_name,
        repository_github_id, github_reviews, github_review_comments, github_comments, github_review_threads,
        github_total_comments, capture_gap, labels, assignees, requested_reviewers, milestone, counts_fetched_at,
        last_synced_at)
    select i.github_id, i.node_id, i.number, i.title, i.body, i.state, i.draft, i.url, i.url || '.diff',
           i.url || '.patch', i.created_at, i.updated_at, i.closed_at, i.merged_at, i.merged, i.additions, i.deletions,
           i.changed_files, i.commits, i.base_branch, i.head_branch, i.base_branch, i.head_branch, i.author_id,
           i.author, i.author_login, i.merged_by_id, %(repository_id)s, %(full_name)s, %(repository_github_id)s,
           i.reviews, i.review_comments, i.comments, i.review_threads, i.total_comments, i.gap, i.best_labels,
           i.best_assignees, i.best_requested_reviewers, nullif(i.milestone, 'null'), clock_timestamp(), clock_timestamp()
    from input i
    order by i.github_id
    on conflict (github_id) do update
    set node_id = excluded.node_id, number = excluded.number, title = excluded.title, body = excluded.body,
        state = excluded.state, draft = excluded.draft, html_url = excluded.html_url, diff_url = excluded.diff_url,
        patch_url = excluded.patch_url, created_at = excluded.created_at, updated_at = excluded.updated_at,
        closed_at = excluded.closed_at, merged_at = excluded.merged_at, merged = excluded.merged,
        additions = excluded.additions, deletions = excluded.deletions, changed_files = excluded.changed_files,
        commits = excluded.commits, base_branch = excluded.base_branch, head_branch = excluded.head_branch,
        base_ref = excluded.base_ref, head_ref = excluded.head_ref, author_id = excluded.author_id,
        author_github_id = excluded.author_github_id, author_login = excluded.author_login,
        merged_by_id = excluded.merged_by_id, repository_id = excluded.repository_id,
        repository_full_name = excluded.repository_full_name, repository_github_id = excluded.repository_github_id,
        github_reviews = excluded.github_reviews, github_review_comments = excluded.github_review_comments,
        github_comments = excluded.github_comments, github_review_threads = excluded.github_review_threads,
        github_total_comments = excluded.github_total_comments, capture_gap = excluded.capture_gap, labels = excluded.labels,
        assignees = excluded.assignees, requested_reviewers = excluded.requested_reviewers, milestone = excluded.milestone,
        counts_fetched_at = excluded.counts_fetched_at, last_synced_at = excluded.last_synced_at, gone_at = null,
        gone_reason = null, gone_target = null
    where p.updated_at <= excluded.updated_at
      and (p.gone_at is not null or (p.node_id, p.number, p.title, p.body, p.state, p.draft, p.html_url, p.created_at, p.updated_at, p.closed_at,
           p.merged_at, p.merged, p.additions, p.deletions, p.changed_files, p.commits, p.base_branch, p.head_branch,
           p.author_id, p.author_login, p.merged_by_id, p.repository_id, p.repository_full_name, p.github_reviews,
           p.github_review_comments, p.github_comments, p.github_review_threads, p.github_total_comments, p.capture_gap,
           p.labels, p.assignees, p.requested_reviewers, p.milestone)
          is distinct from
          (excluded.node_id, excluded.number, excluded.title, excluded.body, excluded.state, excluded.draft,
           excluded.html_url, excluded.created_at, excluded.updated_at, excluded.closed_at, excluded.merged_at,
           excluded.merged, excluded.additions, excluded.deletions, excluded.changed_files, excluded.commits,
           excluded.base_branch, excluded.head_branch, excluded.author_id, excluded.author_login, excluded.merged_by_id,
           excluded.repository_id, excluded.repository_full_name, excluded.github_reviews,
           excluded.github_review_comments, excluded.github_comments, excluded.github_review_threads,
           excluded.github_total_comments, excluded.capture_gap, excluded.labels, excluded.assignees,
           excluded.requested_reviewers, excluded.milestone))
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written;

-- name: upsert_reviews
with input as materialized (
    select i.*, p.id as pull_request_id, a.id as author_id
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, pull_request bigint, author bigint, state text, body text,
        submitted_at timestamptz, commit_id text)
    join pull_requests p on p.github_id = i.pull_request
    join contributors a on a.github_id = i.author
), written as (
    insert into reviews as r (github_id, pull_request_id, repository_id, author_id, reviewer_id, state, body,
                              submitted_at, commit_id, node_id)
    select i.github_id, i.pull_request_id, %(repository_id)s, i.author_id, i.author_id, i.state, i.body,
           i.submitted_at, i.commit_id, i.node_id
    from input i
    order by i.github_id
    on conflict (github_id) do update
    set pull_request_id = excluded.pull_request_id, repository_id = excluded.repository_id,
        author_id = excluded.author_id, reviewer_id = excluded.reviewer_id, state = excluded.state,
        body = excluded.body, submitted_at = excluded.submitted_at, commit_id = excluded.commit_id,
        node_id = excluded.node_id, gone_at = null, gone_reason = null, gone_target = null
    where r.gone_at is not null
       or (r.pull_request_id, r.repository_id, r.author_id, r.reviewer_id, r.state, r.body, r.submitted_at, r.commit_id,
           r.node_id)
          is distinct from
          (excluded.pull_request_id, excluded.repository_id, excluded.author_id, excluded.reviewer_id, excluded.state,
           excluded.body, excluded.submitted_at, excluded.commit_id, excluded.node_id)
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written;

-- name: own_numbers
-- A number of this repository that a row holds under another id: an import that invented ids, or a row that two imports
-- made twice.  Where GitHub's id has a row too, what belongs to the wrong one moves over and the wrong one goes.
with pairs as materialized (
    select wrong.id as wrong_id, wrong.github_id as wrong_github_id, rightful.id as right_id, i.github_id
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, number integer)
    join pull_requests wrong on wrong.repository_id = %(repository_id)s and wrong.number = i.number
    left join pull_requests rightful on rightful.github_id = i.github_id
    where wrong.github_id <> i.github_id
), reviews_moved as (
    update reviews r set pull_request_id = p.right_id from pairs p
    where p.right_id is not null and r.pull_request_id = p.wrong_id
), comments_moved as (
    update comments c set pull_request_id = p.right_id from pairs p
    where p.right_id is not null and c.pull_request_id = p.wrong_id
)
select wrong_id, right_id, github_id from pairs;

-- name: renumber
update pull_requests set github_id = %(github_id)s where id = %(wrong_id)s;

-- name: drop_double
-- Only what nothing else refers to any more.
delete from pull_requests where id = %(wrong_id)s;

-- name: mean_size
-- Of the newest, for these tell what the next ones may be like.
select avg(p.changed_files) as files
from (select changed_files from pull_requests where repository_id = %(repository_id)s order by number desc limit 100) p;

-- name: usual_page
-- What repositories with about as many pull requests took: half of them at least that much.  Too few of them tell nothing.
select percentile_disc(0.5) within group (order by least(s.page_worked, s.page_too_big - 1)) as page
from backfill_streams s
join repositories r on r.id = s.repository_id
where s.kind = 'pull_requests' and s.stream = 'history' and s.part = 0 and s.page_worked > 0 and r.id <> %(repository_id)s
  and s.items_done >= s.page_worked * 2
  and r.github_pull_requests between %(total)s::integer / %(alike)s::integer and %(total)s::bigint * %(alike)s::integer
having count(*) >= %(enough)s;
