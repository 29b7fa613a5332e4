-- What the monitor and the list of repositories show.  Each statement is read with the others in one round trip.
-- For a page that anybody may read (`public_only`) nothing but repositories that are known to be public is read and counted,
-- and `untold` stands where somebody wrote why: an error, a reason.  Else it is null.  Who did something is left out.

-- name: limit_time
-- A page that is slow must not hold up the captures: it ends, and says so.  What it reads is small, and in memory: a look into
-- an index is not dear.
select set_config('statement_timeout', %(seconds)s || 's', true), set_config('random_page_cost', '1.1', true);

-- name: one_by_one
-- From here on a few rows are asked for by their ids: they are looked up, whatever a scan of a small table would cost.
select set_config('enable_seqscan', 'off', true);

-- name: standings
-- All backfills of tracked repositories in one reading: how many are in which state, those that match a filter, those that
-- fail, and how many were opened and completed a day.  The word for the state is that of policy/shown.py.
-- `matching` are counted without the place in the list, which goes on after (value, name, id).
-- Where nothing of ours walked a repository yet, the rows that are listed tell how many pull requests are in the table.  To
-- count all of those would take too long: in the sums and in the order they have what an older application says, or nothing.
with clock as (
    select coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
), points as (
    select case when bool_and(remaining <= ceil(budget_limit * %(reserve)s) and reset_at > moment) then min(reset_at) end as at
    from api_budgets, clock
    where resource = 'graphql'
), at_work as (
    select c.backfill_id, bool_or(c.status = 'processing' and c.lease_until > k.moment) as claimed,
           max(c.retry_count) as failures, max(c.retry_at) as retry_at,
           (array_agg(c.chunk_number order by c.retry_count desc, c.chunk_number desc))[1] as chunk_number,
           (array_agg(case when c.error is not null then coalesce(%(untold)s::text, c.error) end
                      order by c.retry_count desc, c.chunk_number desc))[1] as chunk_error,
           (array_agg(c.processor_type order by c.chunk_number desc))[1] as processor
    from backfill_chunks c
    cross join clock k
    where c.status in ('pending', 'processing') and c.stream_id is not null
      and (%(ids)s::uuid[] is null or c.repository_id = any(%(ids)s::uuid[]))
    group by c.backfill_id
), walk as (
    -- As the view backfill_goals says it, for all at once.
    select repository_id, kind, max(goal_max_items) filter (where stream = 'history') as goal,
           max(least(goal_max_items, coalesce(goal_captured, items_done))) filter (where filtered) as of_goal,
           max(case when goal_wanted is not null then least(goal_max_items, goal_wanted)
                    when status = 'completed' then least(goal_max_items, coalesce(goal_captured, items_done)) end)
               filter (where filtered) as wanted,
           max(case when stream = 'history' then null when status = 'completed' then watermark
                    else read_down_to + %(margin)s end) as fresh_at
    from backfill_streams
    cross join lateral (
        select stream = 'history' and (goal_since, goal_until, goal_states) is distinct from (null::timestamptz, null::timestamptz, null::text[])
               as filtered
    ) aim
    where part = 0 and (%(ids)s::uuid[] is null or repository_id = any(%(ids)s::uuid[]))
    group by repository_id, kind
), living as (
    select j.repository_id, (array_agg(j.processor_type order by j.created_at desc))[1] as processor
    from progressive_capture_jobs j
    cross join clock k
    where j.outcome is null and j.run_key is not null and j.status in ('processing', 'failed')
      and coalesce(j.heartbeat_at, j.started_at) > k.moment - %(alive)s
      and (%(ids)s::uuid[] is null or j.repository_id = any(%(ids)s::uuid[]))
    group by j.repository_id
), backfill as (
    select r.id as repository_id, r.full_name, r.is_private is not false as is_private, 'pull_requests' as kind, b.id as backfill_id,
           b.status, coalesce(b.held, false) as held, told.held_reason, told.held_by, b.pause_reason, b.resume_at, told.last_error,
           b.last_error_at, b.completed_at, b.created_at, b.last_processed_at, coalesce(b.gaps, 0) as unlisted,
           w.repository_id is not null as walked, coalesce(w.of_goal, b.captured, 0) as captured,
           r.github_pull_requests as total, case when w.of_goal is null then least(w.goal, r.github_pull_requests) else w.wanted end as wanted,
           w.fresh_at
    from repositories r
    left join tracked_repositories t on t.repository_id = r.id and t.tracking_enabled is distinct from false
    left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
    left join walk w on w.repository_id = r.id and w.kind = 'pull_requests'
    left join lateral (
        select case when b.held_reason in ('cancelled', 'untracked') or b.held_reason is null then b.held_reason
                    else coalesce(%(untold)s::text, b.held_reason) end as held_reason,
               case when not %(public_only)s then b.held_by end as held_by,
               case when b.last_error is not null then coalesce(%(untold)s::text, b.last_error) end as last_error
    ) told on true
    where (t.id is not null or b.id is not null) and (r.is_private is false or not %(public_only)s)
      and (%(ids)s::uuid[] is null or r.id = any(%(ids)s::uuid[]))
    union all
    select r.id, r.full_name, r.is_private is not false, b.kind, b.id, b.status, b.held, told.held_reason, told.held_by, b.pause_reason,
           b.resume_at, told.last_error, b.last_error_at, b.completed_at, b.created_at, b.last_processed_at, b.gaps, true, b.captured,
           case when b.total > 0 or b.status = 'completed' then b.total end,
           case when b.total > 0 or b.status = 'completed' then b.total end,
           w.fresh_at
    from backfills b
    join repositories r on r.id = b.repository_id
    left join walk w on w.repository_id = r.id and w.kind = b.kind
    left join lateral (
        select case when b.held_reason in ('cancelled', 'untracked') or b.held_reason is null then b.held_reason
                    else coalesce(%(untold)s::text, b.held_reason) end as held_reason,
               case when not %(public_only)s then b.held_by end as held_by,
               case when b.last_error is not null then coalesce(%(untold)s::text, b.last_error) end as last_error
    ) told on true
    where b.kind <> 'pull_requests' and (r.is_private is false or not %(public_only)s)
      and (%(ids)s::uuid[] is null or r.id = any(%(ids)s::uuid[]))
), standing as materialized (
    select b.*, coalesce(w.claimed, false) as claimed, coalesce(w.failures, 0) as failures, w.retry_at, w.chunk_number,
           w.chunk_error, coalesce(w.processor, l.processor) as processor, l.repository_id is not null as alive,
           b.last_processed_at is not null or b.last_error_at is not null or w.backfill_id is not null as ran, p.at as points_at,
           case when b.held and b.held_reason in ('cancelled', 'untracked') then b.held_reason
                when (b.held or b.status = 'paused') and b.resume_at <= k.moment then 'waiting'
                when b.held then 'held'
                when b.status is null then 'never run'
                when b.status <> 'active' then case when b.status = 'paused' and b.pause_reason in ('graphql_rate_limit_low', 'rate_limit')
                                                    then 'starved' else b.status end
                when w.failures > 0 then 'retrying'
                when l.repository_id is not null and w.claimed is not true and p.at is not null then 'starved'
                when l.repository_id is not null or w.claimed then 'running'
                when b.last_processed_at is null and b.last_error_at is null and w.backfill_id is null then 'never run'
                else 'waiting' end as state
    from backfill b
    cross join clock k
    cross join points p
    left join at_work w on w.backfill_id = b.backfill_id
    left join living l on l.repository_id = b.repository_id
), matched as (
    select s.*,
           %(sign)s * coalesce(case %(sort)s::text
               when 'progress' then case when wanted is not null then least(1, captured::float8 / greatest(wanted, 1)) end
               when 'captured' then captured
               when 'fresh' then extract(epoch from fresh_at)
               when 'activity' then extract(epoch from last_processed_at)
               else 0 end, -1)::float8 as value
    from standing s
    where (kind = 'pull_requests' or %(ids)s::uuid[] is not null) and (%(states)s::text[] is null or state = any(%(states)s::text[]))
      and (%(search)s::text is null or position(%(search)s::text in lower(full_name)) > 0)
)
select (select count(*) from matched) as matching,
       (select coalesce(jsonb_agg(to_jsonb(m) || h.here order by m.value, m.full_name, m.repository_id), '[]')
        from (select * from matched
              where %(value)s::float8 is null
                 or (value, full_name, repository_id) > (%(value)s::float8, %(name)s::text, %(id)s::uuid)
              order by value, full_name, repository_id
              limit %(most)s) m
        cross join lateral (
            select case when m.walked or not %(counted)s then '{}'
                        else jsonb_build_object('captured', (select count(*) from pull_requests p where p.repository_id = m.repository_id))
                        end as here
        ) h) as listed,
       (select coalesce(jsonb_agg(to_jsonb(f) order by f.last_error_at desc nulls last, f.full_name), '[]')
        from (select * from standing
              where state in ('failed', 'retrying')
                 or (state = 'paused' and pause_reason in ('too_many_errors', 'credential_refused', 'way_to_github_wrong'))
              order by last_error_at desc nulls last, full_name
              limit %(most_failing)s) f) as failing,
       (select coalesce(jsonb_agg(g), '[]')
        from (select kind, state, count(*) as number, coalesce(sum(captured), 0) as captured, coalesce(sum(total), 0) as total,
                     max(fresh_at) as freshest, min(fresh_at) filter (where state = 'completed') as stalest_complete,
                     min(fresh_at) as stalest, min(coalesce(resume_at, points_at)) as resume_at,
                     count(*) filter (where state = 'failed' or pause_reason in ('credential_refused', 'way_to_github_wrong')) as need
              from standing
              group by kind, state) g) as groups,
       (select coalesce(jsonb_agg(d order by d.day), '[]')
        from (select greatest(e.day, (select (moment at time zone 'UTC')::date from clock) - 30) as day, count(*) filter (where e.opened) as opened, count(*) filter (where not e.opened) as completed
              from (select date_trunc('day', created_at at time zone 'UTC')::date as day, true as opened
                    from standing where kind = 'pull_requests'
                    union all
                    select date_trunc('day', completed_at at time zone 'UTC')::date, false
                    from standing where kind = 'pull_requests' and state = 'completed') e
              where e.day is not null
              group by 1) d) as days;

-- name: samples
-- How budgets stood at the last runs, under the numbers that `budget_states` gives where names are not told.
select case when %(public_only)s then 'budget ' || (select count(distinct b.identity) from api_budgets b where b.identity <= s.identity)
            else s.identity end as identity,
       s.resource, s.at, s.budget_limit as "limit", s.remaining
from budget_samples s
where (not %(public_only)s or exists (select from api_budgets b where b.identity = s.identity))
  and at > coalesce(%(now)s::timestamptz, clock_timestamp()) - interval '24 hours'
order by at desc
limit %(most)s;

-- name: moved
-- What is compared to see whether anything moved: each part is found by the end of an index.  Jobs without a run are those of
-- a host application.
select (select md5(string_agg(j.text, ',')) from (
            select concat_ws(' ', id, status, outcome, items, heartbeat_at) as text
            from progressive_capture_jobs where run_key is not null order by created_at desc, id desc limit 50) j) as last_jobs,
       (select md5(string_agg(concat_ws(' ', id, status, items, chunks), ',' order by id))
        from progressive_capture_jobs where outcome is null and run_key is not null) as open_jobs,
       (select md5(string_agg(concat_ws(' ', stream_id, status, attempt, lease_until > clock_timestamp()), ',' order by stream_id))
        from backfill_chunks where status in ('pending', 'processing')) as claims,
       (select max(id) from backfill_events) as events,
       (select md5(string_agg(concat_ws(' ', identity, resource, remaining, budget_limit, not_before > clock_timestamp()), ','
                              order by identity, resource))
        from api_budgets) as budgets,
       (select max(at) from budget_samples) as samples,
       (select md5(string_agg(concat_ws(' ', repository_github_id, identity, version), ',' order by first_at, repository_github_id, identity))
        from (select * from webhook_pending where kind = 'capture' order by first_at desc limit 50) w) as announced,
       (select coalesce(jsonb_object_agg(b.repository_id, b.updated_at), '{}') from (
            select repository_id, max(updated_at) as updated_at
            from (select repository_id, updated_at from backfills order by updated_at desc limit 50) last
            group by repository_id) b) as backfills,
       (select md5(string_agg(concat_ws(' ', a.id, a.status, s.step, s.status, s.done), ',' order by a.id, s.step))
        from aggressive_backfills a left join aggressive_steps s on s.backfill_id = a.id
        where a.status in ('pending', 'processing')) as aggressive,
       floor(extract(epoch from clock_timestamp()) / 60)::bigint as minute;
