-- What happened on each day, and who told of it, for any number of repositories at once.

-- name: velocity_days
-- Days are UTC's, whatever the zone of the connection: `begins` and `ends` are when `since` and `until` begin.  Arrays have one
-- place for each day from `since` on, null where nobody covered the whole day.  Of several sources the best one tells: the
-- list, then the history, then events.
--
-- A star counts on the day on which it was given, as far as we know that it still exists: an actor's last one, unless it was
-- taken back since; of those who are gone each is one.  So one star is one whatever tells of it, also where two sources put
-- it on both sides of midnight.
with wanted as materialized (
    select r.id, r.github_id, r.owner, r.name, r.full_name, r.is_private is not false as is_private
    from repositories r
    where r.id = any(%(ids)s::uuid[]) and (r.is_private is false or not %(public_only)s)
), calendar as materialized (
    select place, %(since)s::date + place as day,
           tstzrange((%(since)s::date + place)::timestamp at time zone 'UTC',
                     (%(since)s::date + place + 1)::timestamp at time zone 'UTC') as span
    from generate_series(0, %(until)s::date - %(since)s::date - 1) place
), told as materialized (
    select w.id, e.event_type, e.event_id, e.actor_login, e.actor_github_id, e.payload -> 'forkee' as forkee, e.created_at
    from wanted w
    join github_events_cache e on e.repository_owner = w.owner and e.repository_name = w.name
                              and (e.repository_github_id is null or e.repository_github_id = w.github_id)
    where e.event_type in ('WatchEvent', 'StarRemovedEvent', 'ForkEvent')
      and e.created_at >= %(begins)s::timestamptz and e.created_at <= %(now)s::timestamptz
    union all
    select w.id, e.event_type, e.event_id, e.actor_login, e.actor_github_id, e.payload -> 'forkee', e.created_at
    from wanted w
    join private_events e on e.repository_id = w.id
    where e.event_type in ('WatchEvent', 'StarRemovedEvent', 'ForkEvent')
      and e.created_at >= %(begins)s::timestamptz and e.created_at <= %(now)s::timestamptz
), logins as (
    select id, lower(actor_login) as login, max(actor_github_id) as actor
    from told
    where event_type <> 'ForkEvent' and actor_github_id is not null
      and (id, lower(actor_login)) in (select id, lower(actor_login) from told
                                       where event_type <> 'ForkEvent' and actor_github_id is null)
    group by 1, 2
), stars as (
    -- What an application wrote has no id of the actor: it is the one who has this login elsewhere, else the login itself.
    select t.id, t.event_type, t.created_at,
           case when t.actor_github_id is not null then 'id ' || t.actor_github_id
                when t.actor_login = 'ghost' then 'at ' || extract(epoch from t.created_at)
                else coalesce('id ' || l.actor, 'name ' || lower(t.actor_login)) end as who
    from told t
    left join logins l on t.actor_github_id is null and l.id = t.id and l.login = lower(t.actor_login)
    where t.event_type <> 'ForkEvent'
), stars_given as (
    select id, (given_at at time zone 'UTC')::date as day, count(*)::integer as n
    from (select id, who, max(created_at) filter (where event_type = 'WatchEvent') as given_at,
                 max(created_at) filter (where event_type = 'StarRemovedEvent') as taken_at
          from stars
          group by id, who) each
    where given_at > coalesce(taken_at, '-infinity')
    group by 1, 2
), forks as (
    select id, created_at,
           coalesce('id ' || coalesce(forkee ->> 'id', max(forkee ->> 'id') over (partition by id, lower(forkee ->> 'full_name'))),
                    'name ' || lower(forkee ->> 'full_name'), 'event ' || regexp_replace(event_id, '^ForkEvent_', '')) as which
    from told
    where event_type = 'ForkEvent'
), forks_made as (
    select id, (made_at at time zone 'UTC')::date as day, count(*)::integer as n
    from (select id, min(created_at) as made_at from forks group by id, which) each
    group by 1, 2
), history as materialized (
    select d.repository_id as id, d.day, d.stars, d.provisional
    from wanted w
    join star_days d on d.repository_id = w.id
    where d.day >= %(since)s::date and d.day < %(until)s::date
), ranks as (
    select source, rank::integer
    from unnest(array['stargazers', 'history', 'forks', 'events', 'webhook', 'datpipe', 'captured'])
         with ordinality o (source, rank)
), covering as materialized (
    -- From the first midnight of each stretch to its last one, and of all who cover a day the best.
    select s.repository_id as id, place, min(k.rank) filter (where s.series = 'stars') as star_rank,
           min(k.rank) filter (where s.series = 'forks') as fork_rank
    from wanted w
    join event_sources s on s.repository_id = w.id and s.series in ('stars', 'forks')
    join ranks k on k.source = s.source
    cross join lateral unnest(s.covered) stretch
    cross join lateral (select ceil(extract(epoch from lower(stretch) - %(begins)s::timestamptz) / 86400) as first_day,
                               floor(extract(epoch from upper(stretch) - %(begins)s::timestamptz) / 86400) as end_day) whole
    cross join lateral generate_series(greatest(0, first_day)::integer,
                                       least(%(until)s::date - %(since)s::date, end_day)::integer - 1) place
    left join history d on s.source = 'history' and d.id = w.id and d.day = %(since)s::date + place
    where d.provisional is not true
    group by 1, 2
), walks as (
    -- Of a goal that leaves out the oldest, only what was created since is whole; of another one nothing is.  A change after
    -- `until` may not be here.
    select w.id, b.kind, g.goal_max_items is null and not g.filtered as entire,
           case when g.goal_max_items is null and not g.filtered then '-infinity'
                when not g.filtered and b.kind = 'pull_requests'
                then (select min(created_at) from pull_requests p where p.repository_id = w.id and p.gone_at is null) end as since,
           greatest(case when b.kind = 'pull_requests' then y.last_success_at end,
                    (select max(watermark) from backfill_streams s
                     where s.backfill_id = b.id and s.stream in ('catch_up', 'sync') and s.status = 'completed')) as until
    from wanted w
    join backfills b on b.repository_id = w.id and b.status = 'completed' and b.kind in ('pull_requests', 'issues')
    join backfill_goals g on g.backfill_id = b.id
    left join repository_syncs y on y.repository_id = w.id
), did as (
    select w.id, 'pull_requests' as part, (p.created_at at time zone 'UTC')::date as day
    from wanted w
    join pull_requests p on p.repository_id = w.id and p.gone_at is null
    where p.created_at >= %(begins)s::timestamptz and p.created_at < %(ends)s::timestamptz
    union all
    select w.id, 'reviews', (v.submitted_at at time zone 'UTC')::date
    from wanted w
    join reviews v on v.repository_id = w.id and v.gone_at is null
    where v.submitted_at >= %(begins)s::timestamptz
      and v.submitted_at < %(ends)s::timestamptz
    union all
    select w.id, 'issues', (i.created_at at time zone 'UTC')::date
    from wanted w
    join issues i on i.repository_id = w.id and i.is_pull_request is not true and i.gone_at is null
    where i.created_at >= %(begins)s::timestamptz and i.created_at < %(ends)s::timestamptz
    union all
    select w.id, case when m.pull_request_id is null then 'issue_comments' else 'pull_request_comments' end,
           (m.created_at at time zone 'UTC')::date
    from wanted w
    join comments m on m.repository_id = w.id and m.gone_at is null
    where m.created_at >= %(begins)s::timestamptz and m.created_at < %(ends)s::timestamptz
), done as (
    select id, day, count(*) filter (where part = 'pull_requests')::integer as pull_requests,
           count(*) filter (where part = 'reviews')::integer as reviews,
           count(*) filter (where part = 'pull_request_comments')::integer as pull_request_comments,
           count(*) filter (where part = 'issues')::integer as issues,
           count(*) filter (where part = 'issue_comments')::integer as issue_comments
    from did
    group by id, day
), cells as (
    -- One row a repository and day.  What tells of them is laid under each other, not side by side: joined by two keys, of which
    -- one has few values, a full workspace took five times as long.
    select id, place, max(star_rank) as star_rank, max(fork_rank) as fork_rank, max(of_history) as of_history,
           max(stars) as stars, max(forks) as forks, max(pull_requests) as pull_requests, max(reviews) as reviews,
           max(pull_request_comments) as pull_request_comments, max(issues) as issues, max(issue_comments) as issue_comments
    from (
        select w.id, c.place, null::integer as star_rank, null::integer as fork_rank, null::integer as of_history,
               null::integer as stars, null::integer as forks, null::integer as pull_requests, null::integer as reviews,
               null::integer as pull_request_comments, null::integer as issues, null::integer as issue_comments
        from wanted w
        cross join calendar c
        union all
        select id, place, star_rank, fork_rank, null, null, null, null, null, null, null, null from covering
        union all
        select id, day - %(since)s::date, null, null, stars, null, null, null, null, null, null, null from history
        union all
        select id, day - %(since)s::date, null, null, null, n, null, null, null, null, null, null from stars_given
        union all
        select id, day - %(since)s::date, null, null, null, null, n, null, null, null, null, null from forks_made
        union all
        select id, day - %(since)s::date, null, null, null, null, null, pull_requests, reviews, pull_request_comments, issues,
               issue_comments
        from done
    ) told_of
    group by id, place
), series as (
    select x.id,
           array_agg(case when h.source = 'history' then coalesce(x.of_history, 0)
                          when h.source is not null then coalesce(x.stars, 0) end order by c.place) as stars,
           array_agg(h.source order by c.place) as star_sources,
           array_agg(case when k.source is not null then coalesce(x.forks, 0) end order by c.place) as forks,
           array_agg(k.source order by c.place) as fork_sources,
           array_agg(case when lower(c.span) >= p.since and upper(c.span) <= p.until then coalesce(x.pull_requests, 0) end
                     order by c.place) as pull_requests,
           array_agg(case when p.entire and upper(c.span) <= p.until then coalesce(x.reviews, 0) end order by c.place) as reviews,
           array_agg(case when p.entire and upper(c.span) <= p.until then coalesce(x.pull_request_comments, 0) end
                     order by c.place) as pull_request_comments,
           array_agg(case when i.entire and upper(c.span) <= i.until then coalesce(x.issues, 0) end order by c.place) as issues,
           array_agg(case when i.entire and upper(c.span) <= i.until then coalesce(x.issue_comments, 0) end
                     order by c.place) as issue_comments
    from cells x
    join calendar c on c.place = x.place
    left join ranks h on h.rank = x.star_rank
    left join ranks k on k.rank = x.fork_rank
    left join walks p on p.id = x.id and p.kind = 'pull_requests'
    left join walks i on i.id = x.id and i.kind = 'issues'
    group by x.id
), looks as (
    select w.id, s.taken_at, (s.taken_at at time zone 'UTC')::date as day, s.stars, s.forks,
           greatest(0, lag(s.stars) over before - s.stars) as fell
    from wanted w
    join count_snapshots s on s.repository_id = w.id
    where s.taken_at < %(ends)s::timestamptz
      and s.taken_at >= coalesce((select max(b.taken_at) from count_snapshots b
                                  where b.repository_id = w.id and b.taken_at < %(begins)s::timestamptz),
                                 '-infinity')
    window before as (partition by w.id order by s.taken_at)
), seen as (
    select id, jsonb_agg(jsonb_build_object('at', at, 'day', day, 'stars', stars, 'forks', forks, 'fell', fell)
                         order by day) as seen
    from (select id, day, max(taken_at) as at, (array_agg(stars order by taken_at desc))[1] as stars,
                 (array_agg(forks order by taken_at desc))[1] as forks, coalesce(sum(fell), 0)::integer as fell
          from looks
          group by id, day) each
    group by id
), asked as (
    select w.id, jsonb_agg(jsonb_build_object('series', s.series, 'source', s.source, 'available', s.state = 'available',
                                              'reason', case when %(public_only)s then %(untold)s else s.reason end,
                                              'asked_at', s.asked_at, 'unexplained', s.expected - s.found)
                           order by s.series, s.source) as asked
    from wanted w
    join event_sources s on s.repository_id = w.id
    group by w.id
)
select w.id, w.full_name, w.is_private, s.stars, s.star_sources, s.forks, s.fork_sources, s.pull_requests, s.reviews,
       s.pull_request_comments, s.issues, s.issue_comments, coalesce(e.seen, '[]') as seen, coalesce(a.asked, '[]') as asked,
       (select coalesce(jsonb_object_agg(k.kind, k.until), '{}') from walks k where k.id = w.id) as captured
from wanted w
join series s on s.id = w.id
left join seen e on e.id = w.id
left join asked a on a.id = w.id
order by w.full_name, w.id;
