-- The summary that people look at also tells of goals and gaps.  Only our own view gains columns, at its end: a host
-- application's is read by others as it is.  Repeatable.

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
           least(g.goal, s.total_prs) as wanted_prs,
           case when least(g.goal, s.total_prs) > 0
                then least(100, round(s.processed_prs::numeric * 100 / least(g.goal, s.total_prs), 2)) else 100 end
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
    left join lateral (
        select max(goal_max_items) as goal
        from backfill_streams
        where backfill_state_id = s.id and stream = 'history' and part = 0
    ) g on true
    order by s.created_at desc;
end if;
end $$;
