-- Accounts, told as one jsonb array: an account is known by its id, and a login belongs to one account at a time.
-- `offset 0` keeps PostgreSQL from reading all accounts to find these few.

-- name: changed_people
-- Known accounts that look different now, and those whose login somebody else holds here: settled before the chunk.
select i.github_id
from jsonb_to_recordset(%(people)s)
     as i (github_id bigint, username text, display_name text, avatar_url text, is_bot boolean)
left join lateral (
    select id, username, display_name, avatar_url, is_bot from contributors where github_id = i.github_id offset 0
) c on true
left join lateral (
    select id from contributors where username = i.username and github_id <> i.github_id offset 0
) holder on true
where holder.id is not null
   or (c.id is not null
       and (c.username, c.display_name, c.avatar_url, c.is_bot) is distinct from
           (i.username, coalesce(i.display_name, c.display_name), coalesce(i.avatar_url, c.avatar_url), i.is_bot))
order by i.github_id;

-- name: free_logins
-- Whoever holds a login that GitHub gives to somebody else now gets a stand-in that no login can be, until it is seen; the
-- address is the other one's from now on.
with holders as (
    select c.id
    from contributors c
    join jsonb_to_recordset(%(people)s) as i (github_id bigint, username text) on i.username = c.username
    where c.github_id <> i.github_id
    order by c.id
    for update of c
)
update contributors c
set username = c.username || '~' || c.github_id, profile_url = null, last_updated_at = clock_timestamp()
from holders
where holders.id = c.id
returning c.id;

-- name: follow_logins
-- The copies of logins: a query by login must not mix two people.
update pull_requests p
set author_login = c.username
from contributors c
where c.id = any(%(ids)s::uuid[]) and p.author_id = c.id and p.author_login <> c.username;

-- name: update_people
update contributors c
set username = i.username, profile_url = 'https://github.com/' || i.username,
    display_name = coalesce(i.display_name, c.display_name), avatar_url = coalesce(i.avatar_url, c.avatar_url),
    is_bot = i.is_bot, last_updated_at = clock_timestamp()
from jsonb_to_recordset(%(people)s)
     as i (github_id bigint, username text, display_name text, avatar_url text, is_bot boolean)
where c.github_id = i.github_id
  and (c.username, c.display_name, c.avatar_url, c.is_bot) is distinct from
      (i.username, coalesce(i.display_name, c.display_name), coalesce(i.avatar_url, c.avatar_url), i.is_bot)
returning c.id;

-- name: insert_new_people
-- Only those who are new: an update of the unique login would lock the row against other jobs' foreign key checks.
insert into contributors (github_id, username, display_name, avatar_url, profile_url, is_bot, node_id)
select i.github_id, i.username, i.display_name, i.avatar_url, 'https://github.com/' || i.username, i.is_bot, i.node_id
from jsonb_to_recordset(%(people)s)
     as i (github_id bigint, username text, display_name text, avatar_url text, is_bot boolean, node_id text)
left join lateral (select id from contributors where github_id = i.github_id offset 0) c on true
where c.id is null
order by i.github_id
on conflict do nothing;

-- name: unknown_people
-- Who is still missing after the insert: another worker was faster with the same login.
select set_config(%(note)s, count(*)::text, true)
from jsonb_to_recordset(%(people)s) as i (github_id bigint)
left join lateral (select id from contributors where github_id = i.github_id offset 0) c on true
where c.id is null;
