-- Texts and their vectors.  A fingerprint (16 characters, with which each content_hash begins) names who made a vector, and how;
-- a vector with another one is stale.  The hash of a text, as it is stored, tells whether it is still the one that was read.

-- name: vectors_standing
-- Whether vectors can be kept: the extension, the tables that lack one of its columns, columns of another type or length, and whether
-- this role may reach the type.
select e.extversion as version, n.nspname as schema,
       exists (select from pg_available_extensions a where a.name = 'vector') as available,
       coalesce(has_schema_privilege(n.oid, 'usage'), false) as reachable,
       array(select t.name from unnest(array['discussions', 'issues', 'pull_requests']) t (name)
             where to_regclass(t.name) is not null
               and (select count(*) from pg_attribute c
                    where c.attrelid = to_regclass(t.name) and not c.attisdropped
                      and c.attname in ('embedding', 'embedding_generated_at', 'content_hash')) < 3) as lacking,
       array(select t.name || '.embedding is ' || y.typname || case when c.atttypmod > 0 then '(' || c.atttypmod || ')' else '' end
             from unnest(array['discussions', 'issues', 'pull_requests']) t (name)
             join pg_attribute c on c.attrelid = to_regclass(t.name) and c.attname = 'embedding' and not c.attisdropped
             join pg_type y on y.oid = c.atttypid
             where y.typname <> 'vector' or c.atttypmod not in (-1, %(dimensions)s)) as other,
       current_user as role
from (select 1) one
left join pg_extension e on e.extname = 'vector'
left join pg_namespace n on n.oid = e.extnamespace;

-- name: embedding_coverage
-- Of each type and repository, without what is gone at GitHub; `ready` are those that no failure and no other worker keeps.
-- With `is not distinct from` the hash is computed for the few rows that failed; as a join key it would be for all.
with attempts as materialized (
    select item_type, item_id, text_hash, set_aside_at is not null as aside,
           set_aside_at is not null or leased_until > clock_timestamp() as kept
    from embedding_attempts
    where %(repository_id)s::uuid is null or repository_id = %(repository_id)s::uuid
), items as (
    select 'issue' as item_type, s.repository_id, s.embedding is not null as embedded,
           s.embedding is not null and left(s.content_hash, 16) is distinct from %(fingerprint)s as stale, a.aside, a.kept
    from issues s
    left join attempts a on a.item_type = 'issue' and a.item_id = s.id::text
                        and a.text_hash is not distinct from hashtextextended(s.title || chr(10) || coalesce(s.body, ''), 0)
    where s.gone_at is null and (%(repository_id)s::uuid is null or s.repository_id = %(repository_id)s::uuid)
    union all
    select 'pull_request', p.repository_id, p.embedding is not null,
           p.embedding is not null and left(p.content_hash, 16) is distinct from %(fingerprint)s, a.aside, a.kept
    from pull_requests p
    left join attempts a on a.item_type = 'pull_request' and a.item_id = p.id::text
                        and a.text_hash is not distinct from hashtextextended(p.title || chr(10) || coalesce(p.body, ''), 0)
    where p.gone_at is null and (%(repository_id)s::uuid is null or p.repository_id = %(repository_id)s::uuid)
    union all
    select 'discussion', d.repository_id, d.embedding is not null,
           d.embedding is not null and left(d.content_hash, 16) is distinct from %(fingerprint)s, a.aside, a.kept
    from discussions d
    left join attempts a on a.item_type = 'discussion' and a.item_id = d.id
                        and a.text_hash is not distinct from hashtextextended(d.title || chr(10) || coalesce(d.body, ''), 0)
    where d.gone_at is null and (%(repository_id)s::uuid is null or d.repository_id = %(repository_id)s::uuid)
)
select i.item_type, i.repository_id, count(*) as total, count(*) filter (where i.embedded) as embedded,
       count(*) filter (where i.stale) as stale,
       count(*) filter (where i.aside and (not i.embedded or i.stale)) as set_aside,
       count(*) filter (where i.kept is not true and (not i.embedded or i.stale)) as ready,
       exists (select from workspace_repositories m
               join workspaces w on w.id = m.workspace_id and w.is_active is distinct from false
               where m.repository_id = i.repository_id) as in_workspace
from items i
group by 1, 2
order by 1, 2;

-- name: claim_issues
-- The newest ones below a number that need a vector, for a while (`lease`) ours alone.  Who else has one in hand keeps it; what
-- failed too often waits until its text changes.  A vector that another provider or model made since this run began stays: two
-- runs that make each other's vectors anew would go on for ever.  The lock looks at each row as it is now: another worker may
-- have saved its vector since this statement began.
with candidates as materialized (
    select s.id::text as item_id, s.number, s.title, s.body, h.text_hash
    from issues s
    cross join lateral (select hashtextextended(s.title || chr(10) || coalesce(s.body, ''), 0) as text_hash) h
    left join embedding_attempts a on a.item_type = 'issue' and a.item_id = s.id::text
    where s.repository_id = %(repository_id)s and s.number < %(below)s and s.gone_at is null
      and (s.embedding is null or (left(s.content_hash, 16) is distinct from %(fingerprint)s
           and (s.embedding_generated_at < %(begun)s::timestamptz) is not false))
      and (a.item_id is null or a.text_hash <> h.text_hash
           or (a.set_aside_at is null and (a.leased_until is null or a.leased_until < clock_timestamp())))
    order by s.number desc
    limit %(limit)s
    for share of s skip locked
), claimed as (
    insert into embedding_attempts as a (item_type, item_id, repository_id, text_hash, worker, leased_until)
    select 'issue', item_id, %(repository_id)s, text_hash, %(worker)s, clock_timestamp() + %(lease)s
    from candidates order by item_id
    on conflict (item_type, item_id) do update
    set text_hash = excluded.text_hash, worker = excluded.worker, leased_until = excluded.leased_until,
        attempts = case when a.text_hash = excluded.text_hash then a.attempts else 0 end, set_aside_at = null,
        updated_at = clock_timestamp()
    where a.leased_until is null or a.leased_until < clock_timestamp() or a.text_hash <> excluded.text_hash
    returning item_id, attempts
)
select c.item_id, c.number, c.title, c.body, c.text_hash, k.attempts
from candidates c
left join claimed k on k.item_id = c.item_id
order by c.number desc;

-- name: claim_pull_requests
with candidates as materialized (
    select p.id::text as item_id, p.number, p.title, p.body, h.text_hash
    from pull_requests p
    cross join lateral (select hashtextextended(p.title || chr(10) || coalesce(p.body, ''), 0) as text_hash) h
    left join embedding_attempts a on a.item_type = 'pull_request' and a.item_id = p.id::text
    where p.repository_id = %(repository_id)s and p.number < %(below)s and p.gone_at is null
      and (p.embedding is null or (left(p.content_hash, 16) is distinct from %(fingerprint)s
           and (p.embedding_generated_at < %(begun)s::timestamptz) is not false))
      and (a.item_id is null or a.text_hash <> h.text_hash
           or (a.set_aside_at is null and (a.leased_until is null or a.leased_until < clock_timestamp())))
    order by p.number desc
    limit %(limit)s
    for share of p skip locked
), claimed as (
    insert into embedding_attempts as a (item_type, item_id, repository_id, text_hash, worker, leased_until)
    select 'pull_request', item_id, %(repository_id)s, text_hash, %(worker)s, clock_timestamp() + %(lease)s
    from candidates order by item_id
    on conflict (item_type, item_id) do update
    set text_hash = excluded.text_hash, worker = excluded.worker, leased_until = excluded.leased_until,
        attempts = case when a.text_hash = excluded.text_hash then a.attempts else 0 end, set_aside_at = null,
        updated_at = clock_timestamp()
    where a.leased_until is null or a.leased_until < clock_timestamp() or a.text_hash <> excluded.text_hash
    returning item_id, attempts
)
select c.item_id, c.number, c.title, c.body, c.text_hash, k.attempts
from candidates c
left join claimed k on k.item_id = c.item_id
order by c.number desc;

-- name: save_issues
-- Vector and hash together, and only where the text is still the one that was read.  Locked in the order of the other writers.
with input as materialized (
    select * from jsonb_to_recordset(%(rows)s) as i (item_id text, text_hash bigint, content_hash text, vector text)
), locked as materialized (
    select s.id, i.content_hash, i.vector::real[] as vector, i.text_hash
    from issues s
    join input i on s.id = i.item_id::uuid
    order by s.github_id
    for update of s
), saved as (
    update issues s
    set embedding = l.vector, embedding_generated_at = clock_timestamp(), content_hash = l.content_hash
    from locked l
    where s.id = l.id and hashtextextended(s.title || chr(10) || coalesce(s.body, ''), 0) = l.text_hash
    returning s.id
), released as (
    delete from embedding_attempts a using input i
    where a.item_type = 'issue' and a.item_id = i.item_id and a.text_hash = i.text_hash
)
select count(*) as saved from saved;

-- name: save_pull_requests
with input as materialized (
    select * from jsonb_to_recordset(%(rows)s) as i (item_id text, text_hash bigint, content_hash text, vector text)
), locked as materialized (
    select p.id, i.content_hash, i.vector::real[] as vector, i.text_hash
    from pull_requests p
    join input i on p.id = i.item_id::uuid
    order by p.github_id
    for update of p
), saved as (
    update pull_requests p
    set embedding = l.vector, embedding_generated_at = clock_timestamp(), content_hash = l.content_hash
    from locked l
    where p.id = l.id and hashtextextended(p.title || chr(10) || coalesce(p.body, ''), 0) = l.text_hash
    returning p.id
), released as (
    delete from embedding_attempts a using input i
    where a.item_type = 'pull_request' and a.item_id = i.item_id and a.text_hash = i.text_hash
)
select count(*) as saved from saved;

-- name: note_embedding_failures
-- One more attempt that failed; after `limit` of them the item is set aside.
update embedding_attempts a
set attempts = a.attempts + 1, reason = i.reason, worker = null, leased_until = null, updated_at = clock_timestamp(),
    set_aside_at = case when a.attempts + 1 >= %(limit)s then clock_timestamp() end
from jsonb_to_recordset(%(rows)s) as i (item_type text, item_id text, text_hash bigint, reason text)
where a.item_type = i.item_type and a.item_id = i.item_id and a.text_hash = i.text_hash
returning a.set_aside_at is not null as set_aside;

-- name: embedding_estimate
-- How many tokens the items of each type would take that have no vector, with four characters a token; as in embedding_coverage
-- without what is set aside, and without what belongs to no repository.
select i.item_type, count(*) as items,
       coalesce(sum(least(%(tokens)s, ceil((length(i.title) + coalesce(length(i.body), 0)) / 4.0))), 0)::bigint as tokens
from (
    select 'issue' as item_type, id::text as item_id, repository_id, title, body from issues
    where gone_at is null and (embedding is null or left(content_hash, 16) is distinct from %(fingerprint)s)
    union all
    select 'pull_request', id::text, repository_id, title, body from pull_requests
    where gone_at is null and (embedding is null or left(content_hash, 16) is distinct from %(fingerprint)s)
    union all
    select 'discussion', id, repository_id, title, body from discussions
    where gone_at is null and (embedding is null or left(content_hash, 16) is distinct from %(fingerprint)s)
) i
left join embedding_attempts a on a.item_type = i.item_type and a.item_id = i.item_id and a.set_aside_at is not null
where i.repository_id is not null and (%(repository_id)s::uuid is null or i.repository_id = %(repository_id)s::uuid)
  and (a.item_id is null or a.text_hash <> hashtextextended(i.title || chr(10) || coalesce(i.body, ''), 0))
group by 1;

-- name: give_embeddings_back
-- What a worker has in hand and will not finish: others may take it at once.
with kept as (
    update embedding_attempts set worker = null, leased_until = null, updated_at = clock_timestamp()
    where worker = %(worker)s and attempts > 0
)
delete from embedding_attempts where worker = %(worker)s and attempts = 0;

-- name: embedding_workers
select distinct worker from embedding_attempts where leased_until > clock_timestamp();

-- name: forget_embedding_failures
delete from embedding_attempts
where (leased_until is null or leased_until < clock_timestamp())
  and (%(repository_id)s::uuid is null or repository_id = %(repository_id)s::uuid);

-- name: embeddings_set_aside
-- The last ones that were set aside, with the names that people know.
select r.full_name, a.item_type, coalesce(s.number, p.number, d.number) as number, a.attempts, a.reason, a.set_aside_at
from embedding_attempts a
join repositories r on r.id = a.repository_id
left join issues s on a.item_type = 'issue' and s.id::text = a.item_id
left join pull_requests p on a.item_type = 'pull_request' and p.id::text = a.item_id
left join discussions d on a.item_type = 'discussion' and d.id = a.item_id
where a.set_aside_at is not null and (%(repository_id)s::uuid is null or a.repository_id = %(repository_id)s::uuid)
order by a.set_aside_at desc, a.item_id
limit %(limit)s;

-- name: begin_embedding_job
insert into embedding_jobs (repository_id, status, items_total, provider, model, started_at)
values (%(repository_id)s, 'processing', %(total)s, %(provider)s, %(model)s, clock_timestamp())
returning id, started_at;

-- name: note_embedding_job
update embedding_jobs
set items_processed = %(done)s, items_failed = %(failed)s, tokens = %(tokens)s, cost = %(cost)s, updated_at = clock_timestamp()
where id = %(job_id)s;

-- name: end_embedding_job
update embedding_jobs
set status = %(status)s, error_message = %(reason)s, completed_at = clock_timestamp(), updated_at = clock_timestamp()
where id = %(job_id)s;

-- name: end_lost_embedding_jobs
-- Of workers of ours that were killed; what an application runs is its own.
update embedding_jobs
set status = 'failed', error_message = 'its worker was lost', completed_at = updated_at
where provider is not null and status = 'processing' and updated_at < clock_timestamp() - %(older_than)s;

-- name: forget_embedding_jobs
-- A year is kept; what an application runs is its own.
delete from embedding_jobs
where provider is not null and status <> 'processing' and coalesce(updated_at, created_at) < clock_timestamp() - %(older_than)s;

-- name: newest_embedding_job
select j.id, j.repository_id, j.status, j.items_total, j.items_processed, j.items_failed, j.provider, j.model, j.tokens, j.cost,
       j.error_message, j.started_at, j.completed_at, j.updated_at
from embedding_jobs j
where %(repository_id)s::uuid is null or j.repository_id = %(repository_id)s::uuid
order by j.created_at desc
limit 1;
