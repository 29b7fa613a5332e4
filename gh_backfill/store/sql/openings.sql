-- Many backfills are opened in one transaction: what decides is asked for all of them at once.

-- name: lock_and_look
-- Whoever opens backfills waits for their workers and for others who open them, before any row of data, and judges what they
-- left.  A row without a repository tells that a name which GitHub gives now (rows: [{github_id, full_name}]) is another one
-- here, or belongs to somebody else.
with asked as materialized (
    select r.id from repositories r where r.id = any(%(ids)s::uuid[]) or r.github_id = any(%(github_ids)s::bigint[])
), states as materialized (
    select p.id
    from progressive_backfill_state p
    where p.repository_id in (select id from asked) and %(kind)s = 'pull_requests'
    order by p.id
    for no key update
), backfill as materialized (
    select b.id, b.repository_id, b.status, b.total, b.captured, b.gaps, b.held, b.resume_at
    from backfills b
    cross join (select count(*) from states) locked
    where b.repository_id in (select id from asked) and b.kind = %(kind)s
    order by b.id
    for no key update of b
), streams as materialized (
    select s.backfill_id, s.stream, s.part, s.status, s.watermark, s.goal_max_items, s.goal_since, s.goal_until, s.goal_states
    from backfill
    join backfill_streams s on s.backfill_id = backfill.id
    order by s.backfill_id, s.stream = 'catch_up', s.part
    for no key update of s
)
select b.repository_id, b.status, b.total, b.captured, b.gaps, b.held,
       b.held and coalesce(b.resume_at, 'infinity') > clock_timestamp() as stays,
       bool_or(s.stream = 'catch_up' and s.status = 'completed' and s.watermark is not null) as can_catch_up,
       h.goal_max_items, h.goal_since, h.goal_until, h.goal_states
from backfill b
join streams s on s.backfill_id = b.id
left join streams h on h.backfill_id = b.id and h.stream = 'history' and h.part = 0
group by b.repository_id, b.status, b.total, b.captured, b.gaps, b.held, b.resume_at, h.goal_max_items, h.goal_since,
         h.goal_until, h.goal_states
union all
select null, null, null, null, null, null, null, null, null, null, null, null
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, full_name text)
where exists (select from repositories r where r.github_id = i.github_id and r.full_name <> i.full_name)
   or exists (select from repositories r where lower(r.full_name) = lower(i.full_name) and r.github_id <> i.github_id);
