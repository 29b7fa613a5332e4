-- Many backfills are opened in one transaction: what decides is asked for all of them at once.

-- name: lock_and_look
-- Whoever opens backfills waits for their workers and for others who open them, before any row of data, and judges what they
-- left.  A row without a repository tells that a name which GitHub gives now (rows: [{github_id, full_name}]) is another one
-- here, or belongs to somebody else.
with locked as materialized (
    select s.repository_id, s.stream, s.status as stream_status, s.watermark, b.status, b.gaps,
           b.held and coalesce(b.resume_at, 'infinity') > clock_timestamp() as stays
    from backfill_streams s
    join progressive_backfill_state b on b.id = s.backfill_state_id
    where s.repository_id = any(%(ids)s::uuid[])
       or s.repository_id in (select r.id from repositories r where r.github_id = any(%(github_ids)s::bigint[]))
    order by s.repository_id, s.stream = 'catch_up', s.part
    for no key update of s, b
)
select repository_id, status, coalesce(gaps, 0) as gaps, coalesce(stays, false) as stays,
       bool_or(stream = 'catch_up' and stream_status = 'completed' and watermark is not null) as can_catch_up
from locked
group by repository_id, status, gaps, stays
union all
select null, null, null, null, null
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, full_name text)
where exists (select from repositories r where r.github_id = i.github_id and r.full_name <> i.full_name)
   or exists (select from repositories r where lower(r.full_name) = lower(i.full_name) and r.github_id <> i.github_id);
