-- What could not be read or stored.  `item_kind` is the kind whose items it belongs to: pull requests and issues share
-- one space of numbers.

-- name: quarantine
insert into backfill_quarantine as q (repository_id, item_kind, kind, identity, github_id, number, reason, payload)
select %(repository_id)s, %(item_kind)s, i.kind, i.identity, i.github_id, i.number, i.reason, i.payload
from jsonb_to_recordset(%(rows)s)
     as i (kind text, identity text, github_id bigint, number integer, reason text, payload jsonb)
on conflict (repository_id, kind, identity) do update
set item_kind = excluded.item_kind, github_id = excluded.github_id, number = excluded.number, reason = excluded.reason, payload = excluded.payload,
    attempts = q.attempts + 1, last_seen_at = clock_timestamp(), resolved_at = null;

-- name: open_quarantine
-- What waits in the quarantine of a repository, by the pull request it belongs to.
select kind, identity, number, attempts
from backfill_quarantine
where repository_id = %(repository_id)s and item_kind = %(item_kind)s and resolved_at is null and attempts < %(most_attempts)s
order by attempts, number, kind, identity;

-- name: open_places
-- A place is known by the cursor that leads to it, as `clients/pages.py` names it; what was the first one is not found again.
select identity
from backfill_quarantine
where repository_id = %(repository_id)s and item_kind = %(item_kind)s and resolved_at is null and number is null
  and identity ~ '^(updated )?after ' and identity not like '%% None'
order by first_seen_at;

-- name: number_places
update backfill_quarantine q
set number = i.number
from jsonb_to_recordset(%(rows)s) as i (place text, number integer)
where q.repository_id = %(repository_id)s and q.item_kind = %(item_kind)s and q.resolved_at is null and q.number is null
  and q.identity = i.place;

-- name: count_attempt
-- What this transaction has put there again is counted by that.
update backfill_quarantine
set attempts = attempts + 1, last_seen_at = clock_timestamp()
where repository_id = %(repository_id)s and item_kind = %(item_kind)s and resolved_at is null and number = any(%(numbers)s::integer[])
  and last_seen_at < transaction_timestamp();

-- name: closed_entries
-- How many of some entries are closed: rows that were refused again have opened theirs again.
select count(*) as entries from backfill_quarantine
where id = any(%(entries)s::uuid[]) and resolved_at is not null;

-- name: resolve_quarantine
-- The pull requests with these numbers were read again.
update backfill_quarantine
set resolved_at = clock_timestamp()
where repository_id = %(repository_id)s and item_kind = %(item_kind)s and resolved_at is null and number = any(%(numbers)s::integer[])
returning id;
