-- What the kinds of items of a repository have each: a backfill of its own, and rows.

-- name: lock_kinds
-- Lock the backfills of a repository (kind null: all of them) before they or their rows are written: first the row of the pull
-- requests that others may change, as they do.
with state as materialized (
    select id from progressive_backfill_state
    where repository_id = %(repository_id)s and coalesce(%(kind)s, 'pull_requests') = 'pull_requests'
    for no key update
)
select b.kind
from backfills b
left join state on true
where b.repository_id = %(repository_id)s and (%(kind)s::text is null or b.kind = %(kind)s)
order by b.kind
for no key update of b;

-- name: stored_pull_requests
-- Of a goal where one is given.  `later` were created after the walk began; `quarantined` are known and could not be stored at all.  What a catch-up lost by
-- its place alone is an item that the walk has, or has lost, as well.
select count(*)::integer as rows, (count(*) filter (where p.created_at >= %(since)s::timestamptz))::integer as later,
       (select count(*) from backfill_quarantine q
        where q.repository_id = %(repository_id)s and q.kind = 'pull_request' and q.resolved_at is null
          and not (q.number is null and q.identity like 'updated after %%')
          and not exists (select from pull_requests o
                          where o.repository_id = q.repository_id and o.number = q.number))::integer as quarantined
from pull_requests p
where p.repository_id = %(repository_id)s and p.gone_at is null
  and p.created_at >= coalesce(%(goal_since)s::timestamptz, '-infinity')
  and p.created_at < coalesce(%(goal_until)s::timestamptz, 'infinity')
  and (%(goal_states)s::text[] is null or case when p.merged then 'merged' else p.state end = any(%(goal_states)s::text[]));

-- name: here_pull_requests
-- Which of these numbers are here.
select p.number from pull_requests p where p.repository_id = %(repository_id)s and p.number = any(%(numbers)s::integer[]);

-- name: stored_issues
-- The same of issues; an application may keep pull requests among them.
select count(*)::integer as rows, (count(*) filter (where i.created_at >= %(since)s::timestamptz))::integer as later,
       (select count(*) from backfill_quarantine q
        where q.repository_id = %(repository_id)s and q.kind = 'issue' and q.resolved_at is null
          and not (q.number is null and q.identity like 'updated after %%')
          and not exists (select from issues o
                          where o.repository_id = q.repository_id and o.number = q.number))::integer as quarantined
from issues i
where i.repository_id = %(repository_id)s and i.is_pull_request is not true and i.gone_at is null
  and i.created_at >= coalesce(%(goal_since)s::timestamptz, '-infinity')
  and i.created_at < coalesce(%(goal_until)s::timestamptz, 'infinity');

-- name: stored_discussions
-- The same of discussions.
select count(*)::integer as rows, (count(*) filter (where d.created_at >= %(since)s::timestamptz))::integer as later,
       (select count(*) from backfill_quarantine q
        where q.repository_id = %(repository_id)s and q.kind = 'discussion' and q.resolved_at is null
          and not (q.number is null and q.identity like 'updated after %%')
          and not exists (select from discussions o
                          where o.repository_id = q.repository_id and o.number = q.number))::integer as quarantined
from discussions d
where d.repository_id = %(repository_id)s and d.gone_at is null
  and d.created_at >= coalesce(%(goal_since)s::timestamptz, '-infinity')
  and d.created_at < coalesce(%(goal_until)s::timestamptz, 'infinity');

-- name: here_discussions
select d.number from discussions d where d.repository_id = %(repository_id)s and d.number = any(%(numbers)s::integer[]);

-- name: here_issues
select i.number from issues i
where i.repository_id = %(repository_id)s and i.is_pull_request is not true and i.number = any(%(numbers)s::integer[]);
