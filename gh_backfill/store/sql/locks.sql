-- Who stands in the way of whom.

-- name: holders
-- Who holds locks on tables and views of ours, the strongest first.  Everybody may ask: what is shown needs no right.
select c.relname as "table", l.mode, a.pid, coalesce(nullif(a.application_name, ''), 'no name') as application,
       coalesce(a.usename, 'no role') as role
from pg_locks l
join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p', 'v') and c.relnamespace = to_regnamespace(quote_ident(current_schema()))
join pg_stat_activity a on a.pid = l.pid
where l.granted and l.locktype = 'relation' and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database())
order by array_position(array['AccessExclusiveLock', 'ExclusiveLock', 'ShareRowExclusiveLock', 'ShareLock',
                              'ShareUpdateExclusiveLock', 'RowExclusiveLock', 'RowShareLock'], l.mode),
         a.xact_start, c.relname
limit 2;
