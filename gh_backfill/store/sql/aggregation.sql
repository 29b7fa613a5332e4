-- Figures of workspaces: which are due, who is at one, and what is noted of it.

-- name: aggregation_due
-- Whose figures are missing, older than `old`, of other repositories than it has now, or from before a job of one of these ended.
-- A job is looked for among those that began in the time `recent` before: none takes longer.  The oldest figures come first.
select w.id, w.slug, w.visibility = 'private' as is_private, m.repositories, m.members, a.computed_at
from workspaces w
left join workspace_aggregations a on a.workspace_id = w.id
cross join lateral (
    select count(*)::integer as repositories,
           coalesce(md5(string_agg(r.id::text || (r.is_private is not false), ' ' order by r.id)), '') as members
    from workspace_repositories m
    join repositories r on r.id = m.repository_id
    where m.workspace_id = w.id
) m
where w.is_active is distinct from false
  and (%(slugs)s::text[] is null or w.slug = any(%(slugs)s::text[]))
  and (%(repository_id)s::uuid is null
       or exists (select from workspace_repositories o where o.workspace_id = w.id and o.repository_id = %(repository_id)s::uuid))
  and (not %(only_due)s or a.computed_at is null or a.computed_at < clock_timestamp() - %(old)s
       or a.members is distinct from m.members
       or exists (select from workspace_repositories o
                  join progressive_capture_jobs j on j.repository_id = o.repository_id
                  where o.workspace_id = w.id and j.outcome is not null and j.completed_at > a.computed_at
                    and j.created_at > a.computed_at - %(recent)s))
  and (not %(only_rested)s or a.computed_at is null
       or a.computed_at < clock_timestamp() - greatest(%(rested)s, make_interval(secs => %(times)s * coalesce(a.seconds, 0))))
  and (%(within)s::double precision is null or coalesce(a.seconds, 0) < %(within)s::double precision)
order by a.computed_at nulls first, w.slug;

-- name: note_aggregation
-- In a transaction of its own, and only where there is none: whoever meets a row that somebody is at waits for that.
insert into workspace_aggregations (workspace_id)
select w.id
from workspaces w
where w.id = any(%(ids)s::uuid[]) and not exists (select from workspace_aggregations a where a.workspace_id = w.id)
order by w.id
on conflict do nothing
returning workspace_id;

-- name: lock_aggregation
-- Nobody but another aggregation of the workspace waits for this row.
select workspace_id from workspace_aggregations where workspace_id = %(id)s for update;

-- name: lock_aggregation_unless_busy
select workspace_id from workspace_aggregations where workspace_id = %(id)s for update skip locked;

-- name: bound_aggregation
-- For this transaction only.  To compile a statement that runs once costs more than it saves.
select set_config('statement_timeout', %(milliseconds)s::text, true), set_config('jit', 'off', true);

-- name: forget_second_audience
delete from workspace_metrics m
where m.workspace_id = %(id)s and m.audience = 'everybody'
  and not exists (select from workspace_repositories o join repositories r on r.id = o.repository_id
                  where o.workspace_id = m.workspace_id and r.is_private is not false);

-- name: note_totals
-- An application's guests read this row of a public workspace: there only what they may see is counted.
update workspaces w
set total_repositories = m.repositories, total_contributors = m.contributors, total_pull_requests = m.pull_requests_opened,
    total_issues = m.issues_opened
from (select * from workspace_metrics where workspace_id = %(id)s and period = 'all'
      order by audience = case when to_regclass('app_users') is null
                                 or exists (select from workspaces p where p.id = %(id)s and p.visibility = 'private')
                               then 'members' else 'everybody' end desc
      limit 1) m
where w.id = m.workspace_id
  and (w.total_repositories, w.total_contributors, w.total_pull_requests, w.total_issues)
      is distinct from (m.repositories, m.contributors, m.pull_requests_opened, m.issues_opened);

-- name: note_aggregated
update workspace_aggregations
set computed_at = %(computed_at)s::timestamptz, members = %(members)s,
    seconds = extract(epoch from clock_timestamp() - transaction_timestamp())
where workspace_id = %(id)s;

-- name: note_slow
-- It took longer than whoever asked had: those who have no more time leave it alone.
update workspace_aggregations set seconds = greatest(seconds, %(seconds)s) where workspace_id = %(id)s
returning workspace_id;

-- name: workspace_metrics
-- Everybody sees the figures of what is public, and none where these are not computed.
select m.*
from workspace_metrics m
where m.workspace_id = %(id)s
  and m.audience = case when %(public_only)s
                         and exists (select from workspace_repositories o join repositories r on r.id = o.repository_id
                                     where o.workspace_id = m.workspace_id and r.is_private is not false)
                        then 'everybody' else 'members' end
order by m.since desc nulls last;
