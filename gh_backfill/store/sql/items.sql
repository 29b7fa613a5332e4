-- The rows of a chunk: one statement per table, each told its rows as one jsonb array.

-- name: upsert_pull_requests
-- A newer reading replaces an older one; the same one changes nothing.  What was not fetched is not touched.
with input as materialized (
    select i.*, a.id as author_id, m.id as merged_by_id
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, number integer, title text, body text, state text, draft boolean, url text,
        created_at timestamptz, updated_at timestamptz, closed_at timestamptz, merged_at timestamptz, merged boolean,
        additions integer, deletions integer, changed_files integer, commits integer, base_branch text,
        head_branch text, author bigint, author_login text, merged_by bigint, reviews integer, review_comments integer,
        comments integer, review_threads integer, total_comments integer, gap text)
    left join contributors a on a.github_id = i.author
    left join contributors m on m.github_id = i.merged_by
), written as (
    insert into pull_requests as p (
        github_id, node_id, number, title, body, state, draft, html_url, diff_url, patch_url, created_at, updated_at,
        closed_at, merged_at, merged, additions, deletions, changed_files, commits, base_branch, head_branch, base_ref,
        head_ref, author_id, author_github_id, author_login, merged_by_id, repository_id, repository_full_name,
        repository_github_id, github_reviews, github_review_comments, github_comments, github_review_threads,
        github_total_comments, capture_gap, counts_fetched_at, last_synced_at)
    select i.github_id, i.node_id, i.number, i.title, i.body, i.state, i.draft, i.url, i.url || '.diff',
           i.url || '.patch', i.created_at, i.updated_at, i.closed_at, i.merged_at, i.merged, i.additions, i.deletions,
           i.changed_files, i.commits, i.base_branch, i.head_branch, i.base_branch, i.head_branch, i.author_id,
           i.author, i.author_login, i.merged_by_id, %(repository_id)s, %(full_name)s, %(repository_github_id)s,
           i.reviews, i.review_comments, i.comments, i.review_threads, i.total_comments, i.gap, clock_timestamp(),
           clock_timestamp()
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
        github_total_comments = excluded.github_total_comments, capture_gap = excluded.capture_gap,
        counts_fetched_at = excluded.counts_fetched_at, last_synced_at = excluded.last_synced_at
    where p.updated_at <= excluded.updated_at
      and (p.node_id, p.number, p.title, p.body, p.state, p.draft, p.html_url, p.created_at, p.updated_at, p.closed_at,
           p.merged_at, p.merged, p.additions, p.deletions, p.changed_files, p.commits, p.base_branch, p.head_branch,
           p.author_id, p.author_login, p.merged_by_id, p.repository_id, p.repository_full_name, p.github_reviews,
           p.github_review_comments, p.github_comments, p.github_review_threads, p.github_total_comments, p.capture_gap)
          is distinct from
          (excluded.node_id, excluded.number, excluded.title, excluded.body, excluded.state, excluded.draft,
           excluded.html_url, excluded.created_at, excluded.updated_at, excluded.closed_at, excluded.merged_at,
           excluded.merged, excluded.additions, excluded.deletions, excluded.changed_files, excluded.commits,
           excluded.base_branch, excluded.head_branch, excluded.author_id, excluded.author_login, excluded.merged_by_id,
           excluded.repository_id, excluded.repository_full_name, excluded.github_reviews,
           excluded.github_review_comments, excluded.github_comments, excluded.github_review_threads,
           excluded.github_total_comments, excluded.capture_gap)
    returning (xmax = 0) as inserted
)
select count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated,
       (select count(*) from input) as sent
from written;

-- name: upsert_reviews
with input as materialized (
    select i.*, p.id as pull_request_id, a.id as author_id
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, pull_request bigint, author bigint, state text, body text, submitted_at timestamptz,
        commit_id text)
    join pull_requests p on p.github_id = i.pull_request
    join contributors a on a.github_id = i.author
), written as (
    insert into reviews as r (github_id, pull_request_id, repository_id, author_id, reviewer_id, state, body,
                              submitted_at, commit_id)
    select i.github_id, i.pull_request_id, %(repository_id)s, i.author_id, i.author_id, i.state, i.body,
           i.submitted_at, i.commit_id
    from input i
    order by i.github_id
    on conflict (github_id) do update
    set pull_request_id = excluded.pull_request_id, repository_id = excluded.repository_id,
        author_id = excluded.author_id, reviewer_id = excluded.reviewer_id, state = excluded.state,
        body = excluded.body, submitted_at = excluded.submitted_at, commit_id = excluded.commit_id
    where (r.pull_request_id, r.repository_id, r.author_id, r.reviewer_id, r.state, r.body, r.submitted_at, r.commit_id)
          is distinct from
          (excluded.pull_request_id, excluded.repository_id, excluded.author_id, excluded.reviewer_id, excluded.state,
           excluded.body, excluded.submitted_at, excluded.commit_id)
    returning (xmax = 0) as inserted
)
select count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated,
       (select count(*) from input) as sent
from written;

-- name: upsert_comments
-- Known by (comment_type, github_id): the two kinds are numbered apart.  Where an older table is unique by github_id
-- alone, the row that finds its id taken by the other kind is not written, and is missing from the counts.
with input as materialized (
    select i.*, coalesce(c.id, gen_random_uuid()) as id, c.id is not null as known, p.id as pull_request_id,
           a.id as commenter_id,
           exists (select from comments o where o.github_id = i.github_id and o.comment_type <> i.comment_type)
               and %(one_number_space)s as taken
    from jsonb_to_recordset(%(rows)s) as i (
        comment_type text, github_id bigint, pull_request bigint, review bigint, reply_to bigint, author bigint,
        body text, path text, "position" integer, original_position integer, diff_hunk text, commit_id text,
        original_commit_id text, created_at timestamptz, updated_at timestamptz)
    join pull_requests p on p.github_id = i.pull_request
    join contributors a on a.github_id = i.author
    left join comments c on c.github_id = i.github_id and c.comment_type = i.comment_type
), related as materialized (
    select i.*, coalesce(parent.id, stored.id) as in_reply_to_id
    from input i
    left join input parent on i.reply_to is not null and parent.github_id = i.reply_to
                          and parent.comment_type = 'review_comment' and not parent.taken
    left join comments stored on i.reply_to is not null and parent.id is null and stored.github_id = i.reply_to
                             and stored.comment_type = 'review_comment'
), updated as (
    update comments c
    set pull_request_id = i.pull_request_id, repository_id = %(repository_id)s, issue_id = null,
        commenter_id = i.commenter_id, body = i.body, in_reply_to_id = i.in_reply_to_id, path = i.path,
        position = i.position, original_position = i.original_position, diff_hunk = i.diff_hunk,
        commit_id = i.commit_id, original_commit_id = i.original_commit_id, created_at = i.created_at,
        updated_at = i.updated_at, review_github_id = i.review
    from related i
    where i.known and c.id = i.id and c.updated_at <= i.updated_at
      and (c.pull_request_id, c.repository_id, c.commenter_id, c.body, c.in_reply_to_id, c.path, c.position,
           c.original_position, c.diff_hunk, c.commit_id, c.original_commit_id, c.created_at, c.updated_at,
           c.review_github_id)
          is distinct from
          (i.pull_request_id, %(repository_id)s, i.commenter_id, i.body, i.in_reply_to_id, i.path, i.position,
           i.original_position, i.diff_hunk, i.commit_id, i.original_commit_id, i.created_at, i.updated_at, i.review)
    returning c.id
), inserted as (
    insert into comments (id, github_id, comment_type, repository_id, pull_request_id, commenter_id, body,
                          in_reply_to_id, path, position, original_position, diff_hunk, commit_id, original_commit_id,
                          created_at, updated_at, review_github_id)
    select i.id, i.github_id, i.comment_type, %(repository_id)s, i.pull_request_id, i.commenter_id, i.body,
           i.in_reply_to_id, i.path, i.position, i.original_position, i.diff_hunk, i.commit_id, i.original_commit_id,
           i.created_at, i.updated_at, i.review
    from related i
    where not i.known and not i.taken
    order by i.github_id
    on conflict do nothing
    returning id
)
select (select count(*) from inserted) as inserted, (select count(*) from updated) as updated,
       count(*) as sent, count(*) filter (where known) as known, count(*) filter (where taken) as taken,
       coalesce(array_agg(github_id) filter (where taken), '{}') as taken_ids
from related;

-- name: quarantine
insert into backfill_quarantine as q (repository_id, kind, identity, github_id, number, reason, payload)
select %(repository_id)s, i.kind, i.identity, i.github_id, i.number, i.reason, i.payload
from jsonb_to_recordset(%(rows)s)
     as i (kind text, identity text, github_id bigint, number integer, reason text, payload jsonb)
on conflict (repository_id, kind, identity) do update
set github_id = excluded.github_id, number = excluded.number, reason = excluded.reason, payload = excluded.payload,
    attempts = q.attempts + 1, last_seen_at = clock_timestamp(), resolved_at = null;

-- name: vocabulary
-- What this database admits: `merged` as a state, and whether both kinds of comments share one unique number.
select coalesce((select pg_get_constraintdef(c.oid) ~ '''merged'''
                 from pg_constraint c
                 where c.conrelid = 'pull_requests'::regclass and c.contype = 'c'
                   and pg_get_constraintdef(c.oid) ~ '\mstate\M'), true) as merged_state,
       exists (select from pg_index i
               join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
               where i.indrelid = 'comments'::regclass and i.indisunique and i.indnkeyatts = 1
                 and i.indpred is null and a.attname = 'github_id') as one_number_space;

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

-- name: open_quarantine
-- What waits in the quarantine of a repository, by the pull request it belongs to.
select kind, identity, number, attempts
from backfill_quarantine
where repository_id = %(repository_id)s and resolved_at is null and attempts < %(most_attempts)s
order by attempts, number, kind, identity;

-- name: open_places
-- A place is known by the cursor that leads to it, as `clients/parsing.py` names what has no id.
select substr(identity, 7) as cursor
from backfill_quarantine
where repository_id = %(repository_id)s and resolved_at is null and kind = 'pull_request' and number is null
  and identity like 'after %%' and identity <> 'after None'
order by first_seen_at;

-- name: number_places
update backfill_quarantine q
set number = i.number
from jsonb_to_recordset(%(rows)s) as i (cursor text, number integer)
where q.repository_id = %(repository_id)s and q.resolved_at is null and q.kind = 'pull_request' and q.number is null
  and q.identity = 'after ' || i.cursor;

-- name: count_attempt
-- What this transaction has put there again is counted by that.
update backfill_quarantine
set attempts = attempts + 1, last_seen_at = clock_timestamp()
where repository_id = %(repository_id)s and resolved_at is null and number = any(%(numbers)s::integer[])
  and last_seen_at < transaction_timestamp();

-- name: closed_entries
-- How many of some entries are closed: rows that were refused again have opened theirs again.
select count(*) as entries from backfill_quarantine
where id = any(%(entries)s::uuid[]) and resolved_at is not null;

-- name: resolve_quarantine
-- The pull requests with these numbers were read again.
update backfill_quarantine
set resolved_at = clock_timestamp()
where repository_id = %(repository_id)s and resolved_at is null and number = any(%(numbers)s::integer[])
returning id;
