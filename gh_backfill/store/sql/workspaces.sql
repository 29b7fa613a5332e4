-- Workspaces: their repositories and when their events are fetched.  Those that an application deleted are not there.

-- name: workspaces
-- One by its slug or id, or all.  Guests see those that everybody may see.
select w.id, w.slug, w.name, w.description, w.owner_id, w.visibility = 'private' as is_private,
       w.max_repositories as most, s.every, s.days, s.begins_at, s.next_due_at, s.last_run_at,
       (select count(*) from workspace_repositories m join repositories r on r.id = m.repository_id
        where m.workspace_id = w.id and (r.is_private is false or not %(public_only)s))::integer as repositories
from workspaces w
left join workspace_schedules s on s.workspace_id = w.id
where w.is_active is distinct from false and (w.visibility = 'public' or not %(public_only)s)
  and (%(slug)s::text is null or w.slug = %(slug)s or w.id::text = %(slug)s)
order by w.slug;

-- name: lock_workspace
-- Who adds and who removes come one after the other.
select id, max_repositories as most
from workspaces
where (slug = %(slug)s or id::text = %(slug)s) and is_active is distinct from false
for update;

-- name: count_members
-- In a statement of its own: the one that waited for the lock sees what was there before it waited.
select count(*)::integer as repositories from workspace_repositories where workspace_id = %(id)s;

-- name: slug_taken
select is_active is distinct from false as is_active from workspaces where slug = %(slug)s;

-- name: insert_workspace
insert into workspaces (slug, name, description, owner_id, visibility)
values (%(slug)s, %(name)s, %(description)s, %(owner_id)s, %(visibility)s)
on conflict (slug) do nothing
returning id;

-- name: set_limit
update workspaces set max_repositories = %(most)s where id = %(id)s;

-- name: deactivate
-- As an application deletes one: what hangs on it stays.
update workspaces set is_active = false, updated_at = clock_timestamp() where id = %(id)s;

-- name: delete_workspace
delete from workspaces where id = %(id)s;

-- name: insert_members
insert into workspace_repositories (workspace_id, repository_id, added_by)
select w.id, given.id, w.owner_id
from workspaces w, unnest(%(repository_ids)s::uuid[]) as given (id)
where w.id = %(id)s
on conflict (workspace_id, repository_id) do nothing
returning repository_id;

-- name: delete_members
delete from workspace_repositories
where workspace_id = %(id)s and repository_id = any(%(repository_ids)s::uuid[])
returning repository_id;

-- name: recount_members
update workspaces
set current_repository_count = (select count(*) from workspace_repositories where workspace_id = workspaces.id),
    last_activity_at = clock_timestamp(), updated_at = clock_timestamp()
where id = %(id)s;

-- name: members
select r.id, r.github_id, r.full_name, r.is_private is not false as is_private, r.stargazers_count as stars,
       r.forks_count as forks
from workspace_repositories m
join repositories r on r.id = m.repository_id
where m.workspace_id = %(id)s and (r.is_private is false or not %(public_only)s)
order by lower(r.full_name);

-- name: workspaces_of
select w.slug, w.name
from workspace_repositories m
join workspaces w on w.id = m.workspace_id and w.is_active is distinct from false
where m.repository_id = %(repository_id)s and (w.visibility = 'public' or not %(public_only)s)
order by w.slug;

-- name: set_workspace_schedule
insert into workspace_schedules (workspace_id, every, days, begins_at, next_due_at)
values (%(id)s, %(every)s, %(days)s, %(begins_at)s, %(begins_at)s)
on conflict (workspace_id) do update
set every = excluded.every, days = excluded.days, begins_at = excluded.begins_at, next_due_at = excluded.next_due_at;

-- name: delete_workspace_schedule
delete from workspace_schedules where workspace_id = %(id)s;

-- name: claim_due
-- Whoever takes a turn keeps the others from it until `until`; one whose process is ended is taken again then.
with due as (
    select s.workspace_id
    from workspace_schedules s
    join workspaces w on w.id = s.workspace_id and w.is_active is distinct from false
    where s.next_due_at <= %(now)s::timestamptz and coalesce(s.claimed_until, '-infinity') <= %(now)s::timestamptz
    for update of s skip locked
)
update workspace_schedules s
set claimed_until = %(until)s::timestamptz
from due
join workspaces w on w.id = due.workspace_id
where s.workspace_id = due.workspace_id
returning w.id, w.slug, w.visibility = 'private' as is_private, s.every, s.days, s.begins_at, s.next_due_at as due_at;

-- name: keep_due
-- Somebody who changed the schedule meanwhile has the word.
update workspace_schedules
set next_due_at = %(next_due_at)s, last_run_at = %(now)s, claimed_until = null
where workspace_id = %(id)s and next_due_at = %(due_at)s and every = %(every)s;

-- name: give_turn_back
update workspace_schedules set claimed_until = null where workspace_id = %(id)s;

-- name: refreshable
-- What workspaces follow, each once, but for what was asked about within the day.
select distinct r.id, lower(r.full_name) as name
from workspace_repositories m
join workspaces w on w.id = m.workspace_id and w.is_active is distinct from false
join repositories r on r.id = m.repository_id
where not exists (select from event_sources s
                  where s.repository_id = r.id and s.series in ('stars', 'forks') and s.asked_at > %(asked_since)s::timestamptz)
order by name;

-- name: workspace_people
-- Who did most, bots last; `everybody` counts those who are no bots.
with did as (
    select author_id as who, repository_id, 'pull_request' as what
    from pull_requests
    where repository_id = any(%(ids)s::uuid[]) and created_at >= %(begins)s::timestamptz and gone_at is null
    union all
    select coalesce(v.reviewer_id, v.author_id), v.repository_id, 'review'
    from reviews v
    where v.repository_id = any(%(ids)s::uuid[]) and v.submitted_at >= %(begins)s::timestamptz and v.gone_at is null
    union all
    select author_id, repository_id, 'issue'
    from issues
    where repository_id = any(%(ids)s::uuid[]) and created_at >= %(begins)s::timestamptz and gone_at is null
      and is_pull_request is not true
    union all
    select commenter_id, repository_id, 'comment'
    from comments
    where repository_id = any(%(ids)s::uuid[]) and created_at >= %(begins)s::timestamptz and gone_at is null
)
select c.username, coalesce(c.is_bot, false) as is_bot,
       (count(*) filter (where what = 'pull_request'))::integer as pull_requests,
       (count(*) filter (where what = 'review'))::integer as reviews,
       (count(*) filter (where what = 'issue'))::integer as issues,
       (count(*) filter (where what = 'comment'))::integer as comments,
       count(distinct d.repository_id)::integer as repositories,
       (count(*) filter (where c.is_bot is not true) over ())::integer as everybody
from did d
join contributors c on c.id = d.who
group by c.id, c.username, c.is_bot
order by c.is_bot is true, count(*) desc, lower(c.username)
limit %(most)s;
