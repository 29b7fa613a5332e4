-- What the catalog says about the tables that we write.

-- name: lacking
-- needs: [{table, columns, always, inserted, updated, deleted}].  A column that nobody may leave empty has no default, is neither
-- generated nor an identity, is not in all of our inserts' lists, and no trigger may fill it.  Beside what is lacking it tells
-- what must be known first, so that a command begins after one round trip: tables whose policies count for us without one
-- that simply admits us ('policed'), and the ledger of migrations, version and checksum ('applied').
with needs as materialized (
    select n."table", n.columns, n.always, n.inserted, n.updated, n.deleted, n.by_trigger,
           to_regclass(quote_ident(n."table")) as oid
    from jsonb_to_recordset(%(needs)s)
         as n ("table" text, columns text[], always text[], inserted boolean, updated boolean, deleted boolean,
             by_trigger boolean)
), columns as (
    select n."table", a.attname, a.attnotnull and not a.atthasdef and a.attidentity = '' as required
    from needs n
    join pg_attribute a on a.attrelid = n.oid and a.attnum > 0 and not a.attisdropped
)
select "table", null as column, 'table' as what, current_user as role from needs where oid is null
union all
select n."table", wanted, 'column', current_user
from needs n, unnest(n.columns) wanted
where n.oid is not null and not exists (select from columns c where c."table" = n."table" and c.attname = wanted)
union all
select n."table", c.attname, 'required', current_user
from needs n
join columns c on c."table" = n."table"
where n.inserted and c.required and not c.attname = any(n.always)
  and not exists (select from pg_trigger g where g.tgrelid = n.oid and not g.tgisinternal and g.tgtype & 7 = 7)
union all
select n."table", null, wanted, current_user
from needs n, unnest(array['select', 'insert', 'update', 'delete']) with ordinality as right_to (wanted, place)
where n.oid is not null and (array[true, n.inserted and not n.by_trigger, n.updated, n.deleted])[place]
  and not has_table_privilege(n.oid, wanted)
union all
select n."table", null, 'policed', current_user
from needs n
where row_security_active(n.oid)
  and (select count(distinct command)
       from pg_policy p, unnest(case p.polcmd when '*' then array['r', 'a', 'w'] else array[p.polcmd::text] end) command
       where p.polrelid = n.oid and p.polpermissive and command in ('r', 'a', 'w')
         and (p.polroles = array[0::oid]
              or exists (select from unnest(p.polroles) member where pg_has_role(member, 'usage')))
         and coalesce(pg_get_expr(p.polqual, p.polrelid), 'true') = 'true'
         and coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'true') = 'true') < 3
union all
select version, checksum, 'applied', null from gh_backfill_migrations
order by 1, 3, 2;

-- name: key
select gen_random_uuid() as id, -1 - floor(random() * 1e15)::bigint as github_id;

-- name: before_each
savepoint proof;

-- name: undo_this
rollback to savepoint proof;
