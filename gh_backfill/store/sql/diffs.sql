-- Files and commits of pull requests: a list is known while it is of the last update of its pull request that is stored.

-- name: wanted_diffs
-- The newest first; what could not be read last time after the others.
select p.id::text as pull_request_id, p.node_id, w.list, (d.as_of is null or d.as_of < p.updated_at) as wanted,
       (count(*) over ())::integer as lists, (count(*) filter (where d.as_of >= p.updated_at) over ())::integer as known
from pull_requests p
cross join unnest(%(lists)s::text[]) as w (list)
left join pull_request_diffs d on d.pull_request_id = p.id and d.list = w.list
where p.repository_id = %(repository_id)s and p.node_id is not null and p.gone_at is null
order by (d.as_of >= p.updated_at) is true, d.gap is not null and d.as_of is null, p.created_at desc, p.id, w.list
limit %(most)s;

-- name: lease_diffs
-- Take those that nobody asks about now.
insert into pull_request_diffs as d (pull_request_id, list, leased_until)
select i.pull_request_id, i.list, clock_timestamp() + %(lease)s::interval
from jsonb_to_recordset(%(rows)s) as i (pull_request_id uuid, list text)
join pull_requests p on p.id = i.pull_request_id
order by 1, 2
on conflict (pull_request_id, list) do update set leased_until = excluded.leased_until
where d.leased_until is null or d.leased_until < clock_timestamp()
returning d.pull_request_id::text as pull_request_id, d.list;

-- name: release_diffs
update pull_request_diffs d
set leased_until = null
from jsonb_to_recordset(%(rows)s) as i (pull_request_id uuid, list text)
where d.pull_request_id = i.pull_request_id and d.list = i.list and d.leased_until is not null;

-- name: write_diffs
-- A newer reading replaces an older one as a whole.
update pull_request_diffs d
set rows = i.rows, total = i.total, gap = i.gap, as_of = i.as_of, asked_at = %(asked_at)s, leased_until = null
from jsonb_to_recordset(%(rows)s)
     as i (pull_request_id uuid, list text, rows jsonb, total integer, gap text, as_of timestamptz)
where d.pull_request_id = i.pull_request_id and d.list = i.list and (d.as_of is null or d.as_of <= i.as_of);

-- name: write_diff_gaps
-- Why there is no list: it is asked for again, and what is here stays.
update pull_request_diffs d
set gap = i.gap, leased_until = null
from jsonb_to_recordset(%(rows)s) as i (pull_request_id uuid, list text, gap text)
where d.pull_request_id = i.pull_request_id and d.list = i.list;
