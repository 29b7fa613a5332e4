-- Supabase's service role reaches the tables of reports and webhooks in every schema in which they lie: an earlier file took
-- those of another schema for them.  Repeatable.

do $$
declare
    name text;
begin
    foreach name in array array['backfill_reports', 'webhook_deliveries', 'webhook_pending'] loop
        continue when to_regprocedure('auth.role()') is null
            or exists (select from pg_policy where polrelid = to_regclass(name) and polname = 'service_role_all');
        execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
    end loop;
end $$;
