-- A walk may be about the pull requests of a span of time, or about those in some states.  Repeatable and additive only, as
-- described in core_tables.
--
-- goal_wanted: how many GitHub counts of them; null where it does not say, as of a span of time.
-- goal_captured: how many of them were here when the backfill was complete last; until then the walk's own count says it.
alter table backfill_streams
    add column if not exists goal_until timestamptz,
    add column if not exists goal_wanted integer,
    add column if not exists goal_captured integer;

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_streams')
                                           and conname = 'backfill_streams_goal_states_check') then
    alter table backfill_streams add constraint backfill_streams_goal_states_check
        check (goal_states <@ array['open', 'closed', 'merged'] and cardinality(goal_states) > 0);
end if;
end $$;

-- What each walk is for, and how far it has come: `captured` of `wanted`.  A goal that leaves out nothing but the oldest counts
-- all rows; the others count what is of the goal.  Where `open_ended`, nobody knows yet how many are wanted.
do $$ begin
if to_regclass('backfill_goals') is null then
    create view backfill_goals with (security_invoker = true) as
    select s.repository_id, s.backfill_id, s.kind, s.goal_max_items, s.goal_since, s.goal_until, s.goal_states, which.filtered,
           case when which.filtered then least(s.goal_max_items, coalesce(s.goal_captured, s.items_done)) else b.captured end as captured,
           case when not which.filtered then least(s.goal_max_items, b.total)
                when s.goal_wanted is not null then least(s.goal_max_items, s.goal_wanted)
                when s.status = 'completed' then least(s.goal_max_items, coalesce(s.goal_captured, s.items_done)) end as wanted,
           which.filtered and s.goal_wanted is null and s.status <> 'completed' as open_ended
    from backfill_streams s
    join backfills b on b.id = s.backfill_id
    cross join lateral (
        select s.goal_since is not null or s.goal_until is not null or s.goal_states is not null as filtered
    ) which
    where s.stream = 'history' and s.part = 0;
end if;
end $$;

do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on table backfill_goals from %I', guest);
    end loop;
end $$;

-- The summary that people look at tells of such goals as well; its columns stay what they are.
do $$ begin
if exists (select from pg_class where oid = to_regclass('backfill_progress_summary')
             and 'security_invoker=true' = any (reloptions)) then
    create or replace view backfill_progress_summary with (security_invoker = true) as
    select r.owner,
           r.name,
           s.id as backfill_id,
           s.status,
           s.total_prs,
           s.processed_prs,
           case when s.total_prs > 0 then round(s.processed_prs::numeric * 100 / s.total_prs, 2) else 0 end as progress_percentage,
           s.chunk_size,
           s.error_count,
           s.last_processed_at,
           s.created_at,
           s.updated_at,
           c.completed_chunks,
           c.failed_chunks,
           c.avg_chunk_processing_time_ms,
           case when g.filtered then g.wanted else least(g.goal_max_items, s.total_prs) end as wanted_prs,
           case when g.filtered then
                    case when g.wanted > 0 then least(100, round(g.captured::numeric * 100 / g.wanted, 2))
                         when g.wanted = 0 then 100 end
                when least(g.goal_max_items, s.total_prs) > 0
                then least(100, round(s.processed_prs::numeric * 100 / least(g.goal_max_items, s.total_prs), 2)) else 100 end
               as goal_percentage,
           s.gaps
    from progressive_backfill_state s
    join repositories r on r.id = s.repository_id
    cross join lateral (
        select count(*) filter (where status = 'completed') as completed_chunks,
               count(*) filter (where status = 'failed') as failed_chunks,
               coalesce(avg(processing_time_ms) filter (where status = 'completed'), 0)::integer as avg_chunk_processing_time_ms
        from backfill_chunks
        where backfill_state_id = s.id
    ) c
    left join backfill_goals g on g.backfill_id = s.id
    order by s.created_at desc;
end if;
end $$;
