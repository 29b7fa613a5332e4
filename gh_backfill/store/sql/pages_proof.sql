-- What pages show of the last verification of a repository.  `public_only` is as in pages.sql.

-- name: proof
-- Differences may name other repositories, so the public sees how many there are.
select v.verified_at, v.proven_at, v.score, v.open, v.certificate ->> 'line' as line,
       case when %(public_only)s then '[]' else coalesce(v.certificate -> 'differences', '[]') end as differences
from verifications v
join repositories r on r.id = v.repository_id
where v.repository_id = %(id)s::uuid and (r.is_private is false or not %(public_only)s);
