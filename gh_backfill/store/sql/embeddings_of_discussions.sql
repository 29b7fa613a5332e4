-- The same for discussions, whose id is a text.

-- name: claim_discussions
with candidates as materialized (
    select d.id as item_id, d.number, d.title, d.body, h.text_hash
    from discussions d
    cross join lateral (select hashtextextended(d.title || chr(10) || coalesce(d.body, ''), 0) as text_hash) h
    left join embedding_attempts a on a.item_type = 'discussion' and a.item_id = d.id
    where d.repository_id = %(repository_id)s and d.number < %(below)s and d.gone_at is null
      and (d.embedding is null or (left(d.content_hash, 16) is distinct from %(fingerprint)s
           and (d.embedding_generated_at < %(begun)s::timestamptz) is not false))
      and (a.item_id is null or a.text_hash <> h.text_hash
           or (a.set_aside_at is null and (a.leased_until is null or a.leased_until < clock_timestamp())))
    order by d.number desc
    limit %(limit)s
    for share of d skip locked
), claimed as (
    insert into embedding_attempts as a (item_type, item_id, repository_id, text_hash, worker, leased_until)
    select 'discussion', item_id, %(repository_id)s, text_hash, %(worker)s, clock_timestamp() + %(lease)s
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

-- name: save_discussions
with input as materialized (
    select * from jsonb_to_recordset(%(rows)s) as i (item_id text, text_hash bigint, content_hash text, vector text)
), locked as materialized (
    select d.id, i.content_hash, i.vector::real[] as vector, i.text_hash
    from discussions d
    join input i on d.id = i.item_id
    order by d.id
    for update of d
), saved as (
    update discussions d
    set embedding = l.vector, embedding_generated_at = clock_timestamp(), content_hash = l.content_hash
    from locked l
    where d.id = l.id and hashtextextended(d.title || chr(10) || coalesce(d.body, ''), 0) = l.text_hash
    returning d.id
), released as (
    delete from embedding_attempts a using input i
    where a.item_type = 'discussion' and a.item_id = i.item_id and a.text_hash = i.text_hash
)
select count(*) as saved from saved;
