-- Repositories: what GitHub says of them, which are tracked, and how far each has come.

-- name: free_names
-- A name that GitHub gives to another repository now is taken from its former holder here.
with holders as (
    select r.id
    from repositories r
    join jsonb_to_recordset(%(rows)s) as i (github_id bigint, full_name text) on lower(i.full_name) = lower(r.full_name)
    where r.github_id <> i.github_id
    order by r.id
    for update of r
)
update repositories r
set full_name = r.full_name || '~' || r.github_id, name = r.name || '~' || r.github_id
from holders
where holders.id = r.id
returning r.id;

-- name: renamed
-- Which of these have another name here.
select r.id
from repositories r
join jsonb_to_recordset(%(rows)s) as i (github_id bigint, full_name text) on i.github_id = r.github_id
where i.full_name <> r.full_name;

-- name: free_tracked_copies
-- A step of its own, for two that swap their names would collide otherwise.
update tracked_repositories t
set repository_name = t.repository_name || '~' || r.github_id, updated_at = clock_timestamp()
from repositories r
where r.id = t.repository_id
  and (r.id = any(%(ids)s::uuid[]) or exists (
          select from repositories n
          where n.id = any(%(ids)s::uuid[]) and n.id <> r.id and lower(n.owner) = lower(t.organization_name)
            and lower(n.name) = lower(t.repository_name)));

-- name: rename_tracked
update tracked_repositories t
set organization_name = r.owner, repository_name = r.name, updated_at = clock_timestamp()
from repositories r
where r.id = t.repository_id and r.id = any(%(ids)s::uuid[]);

-- name: rename_pull_requests
-- Every copy of a repository's name, addresses included; who was freed has no address until its new name is known.  Rows
-- of an import that stopped half way know their repository by GitHub's id alone.
update pull_requests p
set repository_full_name = r.full_name,
    html_url = case when r.name like '%%~%%' then p.html_url
                    else regexp_replace(p.html_url, '/[^/]+/[^/]+/pull/', '/' || r.full_name || '/pull/') end,
    diff_url = case when r.name like '%%~%%' then p.diff_url
                    else regexp_replace(p.diff_url, '/[^/]+/[^/]+/pull/', '/' || r.full_name || '/pull/') end,
    patch_url = case when r.name like '%%~%%' then p.patch_url
                     else regexp_replace(p.patch_url, '/[^/]+/[^/]+/pull/', '/' || r.full_name || '/pull/') end
from repositories r
where (p.repository_id = r.id or p.repository_id is null and p.repository_github_id = r.github_id)
  and r.id = any(%(ids)s::uuid[]) and p.repository_full_name <> r.full_name;

-- name: upsert
insert into repositories as r (
    github_id, node_id, full_name, owner, name, description, homepage, language, license, default_branch, avatar_url,
    is_private, is_fork, is_archived, is_disabled, is_template, has_issues, has_projects, has_wiki, has_discussions,
    stargazers_count, forks_count, size, github_created_at, github_updated_at, github_pushed_at, github_pull_requests,
    github_pull_requests_at)
select i.*, clock_timestamp()
from jsonb_to_recordset(%(rows)s) as i (
    github_id bigint, node_id text, full_name text, owner text, name text, description text, homepage text,
    language text, license text, default_branch text, avatar_url text, is_private boolean, is_fork boolean,
    is_archived boolean, is_disabled boolean, is_template boolean, has_issues boolean, has_projects boolean,
    has_wiki boolean, has_discussions boolean, stargazers_count integer, forks_count integer, size integer,
    github_created_at timestamptz, github_updated_at timestamptz, github_pushed_at timestamptz,
    github_pull_requests integer)
order by i.github_id
on conflict (github_id) do update
set node_id = excluded.node_id, full_name = excluded.full_name, owner = excluded.owner, name = excluded.name,
    description = excluded.description, homepage = excluded.homepage, language = excluded.language,
    license = excluded.license, default_branch = coalesce(excluded.default_branch, r.default_branch),
    avatar_url = excluded.avatar_url, is_private = excluded.is_private, is_fork = excluded.is_fork,
    is_archived = excluded.is_archived, is_disabled = excluded.is_disabled, is_template = excluded.is_template,
    has_issues = excluded.has_issues, has_projects = excluded.has_projects, has_wiki = excluded.has_wiki,
    has_discussions = excluded.has_discussions, stargazers_count = excluded.stargazers_count,
    forks_count = excluded.forks_count, size = excluded.size, github_created_at = excluded.github_created_at,
    github_updated_at = excluded.github_updated_at, github_pushed_at = excluded.github_pushed_at,
    github_pull_requests = excluded.github_pull_requests,
    github_pull_requests_at = excluded.github_pull_requests_at
returning r.id, r.github_id, (xmax = 0) as inserted;

-- name: free_tracked_names
-- Entries that name one of these repositories but belong to another row: their own name counts.
update tracked_repositories t
set organization_name = r.owner, repository_name = r.name || '~' || r.github_id, updated_at = clock_timestamp()
from jsonb_to_recordset(%(rows)s) as i (owner text, name text, github_id bigint), repositories r
where r.id = t.repository_id and lower(t.organization_name) = lower(i.owner)
  and lower(t.repository_name) = lower(i.name) and r.github_id <> i.github_id;

-- name: track
-- `added` are those that were not on the list: new ones, and those that had been taken off.  What the list said before this
-- statement is what it reads of the table itself.  Whoever says a priority lets it decide how often a repository is looked at:
-- the hours that a host application's column says (24 where nobody set them) are taken back.
with off as materialized (
    select repository_id from tracked_repositories where tracking_enabled is not distinct from false
), tracked as (
    insert into tracked_repositories as t (repository_id, organization_name, repository_name, tracking_enabled, kinds, only_newest,
                                           priority, sync_frequency_hours)
    select r.id, r.owner, r.name, true, %(kinds)s::text[], %(only_newest)s::boolean,
           coalesce(%(priority)s, %(unsaid)s)::repository_priority, null
    from repositories r
    where r.github_id = any(%(github_ids)s::bigint[])
    order by r.id
    on conflict (repository_id) do update
    set organization_name = excluded.organization_name, repository_name = excluded.repository_name,
        tracking_enabled = true, kinds = coalesce(excluded.kinds, t.kinds),
        only_newest = coalesce(excluded.only_newest, t.only_newest),
        priority = coalesce(%(priority)s::repository_priority, t.priority),
        sync_frequency_hours = case when %(priority)s::text is null then t.sync_frequency_hours end,
        updated_at = clock_timestamp()
    where (t.organization_name, t.repository_name, t.tracking_enabled, t.kinds, t.only_newest, t.priority)
          is distinct from (excluded.organization_name, excluded.repository_name, true, coalesce(excluded.kinds, t.kinds),
                            coalesce(excluded.only_newest, t.only_newest),
                            coalesce(%(priority)s::repository_priority, t.priority))
       or %(priority)s::text is not null and t.sync_frequency_hours is not null
    returning t.repository_id, (xmax = 0 or t.repository_id in (select repository_id from off)) as added
)
select r.id, r.github_id, coalesce(t.added, false) as added, case when b.held then b.held_reason end as held_reason,
       s.has_stream, g.goal_max_items as goal, g.goal_max_items, g.goal_since, g.goal_until, g.goal_states,
       before.kinds, coalesce(before.only_newest, false) as only_newest, before.priority::text as priority
from repositories r
left join tracked t on t.repository_id = r.id
left join tracked_repositories before on before.repository_id = r.id
left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
cross join lateral (
    select count(*) > 0 as has_stream
    from backfill_streams s
    where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream <> 'sync'
) s
left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
where r.github_id = any(%(github_ids)s::bigint[]);

-- name: candidates
-- Everything that is tracked, has an open backfill, or one that failed because GitHub did not show it; what was taken off
-- the list is asked about only by its name.  The count of captured rows is the backfill's own where it is kept
-- by our streams, and counted where an older application kept it.
select r.id, r.github_id, r.owner, r.name, r.node_id, r.is_private is true as is_private,
       r.github_pull_requests as total,
       case when stream.id is null
            then (select count(*) from pull_requests p where p.repository_id = r.id and p.gone_at is null)::integer
            when g.filtered then g.captured else b.processed_prs end as captured,
       b.status, b.pause_reason, b.resume_at, coalesce(b.held, false) as held, b.held_reason, b.held_by, b.planned_at, t.created_at as tracked_at,
       coalesce(stream.leased, false) as leased, stream.id is not null as has_stream, coalesce(walk.begun, false) as begun,
       coalesce(walk.free_parts, '{}') as free_parts, coalesce(b.gaps, 0) as gaps,
       case when g.filtered then g.wanted else g.goal_max_items end as goal, coalesce(g.open_ended, false) as open_ended,
       g.goal_max_items, g.goal_since, g.goal_until, g.goal_states,
       coalesce(b.status = 'failed' and b.metadata ->> 'failed_because' = 'gone', false) as vanished,
       coalesce(t.kinds, %(kinds)s::text[]) as kinds, coalesce(t.only_newest, false) as only_newest,
       r.initial_backfill_status as initial, r.github_pushed_at as pushed_at,
       t.off_peak, t.every_days, b.completed_at,
       array(select k.name from unnest(coalesce(t.kinds, %(kinds)s::text[])) as k (name)
             where k.name <> 'pull_requests'
               and not exists (select from backfills o
                               where o.repository_id = r.id and o.kind = k.name
                                 and (o.status in ('completed', 'failed')
                                      or o.held and coalesce(o.resume_at, 'infinity') > clock_timestamp()
                                      or o.status = 'paused' and o.resume_at > clock_timestamp()))) as unfinished,
       (select coalesce(jsonb_agg(jsonb_build_object('kind', o.kind, 'there', o.captured + o.gaps, 'total', o.total,
                    'of_goal', coalesce(og.filtered and t.only_newest, false)) order by o.kind), '[]')
        from backfills o left join backfill_goals og on og.repository_id = o.repository_id and og.kind = o.kind
        where o.repository_id = r.id and o.kind <> 'pull_requests' and o.status = 'completed' and not o.held
          and o.kind = any(coalesce(t.kinds, %(kinds)s::text[]))) as finished
from repositories r
left join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
left join progressive_backfill_state b on b.repository_id = r.id
left join lateral (
    select s.id, leased
    from backfill_streams s
    cross join lateral (
        select exists (select from backfill_chunks c
                       where c.stream_id = s.id and c.status = 'processing' and c.lease_until > clock_timestamp()) as leased
    ) c
    where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream <> 'sync'
    order by s.status <> 'active', s.stream = 'catch_up', leased, s.part
    limit 1
) stream on true
left join lateral (
    select bool_or(s.part = 0 and (s.status = 'paused' or s.status = 'active' and s.cursor is not null)) as begun,
           array_agg(s.part order by s.part) filter (
               where s.part > 0 and s.status = 'active'
                 and not exists (select from backfill_chunks c where c.stream_id = s.id and c.status = 'processing'
                                                                 and c.lease_until > clock_timestamp())) as free_parts
    from backfill_streams s
    where s.repository_id = r.id and s.kind = 'pull_requests' and s.stream = 'history'
) walk on true
left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
where t.id is not null or r.id = any(%(ids)s::uuid[]) or r.github_id = any(%(github_ids)s::bigint[])
   or lower(r.full_name) = any(%(names)s::text[])
   or (b.status in ('active', 'paused') or b.status = 'failed' and b.metadata ->> 'failed_because' = 'gone')
      and not (coalesce(b.held, false) and b.held_reason is not distinct from 'untracked')
order by r.full_name;

-- name: find
-- Repositories by any of their names: our id, GitHub's id, or owner/name in any case.
select id, github_id, full_name
from repositories
where id = any(%(ids)s::uuid[]) or github_id = any(%(github_ids)s::bigint[])
   or lower(full_name) = any(%(names)s::text[]);

-- name: shown
select id, full_name, is_private, github_pull_requests from repositories where id = %(id)s;

-- name: follow
-- What a page says of its repository, where that is news; a new name is a step of its own.
update repositories
set is_private = %(is_private)s, github_pull_requests = coalesce(%(total)s::integer, github_pull_requests),
    github_pull_requests_at = case when %(total)s::integer is null then github_pull_requests_at else clock_timestamp() end
where id = %(id)s
  and (full_name, is_private, github_pull_requests)
      is distinct from (%(full_name)s, %(is_private)s, coalesce(%(total)s::integer, github_pull_requests))
returning github_id, full_name <> %(full_name)s as renamed;

-- name: rename
update repositories
set full_name = %(full_name)s, owner = split_part(%(full_name)s, '/', 1), name = split_part(%(full_name)s, '/', 2)
where id = %(id)s;

-- name: hide
update repositories set is_private = true where id = %(id)s and is_private is distinct from true returning full_name;

-- name: names
-- What is not known to be public, and what was given, with its privacy: null where an older application wrote none.
select id, full_name, is_private
from repositories
where is_private is distinct from false or lower(full_name) = any(%(given)s::text[]);

-- name: begin_initial
-- What was completed begins again only where more is wanted of it, which is what the caller says.  What a person gave up stays
-- so, until a person takes it up again.
update repositories r
set initial_backfill_status = given.status
from (select r.id, case when coalesce(b.held and b.held_reason in ('cancelled', 'untracked'), false) then 'cancelled'
                        else 'pending' end as status
      from repositories r
      left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
      where r.id = any(%(ids)s::uuid[])) given
where r.id = given.id and r.initial_backfill_status is distinct from given.status;

-- name: status
-- An initial backfill is processing while somebody is at it: who died may have had no time to say so (recovery.sql).
-- What jobs `spent` is added up only where it is shown: also what came to nothing, and what is beside the pages, costs points.
select r.id, r.full_name, r.is_private is true as is_private, r.github_pull_requests as total,
       r.github_pull_requests_at as total_at,
       case when b.id is null or not exists (select from backfill_streams s where s.backfill_state_id = b.id)
            then (select count(*) from pull_requests p where p.repository_id = r.id and p.gone_at is null)::integer
            when g.filtered then g.captured else b.processed_prs end as captured,
       b.status, coalesce(b.held, false) as held, b.held_reason, b.held_by, b.pause_reason, b.resume_at, b.last_error, b.points, b.requests, b.completed_at,
       c.chunk_number, c.status as chunk_status, coalesce(c.completed_at, c.started_at) as chunk_at,
       case when g.filtered then g.wanted else g.goal_max_items end as goal, coalesce(g.open_ended, false) as open_ended,
       g.goal_max_items, g.goal_since, g.goal_until, g.goal_states,
       case when r.initial_backfill_status = 'processing' and not at_work.now then 'pending' else r.initial_backfill_status end as initial,
       coalesce(t.only_newest, false) as only_newest, spent.points as spent_points, spent.requests as spent_requests,
       coalesce(b.gaps, 0) as unlisted,
       coalesce(b.gaps, 0) + (select count(*) from pull_requests p
                              where p.repository_id = r.id and p.capture_gap is not null)::integer as gaps,
       (select count(*) from backfill_quarantine q where q.repository_id = r.id and q.resolved_at is null)::integer
           as quarantined,
       (select coalesce(jsonb_agg(jsonb_build_object(
                   'kind', o.kind, 'status', o.status, 'captured', o.captured, 'held', o.held, 'unlisted', o.gaps,
                   'total', case when o.total > 0 or o.status = 'completed' then o.total end,
                   'gaps', o.gaps + case o.kind when 'issues'
                       then (select count(*) from issues i where i.repository_id = r.id and i.capture_gap is not null)
                       else (select count(*) from discussions d where d.repository_id = r.id and d.capture_gap is not null) end)
                   order by o.kind), '[]')
        from backfills o
        where o.repository_id = r.id and o.kind <> 'pull_requests') as others
from repositories r
left join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
left join progressive_backfill_state b on b.repository_id = r.id
left join lateral (
    select chunk_number, status, started_at, completed_at
    from backfill_chunks
    where backfill_state_id = b.id
    order by chunk_number desc
    limit 1
) c on true
left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
left join lateral (
    select coalesce(sum(j.points), 0)::integer as points, coalesce(sum(j.requests), 0)::integer as requests
    from (select points, requests from progressive_capture_jobs where repository_id = r.id
          union all
          select points, requests from job_sums where repository_id = r.id) j
) spent on %(spent)s
left join lateral (
    select count(*) filter (where h.lease_until > clock_timestamp()) > 0
           or r.initial_backfill_status = 'processing' and count(h.id) = 0
              and exists (select from progressive_capture_jobs j
                          where j.repository_id = r.id and j.outcome is null and j.run_key is not null
                            and j.job_type is distinct from 'events' and j.status in ('processing', 'failed')
                            and coalesce(j.heartbeat_at, j.started_at) > clock_timestamp() - %(alive)s) as now
    from backfill_chunks h
    where h.repository_id = r.id and h.status = 'processing' and h.stream_id is not null
) at_work on r.initial_backfill_status = 'processing'
where case when %(ids)s::uuid[] is null then t.id is not null or b.id is not null else r.id = any(%(ids)s::uuid[]) end
order by r.full_name;
