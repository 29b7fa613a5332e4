-- The discussions of a chunk, told as one jsonb array.

-- name: upsert_discussions
-- A newer reading replaces an older one; the same one changes nothing.  A row is known by GitHub's number or by its id; it keeps
-- the id that it has, which its comments know.  What was not fetched (a summary, who responded) is not touched.
with input as materialized (
    select i.*, coalesce(s.id, i.node_id) as own_id
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, number integer, title text, body text, category_id text, category_name text,
        category_description text, category_emoji text, author bigint, login text, state text, state_reason text,
        locked boolean, url text, created_at timestamptz, updated_at timestamptz, closed_at timestamptz,
        answered boolean, answer_id text, answer_chosen_at timestamptz, answer_chosen_by text, upvotes integer,
        comments integer, gap text)
    left join discussions s on s.github_id = i.github_id
), written as (
    insert into discussions as s (
        id, github_id, node_id, repository_id, number, title, body, category_id, category_name, category_description,
        category_emoji, author_id, author_login, state, state_reason, locked, url, created_at, updated_at, closed_at,
        is_answered, answer_id, answer_chosen_at, answer_chosen_by, upvote_count, comment_count, capture_gap,
        counts_fetched_at, synced_at)
    select i.own_id, i.github_id, i.node_id, %(repository_id)s, i.number, i.title, i.body, i.category_id, i.category_name,
           i.category_description, i.category_emoji, i.author, i.login, i.state, i.state_reason, i.locked, i.url,
           i.created_at, i.updated_at, i.closed_at, i.answered, i.answer_id, i.answer_chosen_at, i.answer_chosen_by,
           i.upvotes, i.comments, i.gap, clock_timestamp(), clock_timestamp()
    from input i
    order by i.own_id
    on conflict (id) do update
    set github_id = excluded.github_id, node_id = excluded.node_id, repository_id = excluded.repository_id,
        number = excluded.number, title = excluded.title, body = excluded.body, category_id = excluded.category_id,
        category_name = excluded.category_name, category_description = excluded.category_description,
        category_emoji = excluded.category_emoji, author_id = excluded.author_id, author_login = excluded.author_login,
        state = excluded.state, state_reason = excluded.state_reason, locked = excluded.locked, url = excluded.url,
        created_at = excluded.created_at, updated_at = excluded.updated_at, closed_at = excluded.closed_at,
        is_answered = excluded.is_answered, answer_id = excluded.answer_id, answer_chosen_at = excluded.answer_chosen_at,
        answer_chosen_by = excluded.answer_chosen_by, upvote_count = excluded.upvote_count,
        comment_count = excluded.comment_count, capture_gap = excluded.capture_gap,
        counts_fetched_at = excluded.counts_fetched_at, synced_at = excluded.synced_at, gone_at = null,
        gone_reason = null, gone_target = null
    where s.updated_at <= excluded.updated_at
      and (s.gone_at is not null or (
           s.github_id, s.node_id, s.repository_id, s.number, s.title, s.body, s.category_id, s.category_name,
           s.category_description, s.category_emoji, s.author_id, s.author_login, s.state, s.state_reason, s.locked,
           s.url, s.created_at, s.updated_at, s.closed_at, s.is_answered, s.answer_id, s.answer_chosen_at,
           s.answer_chosen_by, s.upvote_count, s.comment_count, s.capture_gap)
          is distinct from
          (excluded.github_id, excluded.node_id, excluded.repository_id, excluded.number, excluded.title, excluded.body,
           excluded.category_id, excluded.category_name, excluded.category_description, excluded.category_emoji,
           excluded.author_id, excluded.author_login, excluded.state, excluded.state_reason, excluded.locked,
           excluded.url, excluded.created_at, excluded.updated_at, excluded.closed_at, excluded.is_answered,
           excluded.answer_id, excluded.answer_chosen_at, excluded.answer_chosen_by, excluded.upvote_count,
           excluded.comment_count, excluded.capture_gap))
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written;

-- name: upsert_discussion_comments
-- Comments, and replies after the comments they reply to.  A row is known and keeps its id as above; so is the discussion, of
-- which another importer's row with a later date keeps that importer's number.  An application's
-- github_id may be a text, and its author_id a contributor's id: the table's own row type makes the values what it wants.
with shape as materialized (
    select exists (select from pg_attribute a where a.attrelid = 'discussion_comments'::regclass
                   and a.attname = 'author_id' and a.atttypid = 'uuid'::regtype) as by_contributor
), input as materialized (
    select i.*, d.id as discussion_id, fit.github_id as fit_id, fit.author_id as fit_author, parent.github_id as fit_parent
    from jsonb_to_recordset(%(rows)s) as i (
        github_id bigint, node_id text, discussion bigint, discussion_node text, number integer, parent bigint, author bigint, login text,
        body text, url text, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz, answer boolean,
        upvotes integer, replies integer)
    cross join lateral (
        select o.id from discussions o where o.github_id = i.discussion
        union all
        select o.id from discussions o where o.id = i.discussion_node
        limit 1
    ) d
    left join contributors a on a.github_id = i.author
    cross join lateral jsonb_populate_record(null::discussion_comments, jsonb_build_object(
        'github_id', i.github_id,
        'author_id', case when (select by_contributor from shape) then to_jsonb(a.id) else to_jsonb(i.author) end)) fit
    cross join lateral jsonb_populate_record(null::discussion_comments, jsonb_build_object('github_id', i.parent)) parent
), named as materialized (
    select i.*, coalesce(s.id, i.node_id) as own_id
    from input i
    left join discussion_comments s on s.github_id = i.fit_id
), related as materialized (
    select n.*, coalesce(here.own_id, stored.id) as parent_id
    from named n
    left join named here on here.github_id = n.parent
    left join discussion_comments stored on stored.github_id = n.fit_parent
), written as (
    insert into discussion_comments as s (
        id, github_id, node_id, discussion_id, discussion_number, parent_comment_id, author_id, author_github_id,
        author_login, body, url, created_at, updated_at, deleted_at, is_answer, upvote_count, reply_count, synced_at)
    select r.own_id, r.fit_id, r.node_id, r.discussion_id, r.number, r.parent_id, r.fit_author, r.author, r.login, r.body,
           r.url, r.created_at, r.updated_at, r.deleted_at, r.answer, r.upvotes, r.replies, clock_timestamp()
    from related r
    order by r.own_id
    on conflict (id) do update
    set github_id = excluded.github_id, node_id = excluded.node_id, discussion_id = excluded.discussion_id,
        discussion_number = excluded.discussion_number, parent_comment_id = excluded.parent_comment_id,
        author_id = excluded.author_id, author_github_id = excluded.author_github_id,
        author_login = excluded.author_login, body = excluded.body, url = excluded.url, created_at = excluded.created_at,
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, is_answer = excluded.is_answer,
        upvote_count = excluded.upvote_count, reply_count = excluded.reply_count, synced_at = excluded.synced_at,
        gone_at = null, gone_reason = null, gone_target = null
    where s.updated_at <= excluded.updated_at
      and (s.gone_at is not null or (
           s.github_id, s.node_id, s.discussion_id, s.discussion_number, s.parent_comment_id, s.author_id,
           s.author_github_id, s.author_login, s.body, s.url, s.created_at, s.updated_at, s.deleted_at, s.is_answer,
           s.upvote_count, s.reply_count)
          is distinct from
          (excluded.github_id, excluded.node_id, excluded.discussion_id, excluded.discussion_number,
           excluded.parent_comment_id, excluded.author_id, excluded.author_github_id, excluded.author_login,
           excluded.body, excluded.url, excluded.created_at, excluded.updated_at, excluded.deleted_at,
           excluded.is_answer, excluded.upvote_count, excluded.reply_count))
    returning (xmax = 0) as inserted
)
select set_config(%(note)s, jsonb_build_object(
    'inserted', count(*) filter (where inserted), 'updated', count(*) filter (where not inserted),
    'sent', (select count(*) from input))::text, true)
from written;

-- name: own_discussion_numbers
-- A number of this repository that a discussion's row holds under another id: an import that invented ids, or a row that two
-- imports made twice.  Where GitHub's id has a row too, what belongs to the wrong one moves over and the wrong one goes.
select wrong.id as wrong_id, rightful.id as right_id, i.github_id
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, node_id text, number integer)
join discussions wrong on wrong.repository_id = %(repository_id)s and wrong.number = i.number
left join discussions rightful on rightful.github_id = i.github_id or rightful.id = i.node_id
where wrong.github_id <> i.github_id and wrong.id <> i.node_id;

-- name: renumber_discussion
update discussions set github_id = %(github_id)s where id = %(wrong_id)s;

-- name: move_discussion_comments
update discussion_comments set discussion_id = %(right_id)s where discussion_id = %(wrong_id)s;

-- name: drop_double_discussion
-- Only what nothing else refers to any more.
delete from discussions where id = %(wrong_id)s;
