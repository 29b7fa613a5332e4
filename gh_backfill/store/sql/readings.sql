-- How far readings beside the items have come, as it was counted when one began or ended.

-- name: write_readings
insert into backfill_readings as b (repository_id, name, total, known, counted_at)
select r.id, i.name, i.total, i.known, clock_timestamp()
from jsonb_to_recordset(%(rows)s) as i (name text, total integer, known integer)
join repositories r on r.id = %(repository_id)s
order by i.name
on conflict (repository_id, name) do update
set total = excluded.total, known = excluded.known, counted_at = excluded.counted_at;

-- name: readings
select b.repository_id::text as repository_id, b.name, b.total, b.known, b.counted_at
from backfill_readings b
where %(ids)s::uuid[] is null or b.repository_id = any(%(ids)s::uuid[])
order by b.repository_id, b.name;
