-- What migrations would meet, asked before the first of them writes.

-- name: place
-- `settled`: our ledger is where the path leads, so that is where our tables are; `elsewhere`: where another one of ours is.
select current_schema() as schema, current_setting('search_path') as path, current_user as role,
       current_database() as database, current_setting('server_encoding') as encoding,
       current_setting('server_version') as version,
       current_setting('server_version_num')::integer / 10000 as major,
       to_regclass('gh_backfill_migrations') is not null as settled,
       (select min(n.nspname::text) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relname = 'gh_backfill_migrations' and c.oid is distinct from to_regclass('gh_backfill_migrations')) as elsewhere

-- name: strangers
-- ours: [{name, kind, columns: [{name, type}], labels}].  Types fit when they are of one category, and both or none is a uuid:
-- applications differ in varchar and text, or integer and bigint.
with ours as materialized (
    select o.name, o.kind, o.columns, o.labels, c.oid, c.relkind
    from jsonb_to_recordset(%(ours)s) as o (name text, kind text, columns jsonb, labels text[])
    left join pg_class c on c.oid = to_regclass(quote_ident(o.name))
), columns as (
    select o.name, o.oid, w.name as column, to_regtype(w.type)::oid as wanted, a.attname, a.atttypid
    from ours o
    cross join jsonb_to_recordset(o.columns) as w (name text, type text)
    left join pg_attribute a on a.attrelid = o.oid and a.attname = w.name and not a.attisdropped
    where o.oid is not null and o.relkind = any (case o.kind when 'table' then array['r', 'p'] else array['v'] end::"char"[])
)
select name, format('it is no %%s', kind) as why from ours
where oid is not null and kind <> 'type'
  and not relkind = any (case kind when 'table' then array['r', 'p'] else array['v'] end::"char"[])
union all
select name, format('without %%s', "column") from columns where attname is null
union all
select c.name, format('%%s is of type %%s', c."column", format_type(c.atttypid, null))
from columns c
join pg_type t on t.oid = c.atttypid
join pg_type w on w.oid = c.wanted
where t.oid <> w.oid and (t.typcategory <> w.typcategory or 'uuid'::regtype in (t.oid, w.oid))
union all
select o.name, format('without the value %%s', label)
from ours o
cross join unnest(o.labels) label
where to_regtype(quote_ident(o.name)) is not null
  and not exists (select from pg_enum e where e.enumtypid = to_regtype(quote_ident(o.name)) and e.enumlabel = label)
order by 1, 2;
