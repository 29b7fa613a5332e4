-- What people and plans did to backfills.

-- name: record_events
insert into backfill_events (repository_id, event, detail, who, run_key, kind)
select i.repository_id, %(event)s, i.detail, %(who)s, %(run_key)s, %(kind)s
from jsonb_to_recordset(%(rows)s) as i (repository_id uuid, detail text);

-- name: last_events
-- The last things that happened to repositories, the latest first.
select e.at, e.repository_id, r.full_name, r.is_private is not false as is_private, e.event, e.detail, e.who, e.run_key,
       e.kind
from backfill_events e
left join repositories r on r.id = e.repository_id
where %(ids)s::uuid[] is null or e.repository_id = any(%(ids)s::uuid[])
order by e.at desc, e.id desc
limit %(most)s;

-- name: forget_backfill_events
-- A year is kept.
delete from backfill_events where at < clock_timestamp() - interval '1 year';
