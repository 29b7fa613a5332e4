-- What is alike, by vectors; `repositories`, `types`, `states` and `public_only` are as in search.sql.  The recipe of a vector is the
-- fingerprint with which our content_hash of 64 characters begins; what an application made has none, and is alike in that.

-- name: search_reach_vectors
-- The type and its operators wherever the extension lies, for this transaction.
select set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), quote_ident(n.nspname)), true)
from pg_extension e join pg_namespace n on n.oid = e.extnamespace
where e.extname = 'vector';

-- name: search_load_vectors
-- The settings of an index are there once the library is.
select vector_dims('[1]'::vector);

-- name: search_ready_vectors
-- Let an index go on until enough rows pass the filters, where it can (pgvector 0.8), and say whether both can.  It looks at no more
-- than 4,000 rows at first, for what passes often is found among them.  A scan of few lists would miss most: 100 of them is what
-- existing installations have.  The planner takes the recipe for one that few vectors have, and would rather sort the table; what looks
-- dear for that is not compiled.
select set_config('enable_sort', 'off', true), set_config('jit', 'off', true),
       set_config('hnsw.ef_search', '100', true), set_config('ivfflat.probes', '20', true),
       case when current_setting('hnsw.max_scan_tuples', true) is not null then set_config('hnsw.max_scan_tuples', '4000', true) end,
       case when current_setting('hnsw.iterative_scan', true) is not null
            then set_config('hnsw.iterative_scan', 'relaxed_order', true) end is not null
       and case when current_setting('ivfflat.iterative_scan', true) is not null
                then set_config('ivfflat.iterative_scan', 'relaxed_order', true) end is not null as iterative;

-- name: search_scan_on
-- Let an index look at five times as many rows, for filters that few pass.
select set_config('hnsw.max_scan_tuples', '20000', true);

-- name: search_size
-- How many items there are to compare with, counted no further than `most` of each type and in an index alone; and whether any of
-- them has a vector.
select (
    select sum(n) from (
        select count(*) as n from (
            select from issues s
            where 'issue' = any(%(types)s::text[])
              and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
            limit %(most)s
        ) i
        union all
        select count(*) from (
            select from pull_requests p
            where 'pull_request' = any(%(types)s::text[])
              and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
            limit %(most)s
        ) i
        union all
        select count(*) from (
            select from discussions d
            where 'discussion' = any(%(types)s::text[])
              and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
            limit %(most)s
        ) i
    ) each
) as found, exists (
    select from issues s
    where 'issue' = any(%(types)s::text[]) and s.embedding is not null
      and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
) or exists (
    select from pull_requests p
    where 'pull_request' = any(%(types)s::text[]) and p.embedding is not null
      and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
) or exists (
    select from discussions d
    where 'discussion' = any(%(types)s::text[]) and d.embedding is not null
      and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
) as has_vectors;

-- name: search_exact
-- Every vector that passes the filters is compared: the rows stand first, materialised, so that no index decides how many come.
with items as materialized (
    select 'issue' as item_type, s.id::text as item_id, s.updated_at,
           case when length(s.content_hash) = 64 then left(s.content_hash, 16) else '' end = %(fingerprint)s as is_own,
           s.embedding <=> %(vector)s::vector as distance
    from issues s join repositories r on r.id = s.repository_id and (r.is_private is false or not %(public_only)s)
    where 'issue' = any(%(types)s::text[]) and s.embedding is not null and s.gone_at is null and s.is_pull_request is not true
      and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
      and (%(states)s::text[] is null or s.state = any(%(states)s::text[]))
    union all
    select 'pull_request', p.id::text, p.updated_at,
           case when length(p.content_hash) = 64 then left(p.content_hash, 16) else '' end = %(fingerprint)s,
           p.embedding <=> %(vector)s::vector
    from pull_requests p join repositories r on r.id = p.repository_id and (r.is_private is false or not %(public_only)s)
    where 'pull_request' = any(%(types)s::text[]) and p.embedding is not null and p.gone_at is null
      and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
      and (%(states)s::text[] is null or case when p.merged then 'merged' else p.state end = any(%(states)s::text[]))
    union all
    select 'discussion', d.id, d.updated_at,
           case when length(d.content_hash) = 64 then left(d.content_hash, 16) else '' end = %(fingerprint)s,
           d.embedding <=> %(vector)s::vector
    from discussions d join repositories r on r.id = d.repository_id and (r.is_private is false or not %(public_only)s)
    where 'discussion' = any(%(types)s::text[]) and d.embedding is not null and d.gone_at is null
      and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
      and (%(states)s::text[] is null or coalesce(d.state, 'open') = any(%(states)s::text[]))
)
select item_type, item_id, distance, (select count(*) from items where not is_own) as others
from items
where is_own and item_id is distinct from %(except)s and distance <> 'NaN'
order by distance, updated_at desc, item_type, item_id
limit %(most)s;

-- name: search_index
-- The nearest of each type by its index, which goes on until enough pass the filters; then the nearest of all.  More are taken than are
-- wanted (`deep`): an index comes upon the nearest ones late where most of what lies around them does not pass.
with items as (
    (select 'issue' as item_type, s.id::text as item_id, s.updated_at, s.embedding <=> %(vector)s::vector as distance
     from issues s
     where 'issue' = any(%(types)s::text[]) and s.embedding is not null and s.gone_at is null and s.is_pull_request is not true
       and case when length(s.content_hash) = 64 then left(s.content_hash, 16) else '' end = %(fingerprint)s
       and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or s.state = any(%(states)s::text[])) and s.id::text is distinct from %(except)s
       and (not %(public_only)s or exists (select from repositories r where r.id = s.repository_id and r.is_private is false))
     order by s.embedding <=> %(vector)s::vector limit %(deep)s)
    union all
    (select 'pull_request', p.id::text, p.updated_at, p.embedding <=> %(vector)s::vector
     from pull_requests p
     where 'pull_request' = any(%(types)s::text[]) and p.embedding is not null and p.gone_at is null
       and case when length(p.content_hash) = 64 then left(p.content_hash, 16) else '' end = %(fingerprint)s
       and p.repository_id is not null
       and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or case when p.merged then 'merged' else p.state end = any(%(states)s::text[]))
       and p.id::text is distinct from %(except)s
       and (not %(public_only)s or exists (select from repositories r where r.id = p.repository_id and r.is_private is false))
     order by p.embedding <=> %(vector)s::vector limit %(deep)s)
    union all
    (select 'discussion', d.id, d.updated_at, d.embedding <=> %(vector)s::vector
     from discussions d
     where 'discussion' = any(%(types)s::text[]) and d.embedding is not null and d.gone_at is null
       and case when length(d.content_hash) = 64 then left(d.content_hash, 16) else '' end = %(fingerprint)s
       and d.repository_id is not null
       and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or coalesce(d.state, 'open') = any(%(states)s::text[])) and d.id is distinct from %(except)s
       and (not %(public_only)s or exists (select from repositories r where r.id = d.repository_id and r.is_private is false))
     order by d.embedding <=> %(vector)s::vector limit %(deep)s)
)
select item_type, item_id, distance from items
where distance <> 'NaN'
order by distance, updated_at desc, item_type, item_id
limit %(most)s;

-- name: search_others
-- Whether a vector of another recipe stands there, among those of which too few were found.
select exists (
    select from issues s
    where 'issue' = any(%(types)s::text[]) and s.embedding is not null
      and case when length(s.content_hash) = 64 then left(s.content_hash, 16) else '' end <> %(fingerprint)s
      and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
) or exists (
    select from pull_requests p
    where 'pull_request' = any(%(types)s::text[]) and p.embedding is not null
      and case when length(p.content_hash) = 64 then left(p.content_hash, 16) else '' end <> %(fingerprint)s
      and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
) or exists (
    select from discussions d
    where 'discussion' = any(%(types)s::text[]) and d.embedding is not null
      and case when length(d.content_hash) = 64 then left(d.content_hash, 16) else '' end <> %(fingerprint)s
      and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
) as others;

-- name: search_own
-- The vector of an item, and its recipe; no row where it has none.
with ids as (
    select * from jsonb_to_recordset(%(items)s) as i (item_type text, item_id text)
)
select s.embedding::text as vector, case when length(s.content_hash) = 64 then left(s.content_hash, 16) else '' end as fingerprint
from ids i join issues s on s.id = i.item_id::uuid where i.item_type = 'issue' and s.embedding is not null
union all
select p.embedding::text, case when length(p.content_hash) = 64 then left(p.content_hash, 16) else '' end
from ids i join pull_requests p on p.id = i.item_id::uuid where i.item_type = 'pull_request' and p.embedding is not null
union all
select d.embedding::text, case when length(d.content_hash) = 64 then left(d.content_hash, 16) else '' end
from ids i join discussions d on d.id = i.item_id where i.item_type = 'discussion' and d.embedding is not null;
