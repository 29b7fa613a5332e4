-- Events, stars by day, counts as we saw them, and the sources of all these.

-- name: make_month
select gh_backfill_events_month(month::date) from unnest(%(months)s::date[]) as given (month);

-- name: writers_turn
-- One writer of a repository's events at a time, so that what is there is seen before it is written; and the repository stays
-- as public as it is until this ends.
select r.github_id, r.owner, r.name, r.is_private is false as is_public,
       pg_advisory_xact_lock(hashtextextended('gh_backfill events of ' || r.id::text, 0)) is null as waited
from repositories r
where r.id = %(id)s::uuid
for share of r;

-- name: rename_events
-- Events go by the name that the repository has today; what an application wrote stays under the name that it gave.
update github_events_cache e
set repository_owner = r.owner, repository_name = r.name
from repositories r
where e.repository_github_id = r.github_id and e.source is not null and r.id = any(%(ids)s::uuid[])
  and (e.repository_owner, e.repository_name) is distinct from (r.owner, r.name);

-- name: write_public_events
-- A star is the same one whoever tells of it: an actor gives one a day.  A fork is known by its name also where others wrote it.
-- `offset 0` makes PostgreSQL look each day up by the index, rather than hold all that is here against every new event, and the
-- bounds of all days let it plan for their months alone.
with told as (
    select distinct on (g.event_id) g.*, (g.created_at at time zone 'UTC')::date as day
    from jsonb_to_recordset(%(events)s) as g (
        event_id text, event_type text, actor_login text, actor_github_id bigint, payload jsonb, created_at timestamptz,
        source text)
    order by g.event_id, case g.event_type when 'WatchEvent' then -1 else 1 end * extract(epoch from g.created_at)
)
insert into github_events_cache
    (event_id, event_type, actor_login, actor_github_id, repository_owner, repository_name, repository_github_id, payload,
     created_at, source)
select t.event_id, t.event_type, t.actor_login, t.actor_github_id, %(owner)s, %(name)s, %(github_id)s, t.payload, t.created_at,
       t.source
from told t
where not exists (
    select from github_events_cache c
    where c.repository_owner = %(owner)s and c.repository_name = %(name)s and c.event_type = t.event_type
      and c.created_at >= t.day::timestamp at time zone 'UTC' and c.created_at < (t.day + 1)::timestamp at time zone 'UTC'
      and c.created_at >= %(since)s and c.created_at < %(until)s
      and (c.event_id = t.event_id
           or c.event_id = t.event_type || '_' || t.event_id
           or (t.event_type = 'WatchEvent' and t.actor_login <> 'ghost' and lower(c.actor_login) = lower(t.actor_login))
           or (t.event_type = 'ForkEvent' and c.payload #>> '{forkee,full_name}' = t.payload #>> '{forkee,full_name}'))
    offset 0
)
on conflict (event_id, created_at) do nothing
returning event_id;

-- name: write_private_events
with told as (
    select distinct on (g.event_id) g.*, (g.created_at at time zone 'UTC')::date as day
    from jsonb_to_recordset(%(events)s) as g (
        event_id text, event_type text, actor_login text, actor_github_id bigint, payload jsonb, created_at timestamptz,
        source text)
    order by g.event_id, case g.event_type when 'WatchEvent' then -1 else 1 end * extract(epoch from g.created_at)
)
insert into private_events
    (repository_id, event_id, event_type, actor_login, actor_github_id, payload, created_at, source)
select %(id)s::uuid, t.event_id, t.event_type, t.actor_login, t.actor_github_id, t.payload, t.created_at, t.source
from told t
where not exists (
    select from private_events c
    where c.repository_id = %(id)s::uuid and c.event_type = t.event_type
      and c.created_at >= t.day::timestamp at time zone 'UTC' and c.created_at < (t.day + 1)::timestamp at time zone 'UTC'
      and c.created_at >= %(since)s and c.created_at < %(until)s
      and ((t.event_type = 'WatchEvent' and t.actor_login <> 'ghost' and lower(c.actor_login) = lower(t.actor_login))
           or (t.event_type = 'ForkEvent' and c.payload #>> '{forkee,full_name}' = t.payload #>> '{forkee,full_name}'))
    offset 0
)
on conflict (repository_id, event_id) do nothing
returning event_id;

-- name: give_public_again
-- Of a star that was taken back and given again on one day the last time holds, in whatever order that is told: only so it
-- comes after its removal.  What an application wrote stays as it is.
with told as (
    select g.event_id, max(g.created_at) as created_at
    from jsonb_to_recordset(%(events)s) as g (event_id text, event_type text, created_at timestamptz)
    where g.event_type = 'WatchEvent'
    group by g.event_id
)
update github_events_cache c
set created_at = t.created_at
from told t
where c.repository_owner = %(owner)s and c.repository_name = %(name)s and c.event_type = 'WatchEvent'
  and c.event_id = t.event_id and c.source is not null and c.created_at < t.created_at
  and c.created_at >= date_trunc('day', t.created_at, 'UTC')
  and c.created_at >= %(since)s and c.created_at < %(until)s
returning c.event_id;

-- name: give_private_again
with told as (
    select g.event_id, max(g.created_at) as created_at
    from jsonb_to_recordset(%(events)s) as g (event_id text, event_type text, created_at timestamptz)
    where g.event_type = 'WatchEvent'
    group by g.event_id
)
update private_events c
set created_at = t.created_at
from told t
where c.repository_id = %(id)s::uuid and c.event_type = 'WatchEvent'
  and c.event_id = t.event_id and c.created_at < t.created_at
  and c.created_at >= date_trunc('day', t.created_at, 'UTC')
  and c.created_at >= %(since)s and c.created_at < %(until)s
returning c.event_id;

-- name: write_star_days
-- A later reading holds: of the stars of a day there can only be fewer; what an earlier one says, that came late, does not.
insert into star_days (repository_id, day, stars, provisional, read_at)
select %(id)s::uuid, g.day, g.stars, g.provisional, %(read_at)s
from jsonb_to_recordset(%(days)s) as g (day date, stars integer, provisional boolean)
on conflict (repository_id, day) do update
set stars = excluded.stars, provisional = excluded.provisional, read_at = excluded.read_at
where star_days.read_at <= excluded.read_at
  and (star_days.stars, star_days.provisional) is distinct from (excluded.stars, excluded.provisional)
returning day;

-- name: write_snapshots
-- One row a UTC day, and one more where a count changed since the last.  GitHub's clock tells seconds: of one second the count
-- that came last holds.  The repository shows what was counted last, whoever comes late with an earlier count.
with told as materialized (
    select r.id, g.taken_at, g.stars, g.forks,
           (r.stargazers_count, r.forks_count) is distinct from (g.stars, g.forks)
               and not exists (select from count_snapshots s where s.repository_id = r.id and s.taken_at > g.taken_at) as is_news
    from jsonb_to_recordset(%(counts)s) as g (repository_id uuid, stars integer, forks integer, taken_at timestamptz)
    join repositories r on r.id = g.repository_id
), news as (
    select r.id, told.stars, told.forks
    from told
    join repositories r on r.id = told.id
    where told.is_news
    order by r.id
    for no key update of r
), shown as (
    update repositories r
    set stargazers_count = news.stars, forks_count = news.forks
    from news
    where r.id = news.id
)
insert into count_snapshots (repository_id, taken_at, stars, forks)
select told.id, told.taken_at, told.stars, told.forks
from told
left join lateral (
    select taken_at, stars, forks from count_snapshots
    where repository_id = told.id and taken_at <= told.taken_at
    order by taken_at desc limit 1
) last on true
where last.taken_at is null or (last.stars, last.forks) is distinct from (told.stars, told.forks)
   or (last.taken_at at time zone 'UTC')::date < (told.taken_at at time zone 'UTC')::date
order by told.id
on conflict (repository_id, taken_at) do update set stars = excluded.stars, forks = excluded.forks;

-- name: write_source
-- What a source once covered stays covered, also on a day on which it does not answer; so does the place of an interrupted
-- reading then.  Of two who read the same list the deeper one tells where it goes on.
insert into event_sources as e
    (repository_id, series, source, state, reason, asked_at, covered, cursor, cursor_at, head_cursor, head_at, found, expected)
values (%(id)s::uuid, %(series)s, %(source)s, %(state)s, %(reason)s, %(asked_at)s,
        (select coalesce(range_agg(tstzrange(s.since, s.until)), '{}')
         from jsonb_to_recordset(%(spans)s) as s (since timestamptz, until timestamptz)),
        %(cursor)s, %(cursor_at)s, %(head_cursor)s, %(head_at)s, %(found)s, %(expected)s)
on conflict (repository_id, series, source) do update
set state = excluded.state, reason = excluded.reason, asked_at = excluded.asked_at,
    covered = e.covered + excluded.covered,
    cursor = case when excluded.cursor_at <= coalesce(e.cursor_at, 'infinity') then excluded.cursor else e.cursor end,
    cursor_at = least(excluded.cursor_at, e.cursor_at),
    head_cursor = case excluded.state when 'available' then excluded.head_cursor else e.head_cursor end,
    head_at = case excluded.state when 'available' then excluded.head_at else e.head_at end,
    found = case when excluded.expected is null then e.found else excluded.found end,
    expected = coalesce(excluded.expected, e.expected)
returning source;

-- name: sources
select series, source, state, reason, asked_at, cursor, cursor_at, head_cursor, head_at, found, expected,
       (select coalesce(jsonb_agg(jsonb_build_array(lower(part), upper(part)) order by part), '[]')
        from unnest(covered) part) as covered
from event_sources
where repository_id = %(id)s::uuid
order by series, source;

-- name: reconcile_history
-- The sum of all days, and GitHub's count of the same moment, where the whole history is here.
update event_sources e
set found = d.sum, expected = %(expected)s
from (select coalesce(sum(stars), 0)::integer as sum from star_days where repository_id = %(id)s::uuid) d
where e.repository_id = %(id)s::uuid and e.series = 'stars' and e.source = 'history'
  and e.covered @> tstzrange(%(since)s, date_trunc('day', %(until)s::timestamptz, 'UTC'))
returning e.found;

-- name: captured_events
-- What is captured of pull requests and issues, as the events that GitHub would tell of.
with span as (select %(since)s::timestamptz as since, %(until)s::timestamptz as until, %(types)s::text[] as types)
select each.event_id, each.event_type, coalesce(c.username, 'ghost') as actor_login, c.github_id as actor_github_id,
       each.payload, each.created_at
from span, lateral (
    select 'PullRequestEvent_' || p.github_id || '_opened' as event_id, 'PullRequestEvent' as event_type, p.author_id as actor_id,
           jsonb_build_object('action', 'opened', 'number', p.number) as payload, p.created_at
    from pull_requests p
    where 'PullRequestEvent' = any (span.types) and p.repository_id = %(id)s::uuid
      and p.created_at >= span.since and p.created_at < span.until
    union all
    select 'PullRequestEvent_' || p.github_id || '_closed', 'PullRequestEvent', coalesce(p.merged_by_id, p.author_id),
           jsonb_build_object('action', 'closed', 'number', p.number, 'merged', p.merged_at is not null), p.closed_at
    from pull_requests p
    where 'PullRequestEvent' = any (span.types) and p.repository_id = %(id)s::uuid
      and p.closed_at >= span.since and p.closed_at < span.until
    union all
    select 'PullRequestReviewEvent_' || v.github_id, 'PullRequestReviewEvent', coalesce(v.reviewer_id, v.author_id),
           jsonb_build_object('action', 'created', 'number', p.number, 'state', v.state), v.submitted_at
    from reviews v join pull_requests p on p.id = v.pull_request_id
    where 'PullRequestReviewEvent' = any (span.types) and p.repository_id = %(id)s::uuid
      and v.submitted_at >= span.since and v.submitted_at < span.until
    union all
    select case m.comment_type when 'review_comment' then 'PullRequestReviewCommentEvent_' else 'IssueCommentEvent_' end
               || m.github_id,
           case m.comment_type when 'review_comment' then 'PullRequestReviewCommentEvent' else 'IssueCommentEvent' end,
           m.commenter_id, jsonb_build_object('action', 'created', 'number', p.number), m.created_at
    from comments m join pull_requests p on p.id = m.pull_request_id
    where case m.comment_type when 'review_comment' then 'PullRequestReviewCommentEvent' else 'IssueCommentEvent' end
              = any (span.types)
      and p.repository_id = %(id)s::uuid and m.created_at >= span.since and m.created_at < span.until
    union all
    select 'IssueCommentEvent_' || m.github_id, 'IssueCommentEvent', m.commenter_id,
           jsonb_build_object('action', 'created', 'number', i.number), m.created_at
    from comments m join issues i on i.id = m.issue_id
    where 'IssueCommentEvent' = any (span.types) and m.pull_request_id is null and i.repository_id = %(id)s::uuid
      and m.created_at >= span.since and m.created_at < span.until
    union all
    select 'IssuesEvent_' || i.github_id || '_opened', 'IssuesEvent', i.author_id,
           jsonb_build_object('action', 'opened', 'number', i.number), i.created_at
    from issues i
    where 'IssuesEvent' = any (span.types) and i.repository_id = %(id)s::uuid and i.is_pull_request is not true
      and i.created_at >= span.since and i.created_at < span.until
    union all
    select 'IssuesEvent_' || i.github_id || '_closed', 'IssuesEvent', null,
           jsonb_build_object('action', 'closed', 'number', i.number), i.closed_at
    from issues i
    where 'IssuesEvent' = any (span.types) and i.repository_id = %(id)s::uuid and i.is_pull_request is not true
      and i.closed_at >= span.since and i.closed_at < span.until
) each
left join contributors c on c.id = each.actor_id
order by each.created_at, each.event_id;

-- name: captured_until
-- Up to when what is captured of a kind is whole: null where its history is not complete.
select max(coalesce(y.last_success_at, b.completed_at)) filter (where b.status = 'completed') as until
from backfills b
left join repository_syncs y on y.repository_id = b.repository_id
where b.repository_id = %(id)s::uuid and b.kind = %(kind)s;
