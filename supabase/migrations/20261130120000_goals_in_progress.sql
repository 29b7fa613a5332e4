-- The progress of initial backfills counts towards goals of a span of time and of states as well.  Only our own view is replaced,
-- and its columns stay what they are.  Repeatable.

do $$ begin
if exists (select from pg_class where oid = to_regclass('backfill_progress') and 'security_invoker=true' = any (reloptions)) then
    create or replace view backfill_progress with (security_invoker = true) as
    select r.id as repository_id,
           least(case when g.filtered then g.captured else coalesce(b.captured, 0) end, wanted.items) as progress,
           r.initial_backfill_status as status,
           greatest(b.updated_at, r.github_pull_requests_at) as updated_at,
           wanted.items as wanted,
           case when g.open_ended then null
                when wanted.items > 0
                then round(least(case when g.filtered then g.captured else coalesce(b.captured, 0) end, wanted.items)::numeric
                           * 100 / wanted.items, 1)
                else 100 end as percent,
           r.full_name
    from repositories r
    left join backfills b on b.repository_id = r.id and b.kind = 'pull_requests'
    left join backfill_goals g on g.repository_id = r.id and g.kind = 'pull_requests'
    -- What is completed has all that was wanted, also where its history goes on since.
    cross join lateral (
        select case when g.filtered then g.wanted
                    when r.initial_backfill_status = 'completed' then least(g.goal_max_items, b.captured)
                    else least(g.goal_max_items, coalesce(r.github_pull_requests, b.total, 0)) end as items) wanted
    where r.initial_backfill_status is not null;
end if;
end $$;

-- Supabase grants its guests everything on new views; a view of a host application's own is left as it is.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        continue when not exists (select from pg_class where oid = to_regclass('backfill_progress')
                                                         and 'security_invoker=true' = any (reloptions));
        execute format('revoke all on table backfill_progress from %I', guest);
    end loop;
end $$;
