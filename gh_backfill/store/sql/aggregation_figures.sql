-- Figures of a workspace, all of them in one statement.

-- name: aggregate_workspace
-- All figures of a workspace as of one moment.  Each pull request, review, issue and discussion is read once, for all periods.
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
), talks as materialized (
    select t.repository_id, t.author_id, t.is_answered, t.opened_at, case when t.is_answered then t.answered_at end as answered_at
    from own o
    join discussion_times t on t.repository_id = o.id
), said as materialized (
    select t.repository_id, t.author_id, t.is_bot, t.commented_at
    from own o
    join discussion_comment_times t on t.repository_id = o.id
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
        union all
        select repository_id, author_id, 'discussion', opened_at from talks
        union all
        select repository_id, author_id, 'discussion_comment', commented_at from said
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
), talk_figures as (
    select w.audience, x.period, x.turn,
           count(*) filter (where d.opened_at <= x.ends and (x.begins is null or d.opened_at > x.begins)) as opened,
           count(*) filter (where d.is_answered and (x.begins is null or d.answered_at > x.begins and d.answered_at <= x.ends))
               as answered
    from wanted w
    join talks d on d.repository_id = w.id
    join windows x on x.begins is null or greatest(d.opened_at, d.answered_at) > x.begins
    group by 1, 2, 3
), said_figures as (
    select w.audience, x.period, x.turn, count(*) as comments
    from wanted w
    join said s on s.repository_id = w.id and not s.is_bot
    join windows x on s.commented_at <= x.ends and (x.begins is null or s.commented_at > x.begins)
    group by 1, 2, 3
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
           count(*) filter (where b.kind = 'discussions') as talks,
           case when count(*) filter (where b.kind = 'pull_requests') > 0 then min(greatest(
               case when b.kind = 'pull_requests' then y.last_success_at end,
               (select max(s.watermark) from backfill_streams s
                where s.backfill_id = b.id and s.stream in ('catch_up', 'sync') and s.status = 'completed'))) end as read_until
    from wanted w
    join backfills b on b.repository_id = w.id and b.status = 'completed' and b.kind in ('pull_requests', 'issues', 'discussions')
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
     busiest_reviewer, busiest_reviewer_share, stars, forks, stars_change, forks_change, changes_known,
     discussions_whole, discussions_opened, previous_discussions_opened, discussions_answered,
     previous_discussions_answered, discussion_comments, previous_discussion_comments)
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
       d.busiest, d.share, z.stars, z.forks, c.stars, c.forks, coalesce(c.known, 0),
       coalesce(h.talks, 0), coalesce(k.opened, 0), case when y.turn is not null then coalesce(l.opened, 0) end,
       coalesce(k.answered, 0), case when y.turn is not null then coalesce(l.answered, 0) end,
       coalesce(u.comments, 0), case when y.turn is not null then coalesce(v.comments, 0) end
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
left join talk_figures k on k.audience = z.audience and k.period = x.period and k.turn = 0
left join talk_figures l on l.audience = z.audience and l.period = x.period and l.turn = 1
left join said_figures u on u.audience = z.audience and u.period = x.period and u.turn = 0
left join said_figures v on v.audience = z.audience and v.period = x.period and v.turn = 1
left join counts c on c.audience = z.audience and c.period = x.period
on conflict (workspace_id, audience, period) do update
set (since, computed_at, repositories, pull_requests_whole, issues_whole, read_until, contributors, previous_contributors,
     new_contributors, pull_requests_opened, previous_pull_requests_opened, pull_requests_merged, previous_pull_requests_merged,
     pull_requests_closed, previous_pull_requests_closed, pull_requests_open, pull_requests_draft, median_hours_to_merge,
     previous_median_hours_to_merge, median_hours_to_first_review, previous_median_hours_to_first_review, issues_opened,
     previous_issues_opened, issues_closed, previous_issues_closed, issues_open, reviews, previous_reviews, reviewers,
     busiest_reviewer, busiest_reviewer_share, stars, forks, stars_change, forks_change, changes_known,
     discussions_whole, discussions_opened, previous_discussions_opened, discussions_answered,
     previous_discussions_answered, discussion_comments, previous_discussion_comments) =
    (excluded.since, excluded.computed_at, excluded.repositories, excluded.pull_requests_whole, excluded.issues_whole,
     excluded.read_until, excluded.contributors, excluded.previous_contributors, excluded.new_contributors,
     excluded.pull_requests_opened, excluded.previous_pull_requests_opened, excluded.pull_requests_merged,
     excluded.previous_pull_requests_merged, excluded.pull_requests_closed, excluded.previous_pull_requests_closed,
     excluded.pull_requests_open, excluded.pull_requests_draft, excluded.median_hours_to_merge,
     excluded.previous_median_hours_to_merge, excluded.median_hours_to_first_review,
     excluded.previous_median_hours_to_first_review, excluded.issues_opened, excluded.previous_issues_opened,
     excluded.issues_closed, excluded.previous_issues_closed, excluded.issues_open, excluded.reviews, excluded.previous_reviews,
     excluded.reviewers, excluded.busiest_reviewer, excluded.busiest_reviewer_share, excluded.stars, excluded.forks,
     excluded.stars_change, excluded.forks_change, excluded.changes_known,
        excluded.discussions_whole, excluded.discussions_opened, excluded.previous_discussions_opened,
        excluded.discussions_answered, excluded.previous_discussions_answered, excluded.discussion_comments,
        excluded.previous_discussion_comments)
returning m.computed_at;
