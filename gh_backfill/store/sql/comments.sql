-- The comments of a chunk, told as one jsonb array.

-- name: upsert_comments
-- Known by (comment_type, github_id): the two kinds are numbered apart.  Where an older table is unique by github_id
-- alone, the row that finds its id taken by the other kind, here or in the table, is not written: it is `taken`.
-- Whatever GitHub lists is not gone; the node id that a comment was first told with stays, for REST may tell another one.
with vocabulary as materialized (
    select exists (select from pg_index i
                   join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
                   where i.indrelid = 'comments'::regclass and i.indisunique and i.indnkeyatts = 1
                     and i.indpred is null and a.attname = 'github_id') as one_number_space
), input as materialized (
    select i.*, coalesce(c.id, gen_random_uuid()) as id, c.id is not null as known, p.id as pull_request_id,
           s.id as issue_id, a.id as commenter_id,
           (select one_number_space from vocabulary) and c.id is null
               and (i.comment_type > min(i.comment_type) over (partition by i.github_id)
                    or exists (select from comments o
                               where o.github_id = i.github_id and o.comment_type <> i.comment_type)) as taken
    from jsonb_to_recordset(%(rows)s) as i (
        comment_type text, github_id bigint, node_id text, pull_request bigint, issue bigint, review bigint, reply_to bigint, author bigint,
        body text, path text, "position" integer, original_position integer, diff_hunk text, commit_id text,
        original_commit_id text, created_at timestamptz, updated_at timestamptz)
    left join pull_requests p on p.github_id = i.pull_request
    left join issues s on s.github_id = i.issue
    join contributors a on a.github_id = i.author
    left join comments c on c.github_id = i.github_id and c.comment_type = i.comment_type
    where coalesce(p.id, s.id) is not null
), related as materialized (
    select i.*, coalesce(parent.id, stored.id) as in_reply_to_id
    from input i
    left join input parent on i.reply_to is not null and parent.github_id = i.reply_to
                          and parent.comment_type = 'review_comment' and not parent.taken
    left join comments stored on i.reply_to is not null and parent.id is null and stored.github_id = i.reply_to
                             and stored.comment_type = 'review_comment'
), updated as (
    update comments c
    set pull_request_id = i.pull_request_id, repository_id = %(repository_id)s, issue_id = i.issue_id,
        commenter_id = i.commenter_id, body = i.body, in_reply_to_id = i.in_reply_to_id, path = i.path,
        position = i.position, original_position = i.original_position, diff_hunk = i.diff_hunk,
        commit_id = i.commit_id, original_commit_id = i.original_commit_id, created_at = i.created_at,
        updated_at = i.updated_at, review_github_id = i.review, node_id = coalesce(c.node_id, i.node_id), gone_at = null,
        gone_reason = null, gone_target = null
    from related i
    where i.known and c.id = i.id and c.updated_at <= i.updated_at
      and (c.gone_at is not null or c.node_id is null and i.node_id is not null
           or (c.pull_request_id, c.issue_id, c.repository_id, c.commenter_id, c.body, c.in_reply_to_id, c.path, c.position,
           c.original_position, c.diff_hunk, c.commit_id, c.original_commit_id, c.created_at, c.updated_at,
           c.review_github_id)
          is distinct from
          (i.pull_request_id, i.issue_id, %(repository_id)s, i.commenter_id, i.body, i.in_reply_to_id, i.path, i.position,
           i.original_position, i.diff_hunk, i.commit_id, i.original_commit_id, i.created_at, i.updated_at, i.review))
    returning c.id
), inserted as (
    insert into comments (id, github_id, comment_type, repository_id, pull_request_id, issue_id, commenter_id, body,
                          in_reply_to_id, path, position, original_position, diff_hunk, commit_id, original_commit_id,
                          created_at, updated_at, review_github_id, node_id)
    select i.id, i.github_id, i.comment_type, %(repository_id)s, i.pull_request_id, i.issue_id, i.commenter_id, i.body,
           i.in_reply_to_id, i.path, i.position, i.original_position, i.diff_hunk, i.commit_id, i.original_commit_id,
           i.created_at, i.updated_at, i.review, i.node_id
    from related i
    where not i.known and not i.taken
    order by i.github_id
    on conflict do nothing
    returning id
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', (select count(*) from inserted), 'updated', (select count(*) from updated), 'sent', count(*),
    'known', count(*) filter (where known),
    'taken', coalesce(jsonb_agg(jsonb_build_array(comment_type, github_id)) filter (where taken), '[]'))::text, true)
from related;
