-- What verification and sync ask of discussions alone.  An application may keep something else than GitHub's numbers in the
-- github_id of comments: such a row has no part in this.

-- name: rows_of_discussions
select d.github_id, d.number, d.node_id, d.title, d.body, d.state, d.state_reason, d.created_at, d.updated_at, d.closed_at,
       d.author_id as author, d.category_id as category, d.answer_id as answer, d.comment_count as noted_comments,
       d.capture_gap as gap, c.comments::integer, c.replies::integer, c.authorless::integer,
       (select count(*) from backfill_quarantine q
        where q.repository_id = d.repository_id and q.number = d.number and q.resolved_at is null
          and q.kind = 'discussion_comment')::integer as quarantined,
       coalesce(f.differences, '[]') as differences
from discussions d
left join item_proofs f on f.repository_id = d.repository_id and f.kind = 'discussions' and f.github_id = d.github_id
cross join lateral (
    select count(*) filter (where o.parent_comment_id is null) as comments,
           count(*) filter (where o.parent_comment_id is not null) as replies,
           count(*) filter (where o.author_github_id is null) as authorless
    from discussion_comments o
    where o.discussion_id = d.id and o.gone_at is null
) c
where d.repository_id = %(repository_id)s and d.github_id = any(%(github_ids)s::bigint[]) and d.gone_at is null;

-- name: parts_of_discussions
select 'discussion_comment' as kind, c.github_id::text::bigint as github_id, c.node_id, d.number
from discussions d
join discussion_comments c on c.discussion_id = d.id and c.gone_at is null
where d.repository_id = %(repository_id)s and d.github_id = any(%(github_ids)s::bigint[]) and c.github_id::text ~ '^[0-9]+$';

-- name: bury_discussions
with buried as (
    update discussions d
    set gone_at = %(now)s, gone_reason = i.reason, gone_target = i.target, capture_gap = null
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, reason text, target text)
    where d.repository_id = %(repository_id)s and d.github_id = i.github_id and d.gone_at is null
    returning d.id
)
update backfills b
set captured = greatest(0, b.captured - (select count(*) from buried)::integer), updated_at = clock_timestamp()
where b.repository_id = %(repository_id)s and b.kind = 'discussions' and exists (select from buried);

-- name: trust_discussions
update discussions d set updated_at = i.updated_at
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, updated_at timestamptz)
where d.repository_id = %(repository_id)s and d.github_id = i.github_id and d.updated_at > i.updated_at;

-- name: surplus_of_discussions
-- Comments of discussions, and replies to comments, that were read since the sync began, where more are here than GitHub counts.
with begun as materialized (
    select last_started_at as at from repository_syncs where repository_id = %(repository_id)s
)
select 'discussion_comment' as kind, c.github_id::text::bigint as github_id, c.node_id, d.number
from discussions d
join discussion_comments c on c.discussion_id = d.id and c.gone_at is null
left join discussion_comments p on p.id = c.parent_comment_id
where d.repository_id = %(repository_id)s and d.gone_at is null and d.capture_gap is null and c.github_id::text ~ '^[0-9]+$'
  and case when p.id is null then d.counts_fetched_at else p.synced_at end >= (select at from begun)
  and case when p.id is null then d.comment_count else p.reply_count end
      < (select count(*) from discussion_comments o
         where o.discussion_id = d.id and o.parent_comment_id is not distinct from c.parent_comment_id and o.gone_at is null)
limit %(most)s;
