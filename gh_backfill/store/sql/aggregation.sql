-- Figures of workspaces: which are due, and one statement that writes all figures of one.

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

-- name: aggregate_workspace
-- All figures of a workspace as of one moment.  Each pull request, review and issue is read once, for all periods.
with moment as materialized (
    select coalesce(%(now)s::timestamptz, statement_timestamp()) as now
), own as materialized (
    select r.id, r.is_private is false as is_public, r.stargazers_count, r.forks_count
    from workspace_repositories m
    join repositories r on r.id = m.repository_id
    where m.workspace_id = %(id)s
), audiences (audience) as materialized (
    select 'members'
    union all
    select 'everybody' where exists (select from own where not is_public)
), wanted as materialized (
    select a.audience, o.* from audiences a join own o on a.audience = 'members' or o.is_public
), windows as materialized (
    -- The period, and the one before it; of everything there is none before.
    select period, turn, case when turn = 0 then now - days * interval '1 day'
                              when days is null then null else now - 2 * days * interval '1 day' end as begins,
           case when turn = 0 then now else now - days * interval '1 day' end as ends
    from moment
    cross join (values ('7d', 7), ('30d', 30), ('90d', 90), ('all', null)) p (period, days)
    cross join (values (0), (1)) t (turn)
    where days is not null or turn = 0
), pulls as materialized (
    select t.repository_id, t.pull_request_id, t.author_id, t.is_bot, t.is_draft, t.state, t.opened_at, t.first_review_at,
           case when t.state = 'merged' then t.merged_at end as merged_at,
           case when t.state = 'closed' then t.closed_at end as closed_at, t.hours_to_first_review, t.hours_to_merge
    from own o
    join pull_request_times t on t.repository_id = o.id
), tickets as materialized (
    select t.repository_id, t.issue_id, t.author_id, t.state, t.opened_at, case when t.state = 'closed' then t.closed_at end as closed_at
    from own o
    join issue_times t on t.repository_id = o.id
), done as materialized (
    -- As `contributions`, which would read the rows of all repositories: what is joined with a union reaches into none of its parts.
    select d.repository_id, d.who as contributor_id, d.what, d.at
    from (
        select repository_id, author_id as who, 'pull_request' as what, opened_at as at from pulls
        union all
        select repository_id, author_id, 'issue', opened_at from tickets
        union all
        select t.repository_id, t.reviewer_id, case when t.is_own then 'own_review' else 'review' end, t.submitted_at
        from own o
        join review_times t on t.repository_id = o.id
        union all
        select p.repository_id, m.commenter_id, 'comment', m.created_at
        from own o
        join comments m on m.repository_id = o.id and m.gone_at is null
        join pulls p on p.pull_request_id = m.pull_request_id
        union all
        select i.repository_id, m.commenter_id, 'comment', m.created_at
        from own o
        join comments m on m.repository_id = o.id and m.gone_at is null
        join tickets i on i.issue_id = m.issue_id
    ) d
    join contributors c on c.id = d.who and c.is_bot is not true and right(c.username, 5) <> '[bot]'
), pull_figures as (
    select w.audience, x.period, x.turn,
           count(*) filter (where p.opened_at <= x.ends and (x.begins is null or p.opened_at > x.begins)) as opened,
           count(*) filter (where p.state = 'merged' and (x.begins is null or p.merged_at > x.begins and p.merged_at <= x.ends))
               as merged,
           count(*) filter (where p.state = 'closed' and (x.begins is null or p.closed_at > x.begins and p.closed_at <= x.ends))
               as closed,
           percentile_cont(0.5) within group (order by p.hours_to_merge)
               filter (where not p.is_bot and p.state = 'merged' and p.merged_at <= x.ends
                         and (x.begins is null or p.merged_at > x.begins)) as hours_to_merge,
           percentile_cont(0.5) within group (order by p.hours_to_first_review)
               filter (where not p.is_bot and p.first_review_at <= x.ends
                         and (x.begins is null or p.first_review_at > x.begins)) as hours_to_first_review
    from wanted w
    join pulls p on p.repository_id = w.id
    join windows x on x.begins is null or greatest(p.opened_at, p.merged_at, p.closed_at, p.first_review_at) > x.begins
    group by 1, 2, 3
), pull_standing as (
    select w.audience, count(*) filter (where p.state = 'open') as open, count(*) filter (where p.is_draft) as draft, count(*) as n
    from wanted w
    join pulls p on p.repository_id = w.id
    group by 1
), issue_figures as (
    select w.audience, x.period, x.turn,
           count(*) filter (where i.opened_at <= x.ends and (x.begins is null or i.opened_at > x.begins)) as opened,
           count(*) filter (where i.state = 'closed' and (x.begins is null or i.closed_at > x.begins and i.closed_at <= x.ends))
               as closed
    from wanted w
    join tickets i on i.repository_id = w.id
    join windows x on x.begins is null or greatest(i.opened_at, i.closed_at) > x.begins
    group by 1, 2, 3
), issue_standing as (
    select w.audience, count(*) filter (where i.state = 'open') as open, count(*) as n
    from wanted w
    join tickets i on i.repository_id = w.id
    group by 1
), firsts as (
    select w.audience, d.contributor_id, min(d.at) as at
    from wanted w
    join done d on d.repository_id = w.id
    group by 1, 2
), acted as (
    select w.audience, x.period, x.turn, d.contributor_id, count(*) filter (where d.what = 'review') as reviews
    from wanted w
    join done d on d.repository_id = w.id
    join windows x on d.at <= x.ends and (x.begins is null or d.at > x.begins)
    group by 1, 2, 3, 4
), person_figures as (
    select a.audience, a.period, a.turn, count(*) as contributors,
           count(*) filter (where x.begins is null or f.at > x.begins) as newcomers, sum(a.reviews) as reviews,
           count(*) filter (where a.reviews > 0) as reviewers,
           max(a.reviews)::double precision / nullif(sum(a.reviews), 0) as share,
           (array_agg(c.username order by a.reviews desc, lower(c.username)) filter (where a.reviews > 0))[1] as busiest
    from acted a
    join firsts f on f.audience = a.audience and f.contributor_id = a.contributor_id
    join windows x on x.period = a.period and x.turn = a.turn
    join contributors c on c.id = a.contributor_id
    group by 1, 2, 3
), histories as (
    -- How many histories are whole, and since when nothing is known of any of these.
    select w.audience, count(*) filter (where b.kind = 'pull_requests') as pulls,
           count(*) filter (where b.kind = 'issues') as issues,
           case when count(*) filter (where b.kind = 'pull_requests') > 0 then min(greatest(
               case when b.kind = 'pull_requests' then y.last_success_at end,
               (select max(s.watermark) from backfill_streams s
                where s.backfill_id = b.id and s.stream in ('catch_up', 'sync') and s.status = 'completed'))) end as read_until
    from wanted w
    join backfills b on b.repository_id = w.id and b.status = 'completed' and b.kind in ('pull_requests', 'issues')
    join backfill_goals g on g.backfill_id = b.id and g.goal_max_items is null and not g.filtered
    left join repository_syncs y on y.repository_id = w.id
    group by 1
), counts as (
    select w.audience, x.period, sum(e.stars - s.stars) as stars, sum(e.forks - s.forks) as forks, count(s.stars) as known
    from wanted w
    join windows x on x.turn = 0 and x.begins is not null
    join lateral (select stars, forks from count_snapshots c
                  where c.repository_id = w.id and c.taken_at <= x.ends and c.taken_at > x.ends - %(near)s
                  order by c.taken_at desc limit 1) e on true
    join lateral (select stars, forks from count_snapshots c
                  where c.repository_id = w.id and c.taken_at <= x.begins and c.taken_at > x.begins - %(near)s
                  order by c.taken_at desc limit 1) s on true
    group by 1, 2
), sizes as (
    select a.audience, count(w.id) as repositories, sum(w.stargazers_count) as stars, sum(w.forks_count) as forks
    from audiences a
    left join wanted w on w.audience = a.audience
    group by 1
)
insert into workspace_metrics as m
    (workspace_id, audience, period, since, computed_at, repositories, pull_requests_whole, issues_whole, read_until, contributors,
     previous_contributors, new_contributors, pull_requests_opened, previous_pull_requests_opened, pull_requests_merged,
     previous_pull_requests_merged, pull_requests_closed, previous_pull_requests_closed, pull_requests_open, pull_requests_draft,
     median_hours_to_merge, previous_median_hours_to_merge, median_hours_to_first_review, previous_median_hours_to_first_review,
     issues_opened, previous_issues_opened, issues_closed, previous_issues_closed, issues_open, reviews, previous_reviews, reviewers,
     busiest_reviewer, busiest_reviewer_share, stars, forks, stars_change, forks_change, changes_known)
select %(id)s, z.audience, x.period, x.begins, x.ends, z.repositories, coalesce(h.pulls, 0), coalesce(h.issues, 0), h.read_until,
       coalesce(d.contributors, 0), case when y.turn is not null then coalesce(e.contributors, 0) end, coalesce(d.newcomers, 0),
       coalesce(p.opened, 0), case when y.turn is not null then coalesce(q.opened, 0) end,
       coalesce(p.merged, 0), case when y.turn is not null then coalesce(q.merged, 0) end,
       coalesce(p.closed, 0), case when y.turn is not null then coalesce(q.closed, 0) end,
       coalesce(o.open, 0), coalesce(o.draft, 0), p.hours_to_merge, q.hours_to_merge,
       p.hours_to_first_review, q.hours_to_first_review,
       coalesce(i.opened, 0), case when y.turn is not null then coalesce(j.opened, 0) end,
       coalesce(i.closed, 0), case when y.turn is not null then coalesce(j.closed, 0) end, coalesce(t.open, 0),
       coalesce(d.reviews, 0), case when y.turn is not null then coalesce(e.reviews, 0) end, coalesce(d.reviewers, 0),
       d.busiest, d.share, z.stars, z.forks, c.stars, c.forks, coalesce(c.known, 0)
from sizes z
join windows x on x.turn = 0
left join windows y on y.period = x.period and y.turn = 1
left join histories h on h.audience = z.audience
left join person_figures d on d.audience = z.audience and d.period = x.period and d.turn = 0
left join person_figures e on e.audience = z.audience and e.period = x.period and e.turn = 1
left join pull_figures p on p.audience = z.audience and p.period = x.period and p.turn = 0
left join pull_figures q on q.audience = z.audience and q.period = x.period and q.turn = 1
left join pull_standing o on o.audience = z.audience
left join issue_figures i on i.audience = z.audience and i.period = x.period and i.turn = 0
left join issue_figures j on j.audience = z.audience and j.period = x.period and j.turn = 1
left join issue_standing t on t.audience = z.audience
left join counts c on c.audience = z.audience and c.period = x.period
on conflict (workspace_id, audience, period) do update
set (since, computed_at, repositories, pull_requests_whole, issues_whole, read_until, contributors, previous_contributors,
     new_contributors, pull_requests_opened, previous_pull_requests_opened, pull_requests_merged, previous_pull_requests_merged,
     pull_requests_closed, previous_pull_requests_closed, pull_requests_open, pull_requests_draft, median_hours_to_merge,
     previous_median_hours_to_merge, median_hours_to_first_review, previous_median_hours_to_first_review, issues_opened,
     previous_issues_opened, issues_closed, previous_issues_closed, issues_open, reviews, previous_reviews, reviewers,
     busiest_reviewer, busiest_reviewer_share, stars, forks, stars_change, forks_change, changes_known) =
    (excluded.since, excluded.computed_at, excluded.repositories, excluded.pull_requests_whole, excluded.issues_whole,
     excluded.read_until, excluded.contributors, excluded.previous_contributors, excluded.new_contributors,
     excluded.pull_requests_opened, excluded.previous_pull_requests_opened, excluded.pull_requests_merged,
     excluded.previous_pull_requests_merged, excluded.pull_requests_closed, excluded.previous_pull_requests_closed,
     excluded.pull_requests_open, excluded.pull_requests_draft, excluded.median_hours_to_merge,
     excluded.previous_median_hours_to_merge, excluded.median_hours_to_first_review,
     excluded.previous_median_hours_to_first_review, excluded.issues_opened, excluded.previous_issues_opened,
     excluded.issues_closed, excluded.previous_issues_closed, excluded.issues_open, excluded.reviews, excluded.previous_reviews,
     excluded.reviewers, excluded.busiest_reviewer, excluded.busiest_reviewer_share, excluded.stars, excluded.forks,
     excluded.stars_change, excluded.forks_change, excluded.changes_known)
returning m.computed_at;

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
