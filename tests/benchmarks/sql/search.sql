-- Items with words and clustered vectors: a large repository, a middle one, and many small ones.

-- name: fill_repositories
insert into repositories (github_id, full_name, owner, name, is_private)
select n, 'bench/r' || n, 'bench', 'r' || n, false from generate_series(1, 200) n;

-- name: fill_issues
-- Words as languages have them: few are everywhere, most are rare.
with centres as materialized (
    select c, array_agg(random() - 0.5) as at from generate_series(0, 199) c, generate_series(1, 384) group by c
)
insert into issues (github_id, repository_id, number, title, body, state, created_at, updated_at, embedding,
                    embedding_generated_at, content_hash)
select n, r.id, n,
       (select string_agg('w' || floor(power(random(), 3) * 20000)::int, ' ') from generate_series(1, 8 + n %% 2)),
       (select string_agg('w' || floor(power(random(), 3) * 20000)::int, ' ') from generate_series(1, 40 + n %% 80)),
       'open', now() - n * interval '1 minute', now() - n * interval '1 minute',
       ((select array_agg(x + (random() - 0.5) * 0.6 + n * 0.0) from unnest(c.at[1:48]) x) || c.at[49:])::real[], now(), %(hash)s
from generate_series(1, %(many)s) n
join centres c on c.c = (n / 7) %% 200
join repositories r on r.github_id = case when n %% 100 < 40 then 1 when n %% 100 < 43 then 2 else 3 + n %% 198 end;

-- name: index_vectors
create index idx_issues_embedding on issues using hnsw (embedding vector_cosine_ops) where embedding is not null;
