-- Figures of repositories, as views that anybody may chart, and figures of workspaces, as rows that one statement writes.
-- docs/metrics.md says what each column means.  Repeatable and additive only, as described in core_tables.
--
-- What all of these have in common.  Times are UTC's.  What GitHub has no more (`gone_at`), what an application holds for spam, and
-- the first half of an import that never got its repository are left out.  A bot is who GitHub calls one, or whose login ends
-- with [bot].  Nobody reviews himself.

-- A join that multiplies nothing: of one pull request all reviews become one time.  Who does not ask for that time does not pay
-- for it.  A comment of a review counts when that was submitted; alone count those that belong to none, from before September 2016
-- or of an import that did not say.
do $$ begin
execute format($view$
    create or replace view pull_request_times with (security_invoker = true) as
    select r.id as repository_id, r.full_name as repository, p.id as pull_request_id, p.number, a.id as author_id,
           coalesce(a.username, p.author_login) as author,
           coalesce(a.is_bot, false) or coalesce(right(coalesce(a.username, p.author_login), 5) = '[bot]', false) as is_bot,
           p.draft is true and p.state = 'open' as is_draft,
           case when p.state = 'merged' or p.merged is true or p.merged_at is not null then 'merged'
                when p.state = 'open' then 'open' else 'closed' end as state,
           p.created_at as opened_at, f.first_review_at, p.merged_at, p.closed_at,
           (case when isfinite(p.created_at) then extract(epoch from f.first_review_at - p.created_at) / 3600 end)::double precision
               as hours_to_first_review,
           (case when isfinite(p.created_at) and isfinite(p.merged_at) and p.merged_at >= p.created_at
                 then extract(epoch from p.merged_at - p.created_at) / 3600 end)::double precision as hours_to_merge
    from pull_requests p
    join repositories r on r.id = p.repository_id
    left join contributors a
        on a.id = coalesce(p.author_id, (select g.id from contributors g where g.github_id = p.author_github_id))
    left join lateral (
        select min(x.at) as first_review_at
        from (select v.submitted_at as at, v.author_id as who
              from reviews v
              where v.pull_request_id = p.id and v.state <> 'PENDING' and v.gone_at is null
              union all
              select m.created_at, m.commenter_id
              from comments m
              where m.pull_request_id = p.id and m.comment_type = 'review_comment' and m.review_github_id is null
                and m.gone_at is null) x
        join contributors c on c.id = x.who and c.is_bot is not true and right(c.username, 5) <> '[bot]'
        where x.who is distinct from a.id and x.at >= p.created_at and isfinite(x.at)
    ) f on true
    where p.gone_at is null %s
$view$, case when exists (select from pg_attribute where attrelid = to_regclass('pull_requests') and attname = 'is_spam'
                                                     and not attisdropped) then 'and p.is_spam is not true' end);
end $$;

create or replace view review_times with (security_invoker = true) as
select t.repository_id, t.repository, v.id as review_id, t.pull_request_id, t.number, c.id as reviewer_id, c.username as reviewer,
       c.is_bot is true or right(c.username, 5) = '[bot]' as is_bot, c.id is not distinct from t.author_id as is_own, v.state,
       v.submitted_at,
       (case when isfinite(v.submitted_at) and isfinite(t.opened_at) and v.submitted_at >= t.opened_at
             then extract(epoch from v.submitted_at - t.opened_at) / 3600 end)::double precision as hours_since_opened
from reviews v
join pull_request_times t on t.pull_request_id = v.pull_request_id
join contributors c on c.id = v.author_id
where v.state <> 'PENDING' and v.gone_at is null;

create or replace view issue_times with (security_invoker = true) as
select r.id as repository_id, r.full_name as repository, i.id as issue_id, i.number, a.id as author_id, a.username as author,
       coalesce(a.is_bot, false) or coalesce(right(a.username, 5) = '[bot]', false) as is_bot,
       case when i.state = 'closed' then 'closed' else 'open' end as state, i.created_at as opened_at, i.closed_at,
       (case when isfinite(i.created_at) and isfinite(i.closed_at) and i.closed_at >= i.created_at
             then extract(epoch from i.closed_at - i.created_at) / 3600 end)::double precision as hours_to_close
from issues i
join repositories r on r.id = i.repository_id
left join contributors a on a.id = i.author_id
where i.gone_at is null and i.is_pull_request is not true;

create or replace view contributions with (security_invoker = true) as
select d.repository_id, d.repository, c.id as contributor_id, c.username as contributor,
       c.is_bot is true or right(c.username, 5) = '[bot]' as is_bot, d.what, d.at
from (
    select repository_id, repository, author_id as who,
           case when state = 'merged' then 'merged_pull_request' else 'pull_request' end as what, opened_at as at
    from pull_request_times
    union all
    select repository_id, repository, author_id, 'issue', opened_at
    from issue_times
    union all
    select repository_id, repository, reviewer_id, case when is_own then 'own_review' else 'review' end, submitted_at
    from review_times
    union all
    select t.repository_id, t.repository, m.commenter_id, 'comment', m.created_at
    from comments m
    join pull_request_times t on t.pull_request_id = m.pull_request_id
    where m.gone_at is null
    union all
    select t.repository_id, t.repository, m.commenter_id, 'comment', m.created_at
    from comments m
    join issue_times t on t.issue_id = m.issue_id
    where m.gone_at is null
) d
join contributors c on c.id = d.who;

create or replace view repository_cycle_times with (security_invoker = true) as
select repository_id, repository, grain, begins, merged, to_merge[1] as median_hours_to_merge, to_merge[2] as p75_hours_to_merge,
       to_merge[3] as p90_hours_to_merge, reviewed, to_review[1] as median_hours_to_first_review,
       to_review[2] as p75_hours_to_first_review, to_review[3] as p90_hours_to_first_review
from (
    select e.repository_id, e.repository, g.grain, date_trunc(g.grain, e.at at time zone 'UTC')::date as begins,
           count(*) filter (where e.what = 'merge') as merged,
           percentile_cont(array[0.5, 0.75, 0.9]) within group (order by e.hours) filter (where e.what = 'merge') as to_merge,
           count(*) filter (where e.what = 'review') as reviewed,
           percentile_cont(array[0.5, 0.75, 0.9]) within group (order by e.hours) filter (where e.what = 'review') as to_review
    from (
        select repository_id, repository, 'merge' as what, merged_at as at, hours_to_merge as hours
        from pull_request_times
        where not is_bot and state = 'merged' and hours_to_merge is not null
        union all
        select repository_id, repository, 'review', first_review_at, hours_to_first_review
        from pull_request_times
        where not is_bot and hours_to_first_review is not null
    ) e
    cross join (values ('week'), ('month')) g (grain)
    group by e.repository_id, e.repository, g.grain, 4
) each;

create or replace view reviewer_load with (security_invoker = true) as
select e.repository_id, e.repository, g.grain, date_trunc(g.grain, e.submitted_at at time zone 'UTC')::date as begins,
       e.reviewer_id, e.reviewer, e.is_bot, count(*) as reviews, count(distinct e.pull_request_id) as pull_requests,
       count(*) filter (where e.state = 'APPROVED') as approvals,
       count(*) filter (where e.state = 'CHANGES_REQUESTED') as changes_requested,
       percentile_cont(0.5) within group (order by e.hours_since_opened) filter (where e.turn = 1) as median_hours_to_respond
from (
    select repository_id, repository, pull_request_id, reviewer_id, reviewer, is_bot, state, submitted_at, hours_since_opened,
           row_number() over (partition by repository_id, repository, reviewer_id, reviewer, pull_request_id
                              order by submitted_at, review_id) as turn
    from review_times
    where not is_own and isfinite(submitted_at)
) e
cross join (values ('week'), ('month')) g (grain)
group by e.repository_id, e.repository, g.grain, 4, e.reviewer_id, e.reviewer, e.is_bot;

create or replace view repository_contributors with (security_invoker = true) as
select repository_id, repository, contributor_id, contributor, is_bot,
       count(*) filter (where what in ('pull_request', 'merged_pull_request')) as pull_requests,
       count(*) filter (where what = 'merged_pull_request') as merged,
       count(*) filter (where what = 'review') as reviews, count(*) filter (where what = 'comment') as comments,
       count(*) filter (where what = 'issue') as issues, min(at) as first_at, max(at) as last_at
from contributions
group by repository_id, repository, contributor_id, contributor, is_bot;

create or replace view repository_activity with (security_invoker = true) as
select e.repository_id, e.repository, g.grain, date_trunc(g.grain, e.at at time zone 'UTC')::date as begins,
       count(*) filter (where e.what = 'opened') as pull_requests_opened,
       count(*) filter (where e.what = 'merged') as pull_requests_merged,
       count(*) filter (where e.what = 'closed') as pull_requests_closed,
       count(*) filter (where e.what = 'issue opened') as issues_opened,
       count(*) filter (where e.what = 'issue closed') as issues_closed,
       count(*) filter (where e.what = 'review' and not e.is_bot) as reviews,
       count(*) filter (where e.what = 'comment' and not e.is_bot) as comments,
       count(distinct e.who) filter (where not e.is_bot) as contributors,
       (array_agg(e.stars order by e.at desc) filter (where e.what = 'look'))[1] as stars,
       (array_agg(e.forks order by e.at desc) filter (where e.what = 'look'))[1] as forks
from (
    select repository_id, repository, 'opened' as what, opened_at as at, null::uuid as who, null::boolean as is_bot,
           null::integer as stars, null::integer as forks
    from pull_request_times
    union all
    select repository_id, repository, 'merged', merged_at, null, null, null, null
    from pull_request_times
    where state = 'merged'
    union all
    select repository_id, repository, 'closed', closed_at, null, null, null, null
    from pull_request_times
    where state = 'closed'
    union all
    select repository_id, repository, 'issue opened', opened_at, null, null, null, null
    from issue_times
    union all
    select repository_id, repository, 'issue closed', closed_at, null, null, null, null
    from issue_times
    where state = 'closed'
    union all
    select repository_id, repository, what, at, contributor_id, is_bot, null, null
    from contributions
    union all
    select r.id, r.full_name, 'look', s.taken_at, null, null, s.stars, s.forks
    from count_snapshots s
    join repositories r on r.id = s.repository_id
) e
cross join (values ('week'), ('month')) g (grain)
where isfinite(e.at)
group by e.repository_id, e.repository, g.grain, 4;

-- Repository by repository: what is joined with a union reaches into none of its parts.
create or replace view workspace_contributors with (security_invoker = true) as
select w.id as workspace_id, w.slug as workspace, c.contributor_id, c.contributor, c.is_bot, count(*) as repositories,
       sum(c.pull_requests)::bigint as pull_requests, sum(c.merged)::bigint as merged, sum(c.reviews)::bigint as reviews,
       sum(c.comments)::bigint as comments, sum(c.issues)::bigint as issues, min(c.first_at) as first_at, max(c.last_at) as last_at
from workspaces w
join workspace_repositories m on m.workspace_id = w.id
cross join lateral (select * from repository_contributors x where x.repository_id = m.repository_id offset 0) c
where w.is_active is distinct from false
group by w.id, w.slug, c.contributor_id, c.contributor, c.is_bot;
