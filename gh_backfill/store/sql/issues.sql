-- The issues of a chunk, told as one jsonb array.

-- name: upsert_issues
-- A newer reading replaces an older one; the same one changes nothing.  What was not fetched (who closed it, what it is
-- linked to) is not touched.  Of labels and assignees that could not be read whole, those that are there stay if they are more.
with input as materialized (
    select i.*, a.id as author_id,
           case when i.labels_whole or jsonb_typeof(s.labels) is distinct from 'array' then i.labels
                when jsonb_array_length(s.labels) > jsonb_array_length(i.labels) then s.labels
                else i.labels end as best_labels,
           case when i.assignees_whole or jsonb_typeof(s.assignees) is distinct from 'array' then i.assignees
                when jsonb_array_length(s.assignees) > jsonb_array_length(i.assignees) then s.assignees
                else i.assignees end as best_assignees
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, number integer, title text, body text, state text, state_reason text, url text,
        created_at timestamptz, updated_at timestamptz, closed_at timestamptz, author bigint, milestone jsonb,
        labels jsonb, labels_whole boolean, assignees jsonb, assignees_whole boolean, comments integer, gap text)
    left join contributors a on a.github_id = i.author
    left join issues s on s.github_id = i.github_id
), written as (
    insert into issues as s (
        github_id, node_id, repository_id, number, title, body, state, state_reason, html_url, author_id, created_at,
        updated_at, closed_at, labels, assignees, milestone, comments_count, is_pull_request, capture_gap,
        counts_fetched_at, last_synced_at)
    select i.github_id, i.node_id, %(repository_id)s, i.number, i.title, i.body, i.state, i.state_reason, i.url,
           i.author_id, i.created_at, i.updated_at, i.closed_at, i.best_labels, i.best_assignees,
           nullif(i.milestone, 'null'),
           i.comments, false, i.gap, clock_timestamp(), clock_timestamp()
    from input i
    order by i.github_id
    on conflict (github_id) do update
    set node_id = excluded.node_id, repository_id = excluded.repository_id, number = excluded.number,
        title = excluded.title, body = excluded.body, state = excluded.state, state_reason = excluded.state_reason,
        html_url = excluded.html_url, author_id = excluded.author_id, created_at = excluded.created_at,
        updated_at = excluded.updated_at, closed_at = excluded.closed_at, labels = excluded.labels,
        assignees = excluded.assignees, milestone = excluded.milestone, comments_count = excluded.comments_count,
        is_pull_request = excluded.is_pull_request, capture_gap = excluded.capture_gap,
        counts_fetched_at = excluded.counts_fetched_at, last_synced_at = excluded.last_synced_at, gone_at = null,
        gone_reason = null, gone_target = null
    where s.updated_at <= excluded.updated_at
      and (s.gone_at is not null or (s.node_id, s.repository_id, s.number, s.title, s.body, s.state, s.state_reason, s.html_url, s.author_id,
           s.created_at, s.updated_at, s.closed_at, s.labels, s.assignees, s.milestone, s.comments_count,
           s.is_pull_request, s.capture_gap)
          is distinct from
          (excluded.node_id, excluded.repository_id, excluded.number, excluded.title, excluded.body, excluded.state,
           excluded.state_reason, excluded.html_url, excluded.author_id, excluded.created_at, excluded.updated_at,
           excluded.closed_at, excluded.labels, excluded.assignees, excluded.milestone, excluded.comments_count,
           excluded.is_pull_request, excluded.capture_gap))
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written;

-- name: own_issue_numbers
-- A number of this repository that an issue's row holds under another id: an import that invented ids, or a row that two
-- imports made twice.  Where GitHub's id has a row too, what belongs to the wrong one moves over and the wrong one goes.
with pairs as materialized (
    select wrong.id as wrong_id, rightful.id as right_id, i.github_id
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, number integer)
    join issues wrong on wrong.repository_id = %(repository_id)s and wrong.number = i.number
    left join issues rightful on rightful.github_id = i.github_id
    where wrong.github_id <> i.github_id
), comments_moved as (
    update comments c set issue_id = p.right_id from pairs p
    where p.right_id is not null and c.issue_id = p.wrong_id
)
select wrong_id, right_id, github_id from pairs;

-- name: renumber_issue
update issues set github_id = %(github_id)s where id = %(wrong_id)s;

-- name: drop_double_issue
-- Only what nothing else refers to any more.
delete from issues where id = %(wrong_id)s;
