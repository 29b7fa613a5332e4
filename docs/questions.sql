-- Questions about the work in repositories, ready to be pasted into psql, Metabase or Grafana: each runs as it stands, on databases that
-- we make and on existing installations, and a test holds its answers against an independent computation.
--
-- Each answers for every repository that is here; `where repository = 'octocat/hello-world'` chooses one.  Times are UTC's, months
-- begin on the first.  What counts as a review, as a first review and as a bot, docs/metrics.md says; hours begin with the opening of a
-- pull request, also of a draft.  Only what is captured is counted: `gh-backfill status` says how much that is.

-- name: time_to_first_review
-- How long does a pull request wait for its first review, by the month in which it was opened?
-- pull_requests: opened by people in that month; reviewed: those that have a review; median_hours, p90_hours: hours until the first
-- review, of the reviewed ones: half of them, nine of ten, waited no longer.  The newest months look better than they are: what
-- waits still is not in their hours.
select repository, date_trunc('month', opened_at at time zone 'UTC')::date as month, count(*) as pull_requests,
       count(hours_to_first_review) as reviewed,
       round((percentile_cont(0.5) within group (order by hours_to_first_review))::numeric, 1) as median_hours,
       round((percentile_cont(0.9) within group (order by hours_to_first_review))::numeric, 1) as p90_hours
from pull_request_times
where not is_bot
group by repository, month
order by repository, month desc;

-- name: time_to_merge_by_size
-- Are small pull requests merged sooner?
-- lines: added and deleted lines together; merged: pull requests of people that were merged; median_hours, p90_hours: hours from the
-- opening to the merge; share_of_merged: percent of the repository's merged ones.
with sizes as (
    select t.repository, t.hours_to_merge, p.additions + p.deletions as lines
    from pull_request_times t
    join pull_requests p on p.id = t.pull_request_id
    where t.hours_to_merge is not null and not t.is_bot
)
select repository,
       case when lines <= 10 then '1: up to 10' when lines <= 50 then '2: 11 to 50' when lines <= 200 then '3: 51 to 200'
            when lines <= 1000 then '4: 201 to 1,000' else '5: over 1,000' end as lines,
       count(*) as merged,
       round((percentile_cont(0.5) within group (order by hours_to_merge))::numeric, 1) as median_hours,
       round((percentile_cont(0.9) within group (order by hours_to_merge))::numeric, 1) as p90_hours,
       round(100.0 * count(*) / sum(count(*)) over (partition by repository), 1) as share_of_merged
from sizes
group by repository, 2
order by repository, 2;

-- name: review_load
-- Who reviews how much, in the last 90 days?
-- reviews: submitted ones of other people's pull requests; pull_requests: how many different ones; share: percent of the repository's
-- reviews; median_hours: hours from the opening of a pull request to these reviews.
select repository, reviewer, count(*) as reviews, count(distinct pull_request_id) as pull_requests,
       round(100.0 * count(*) / sum(count(*)) over (partition by repository), 1) as share,
       round((percentile_cont(0.5) within group (order by hours_since_opened))::numeric, 1) as median_hours
from review_times
where not is_own and not is_bot and submitted_at >= now() - interval '90 days'
group by repository, reviewer
order by repository, reviews desc, reviewer;

-- name: who_reviews_whom
-- Who reviews whose pull requests, in the last 365 days?
-- pull_requests: how many of the author's the reviewer looked at; reviews: how often; approvals: how many of these approved.
select v.repository, v.reviewer, t.author, count(distinct v.pull_request_id) as pull_requests, count(*) as reviews,
       count(*) filter (where v.state = 'APPROVED') as approvals
from review_times v
join pull_request_times t on t.pull_request_id = v.pull_request_id
where not v.is_own and not v.is_bot and t.author is not null and v.submitted_at >= now() - interval '365 days'
group by v.repository, v.reviewer, t.author
order by v.repository, pull_requests desc, v.reviewer, t.author;

-- name: age_of_open_pull_requests
-- How old are the pull requests that are open now?
-- open: all of them; drafts: those of them that are drafts; under_a_week, under_a_month (30 days), under_a_quarter (90 days), older:
-- how many were opened so long ago, each in one of these; median_days: half of them are open no longer.
with ages as (
    select repository, is_draft, extract(epoch from now() - opened_at) / 86400 as days
    from pull_request_times
    where state = 'open'
)
select repository, count(*) as open, count(*) filter (where is_draft) as drafts,
       count(*) filter (where days < 7) as under_a_week,
       count(*) filter (where days >= 7 and days < 30) as under_a_month,
       count(*) filter (where days >= 30 and days < 90) as under_a_quarter,
       count(*) filter (where days >= 90) as older,
       round((percentile_cont(0.5) within group (order by days))::numeric, 1) as median_days
from ages
group by repository
order by repository;

-- name: waiting_for_a_first_review
-- Which open pull requests, drafts aside, has nobody reviewed yet?
-- days: since it was opened; asked: how many reviews are asked for and not given (null: not known).
select t.repository, t.number, p.title, t.author, round((extract(epoch from now() - t.opened_at) / 86400)::numeric, 1) as days,
       jsonb_array_length(p.requested_reviewers) as asked, p.html_url
from pull_request_times t
join pull_requests p on p.id = t.pull_request_id
where t.state = 'open' and not t.is_draft and not t.is_bot and t.first_review_at is null
order by t.repository, t.opened_at;

-- name: stale_reviews
-- Which open pull requests were reviewed, and then nothing happened for two weeks?
-- last_review: the state of the newest review by somebody else, of reviewer; days: since that review, and GitHub notes no later change
-- of the pull request by two weeks; waits_for: the author where changes were asked for, else somebody who merges or reviews.
with newest as (
    select distinct on (pull_request_id) pull_request_id, state, reviewer, submitted_at
    from review_times
    where not is_own and not is_bot
    order by pull_request_id, submitted_at desc, review_id
)
select t.repository, t.number, p.title, t.author, n.state as last_review, n.reviewer,
       round((extract(epoch from now() - n.submitted_at) / 86400)::numeric, 1) as days,
       case when n.state = 'CHANGES_REQUESTED' then 'author' else 'reviewer' end as waits_for, p.html_url
from newest n
join pull_request_times t on t.pull_request_id = n.pull_request_id
join pull_requests p on p.id = n.pull_request_id
where t.state = 'open' and greatest(n.submitted_at, p.updated_at) < now() - interval '14 days'
order by t.repository, n.submitted_at;

-- name: bus_factor
-- How few people wrote half of what was merged in the last 365 days?
-- bus_factor: the smallest number of authors who together have at least half of the merged pull requests; authors: all of them; merged:
-- their pull requests; most: the one with the most, and share: percent of merged that are this one's.
with merged as (
    select repository, author, count(*) as many
    from pull_request_times
    where state = 'merged' and merged_at >= now() - interval '365 days' and not is_bot and author is not null
    group by repository, author
), ranked as (
    select repository, author, many, sum(many) over (partition by repository) as every,
           row_number() over ranking as place, sum(many) over (ranking rows unbounded preceding) as so_far
    from merged
    window ranking as (partition by repository order by many desc, author)
)
select repository, min(place) filter (where 2 * so_far >= every) as bus_factor, count(*) as authors, max(every) as merged,
       min(author) filter (where place = 1) as most, round(100.0 * max(many) / max(every), 1) as share
from ranked
group by repository
order by repository;

-- name: newcomers_per_month
-- How many people open their first pull request in a repository, and do they come back?
-- newcomers: people whose first pull request that is here was opened in the month; merged: those whose first one was merged; came_back:
-- those who opened another one since.  Where the history is limited to its newest, everybody seems new in its first month.
with ranked as (
    select repository, author_id, opened_at, state, row_number() over first as place,
           count(*) over (partition by repository, author_id) as many
    from pull_request_times
    where not is_bot and author_id is not null
    window first as (partition by repository, author_id order by opened_at, number)
)
select repository, date_trunc('month', opened_at at time zone 'UTC')::date as month, count(*) as newcomers,
       count(*) filter (where state = 'merged') as merged, count(*) filter (where many > 1) as came_back
from ranked
where place = 1
group by repository, month
order by repository, month desc;

-- name: merged_without_review
-- How much is merged without a review by somebody else, by the month of the merge?
-- merged: pull requests of people that were merged; unreviewed: those of them without a review by somebody else who is no bot;
-- share: percent.
select repository, date_trunc('month', merged_at at time zone 'UTC')::date as month, count(*) as merged,
       count(*) filter (where first_review_at is null) as unreviewed,
       round(100.0 * count(*) filter (where first_review_at is null) / count(*), 1) as share
from pull_request_times
where state = 'merged' and isfinite(merged_at) and not is_bot
group by repository, month
order by repository, month desc;

-- name: time_to_close_issues
-- How long do issues stay open, by the month in which they were opened?
-- issues: opened in that month; closed: those that are closed; median_hours: hours until then, of the closed ones.
select repository, date_trunc('month', opened_at at time zone 'UTC')::date as month, count(*) as issues,
       count(*) filter (where state = 'closed') as closed,
       round((percentile_cont(0.5) within group (order by hours_to_close))::numeric, 1) as median_hours
from issue_times
where isfinite(opened_at)
group by repository, month
order by repository, month desc;
