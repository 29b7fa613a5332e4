-- What is found by words, and what is shown of it.  `repositories` are our ids, null for all; `types` and `states` likewise, and with
-- `public_only` what is not known to be public is left out.  Gone items, and pull requests that a writer kept as issues, too.
-- The expressions are those of the migration search, so that its indexes are used.

-- name: search_tell_costs
-- To take a text apart is some thirty times as dear as the planner believes: it would look at all texts of a repository, or of the
-- table, rather than ask the index.  What looks dear for that is neither compiled nor shared out: to start a worker takes longer.
select set_config('gh_backfill.operator_cost', current_setting('cpu_operator_cost'), true),
       set_config('cpu_operator_cost', '0.1', true), set_config('jit', 'off', true),
       set_config('max_parallel_workers_per_gather', '0', true);

-- name: search_forget_costs
select set_config('cpu_operator_cost', coalesce(nullif(current_setting('gh_backfill.operator_cost', true), ''), '0.0025'), true);

-- name: search_words
-- The newest items whose title has the words, the newest whose text has, and those of the number; the best of them first.  Only they
-- are ranked: a word that is everywhere would take the words of every text apart.  An index knows no order of words: of a query with
-- phrases (`phrased`) it is asked for their words (`loose`), and the newest that it finds (`reach`) are looked through for the phrases
-- as they stand (`patterns`; one of them where `either`; none of `excluded`), and a few (`checked`) for other forms of their words.
-- For that and for the rank no index serves, and eight signs are all that PostgreSQL makes anything but a space of: the same words come
-- of it in half the time; and what an item is about stands in the beginning of its text, by which it is ranked.
with found as materialized (
    (select 'issue' as item_type, s.id::text as item_id, true as in_title, s.updated_at
     from issues s
     where 'issue' = any(%(types)s::text[]) and s.gone_at is null and s.is_pull_request is not true
       and to_tsvector('simple', translate(left(s.title, 1000), '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('simple', %(loose)s)
       and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or s.state = any(%(states)s::text[]))
       and s.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = s.repository_id and r.is_private is false))
     order by s.updated_at desc, s.id limit %(reach)s)
    union all
    (select 'issue', s.id::text, false, s.updated_at
     from issues s
     where 'issue' = any(%(types)s::text[]) and s.gone_at is null and s.is_pull_request is not true
       and to_tsvector('english', translate(left(s.title, 1000) || ' ' || left(coalesce(s.body, ''), 32768),
                                            '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('english', %(loose)s)
       and (%(repositories)s::uuid[] is null or s.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or s.state = any(%(states)s::text[]))
       and s.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = s.repository_id and r.is_private is false))
     order by s.updated_at desc, s.id limit %(reach)s)
    union all
    (select 'pull_request', p.id::text, true, p.updated_at
     from pull_requests p
     where 'pull_request' = any(%(types)s::text[]) and p.gone_at is null
       and to_tsvector('simple', translate(left(p.title, 1000), '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('simple', %(loose)s)
       and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or case when p.merged then 'merged' else p.state end = any(%(states)s::text[]))
       and p.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = p.repository_id and r.is_private is false))
     order by p.updated_at desc, p.id limit %(reach)s)
    union all
    (select 'pull_request', p.id::text, false, p.updated_at
     from pull_requests p
     where 'pull_request' = any(%(types)s::text[]) and p.gone_at is null
       and to_tsvector('english', translate(left(p.title, 1000) || ' ' || left(coalesce(p.body, ''), 32768),
                                            '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('english', %(loose)s)
       and (%(repositories)s::uuid[] is null or p.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or case when p.merged then 'merged' else p.state end = any(%(states)s::text[]))
       and p.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = p.repository_id and r.is_private is false))
     order by p.updated_at desc, p.id limit %(reach)s)
    union all
    (select 'discussion', d.id, true, d.updated_at
     from discussions d
     where 'discussion' = any(%(types)s::text[]) and d.gone_at is null
       and to_tsvector('simple', translate(left(d.title, 1000), '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('simple', %(loose)s)
       and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or coalesce(d.state, 'open') = any(%(states)s::text[]))
       and d.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = d.repository_id and r.is_private is false))
     order by d.updated_at desc, d.id limit %(reach)s)
    union all
    (select 'discussion', d.id, false, d.updated_at
     from discussions d
     where 'discussion' = any(%(types)s::text[]) and d.gone_at is null
       and to_tsvector('english', translate(left(d.title, 1000) || ' ' || left(coalesce(d.body, ''), 32768),
                                            '!"#$%%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32)))
           @@ websearch_to_tsquery('english', %(loose)s)
       and (%(repositories)s::uuid[] is null or d.repository_id = any(%(repositories)s::uuid[]))
       and (%(states)s::text[] is null or coalesce(d.state, 'open') = any(%(states)s::text[]))
       and d.repository_id is not null
       and (not %(public_only)s or exists (select from repositories r where r.id = d.repository_id and r.is_private is false))
     order by d.updated_at desc, d.id limit %(reach)s)
), placed as (
    select f.*, row_number() over (partition by f.item_type, f.in_title order by f.updated_at desc, f.item_id) as place from found f
), texts as materialized (
    select i.*, s.title, s.body from placed i join issues s on s.id = i.item_id::uuid where i.item_type = 'issue'
    union all
    select i.*, p.title, p.body from placed i join pull_requests p on p.id = i.item_id::uuid where i.item_type = 'pull_request'
    union all
    select i.*, d.title, d.body from placed i join discussions d on d.id = i.item_id where i.item_type = 'discussion'
), fitting as (
    select t.*, row_number() over (partition by t.item_type, t.in_title order by t.place) as fits
    from texts t
    cross join lateral (
        select case when t.in_title then left(t.title, 1000) else left(t.title, 1000) || ' ' || left(coalesce(t.body, ''), 32768) end
               as text
        offset 0
    ) whole
    where not %(phrased)s
       or case when %(either)s then whole.text ~* any(%(patterns)s::text[]) else whole.text ~* all(%(patterns)s::text[]) end
          and not whole.text ~* any(%(excluded)s::text[])
       or t.place <= %(checked)s and case
              when t.in_title
              then to_tsvector('simple', translate(whole.text, './-@<&+~', repeat(' ', 8))) @@ websearch_to_tsquery('simple', %(words)s)
              else to_tsvector('english', translate(whole.text, './-@<&+~', repeat(' ', 8)))
                   @@ websearch_to_tsquery('english', %(words)s) end
), chosen as materialized (
    select distinct t.item_type, t.item_id, t.updated_at, t.title, t.body from fitting t where t.fits <= %(pool)s
)
select t.item_type, t.item_id
from chosen t
cross join lateral (
    select setweight(to_tsvector('english', translate(left(t.title, 1000), './-@<&+~', repeat(' ', 8))), 'A')
           || to_tsvector('english', translate(left(coalesce(t.body, ''), 2048), './-@<&+~', repeat(' ', 8))) as words
) w
order by case when position(lower(%(literal)s) in lower(t.title)) > 0 then 2
              when position(lower(%(literal)s) in lower(left(t.body, 8192))) > 0 then 1 else 0 end desc,
         ts_rank_cd(w.words, websearch_to_tsquery('english', %(words)s), 1) desc, t.updated_at desc, t.item_type, t.item_id
limit %(most)s;

-- name: search_number
-- What has a number: few repositories have it, and each has it once.
select i.item_type, i.item_id
from (
    select 'issue' as item_type, s.id::text as item_id, s.repository_id, s.state, s.updated_at from issues s
    where s.number = %(number)s and s.gone_at is null and s.is_pull_request is not true
    union all
    select 'pull_request', p.id::text, p.repository_id, case when p.merged then 'merged' else p.state end, p.updated_at
    from pull_requests p where p.number = %(number)s and p.gone_at is null
    union all
    select 'discussion', d.id, d.repository_id, coalesce(d.state, 'open'), d.updated_at from discussions d
    where d.number = %(number)s and d.gone_at is null
) i
join repositories r on r.id = i.repository_id and (r.is_private is false or not %(public_only)s)
where i.item_type = any(%(types)s::text[]) and (%(states)s::text[] is null or i.state = any(%(states)s::text[]))
  and r.id = any(%(repositories)s::uuid[])
order by i.updated_at desc, i.item_type, i.item_id
limit %(most)s;

-- name: search_items
-- What is shown of items, each by its type and its id.
with ids as (
    select * from jsonb_to_recordset(%(items)s) as i (item_type text, item_id text)
), items as (
    select i.item_type, i.item_id, s.repository_id, s.number, s.title, s.state, s.created_at, s.updated_at
    from ids i join issues s on s.id = i.item_id::uuid where i.item_type = 'issue'
    union all
    select i.item_type, i.item_id, p.repository_id, p.number, p.title, case when p.merged then 'merged' else p.state end,
           p.created_at, p.updated_at
    from ids i join pull_requests p on p.id = i.item_id::uuid where i.item_type = 'pull_request'
    union all
    select i.item_type, i.item_id, d.repository_id, d.number, d.title, coalesce(d.state, 'open'), d.created_at, d.updated_at
    from ids i join discussions d on d.id = i.item_id where i.item_type = 'discussion'
)
select i.item_type, i.item_id, i.number, i.title, i.state, r.id as repository_id, r.full_name,
       r.is_private is not false as is_private, i.created_at, i.updated_at
from items i
join repositories r on r.id = i.repository_id;

-- name: search_named
-- The item of a repository that has a number, which GitHub gives once.
select i.item_type, i.item_id, i.title
from (
    select 'issue' as item_type, s.id::text as item_id, s.title, s.gone_at from issues s
    where s.repository_id = %(repository_id)s and s.number = %(number)s and s.is_pull_request is not true
    union all
    select 'pull_request', p.id::text, p.title, p.gone_at from pull_requests p
    where p.repository_id = %(repository_id)s and p.number = %(number)s
    union all
    select 'discussion', d.id, d.title, d.gone_at from discussions d
    where d.repository_id = %(repository_id)s and d.number = %(number)s
) i
where i.gone_at is null
order by i.item_type
limit 1;
