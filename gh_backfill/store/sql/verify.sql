-- Verification: what is here of a repository, held against GitHub; what is gone there; and the certificates.  A row with a
-- tombstone is no item any more, and neither is the row of an application that keeps pull requests among the issues.

-- name: items_to_prove
-- Every item of some kinds, and when it was proven last; what was never proven comes first.
select i.kind, i.github_id, i.node_id, i.number, f.proved_at, coalesce(f.differences, '[]') as differences
from (
    select 'pull_requests' as kind, p.github_id, p.node_id, p.number
    from pull_requests p
    where p.repository_id = %(repository_id)s and p.gone_at is null
    union all
    select 'issues', s.github_id, s.node_id, s.number
    from issues s
    where s.repository_id = %(repository_id)s and s.gone_at is null and s.is_pull_request is not true
    union all
    select 'discussions', d.github_id, d.node_id, d.number
    from discussions d
    where d.repository_id = %(repository_id)s and d.gone_at is null
) i
left join item_proofs f on f.repository_id = %(repository_id)s and f.kind = i.kind and f.github_id = i.github_id
where i.kind = any(%(kinds)s::text[])
order by f.proved_at nulls first, i.number, i.kind;

-- name: rows_of_pull_requests
-- Some pull requests with what belongs to them, counted.  Older installations differ in whether `merged` is a state.  Labels
-- that were never read are none: if GitHub has some, they are missing.
select p.github_id, p.number, p.node_id, p.title, p.body, case when p.merged then 'merged' else p.state end as state,
       p.merged is true as merged, p.draft is true as draft, p.created_at, p.updated_at, p.closed_at, p.merged_at, p.additions,
       p.deletions, p.changed_files, p.commits, p.base_branch, p.head_branch, a.github_id as author, m.github_id as merged_by,
       p.github_reviews as noted_reviews, p.github_comments as noted_comments, p.github_review_threads as noted_threads,
       p.github_review_comments as noted_review_comments, p.capture_gap as gap,
       v.reviews::integer, c.comments::integer, c.review_comments::integer, (p.milestone ->> 'number')::integer as milestone,
       case when jsonb_typeof(p.labels) = 'array' then jsonb_array_length(p.labels) else 0 end as labels,
       case when jsonb_typeof(p.assignees) = 'array' then jsonb_array_length(p.assignees) else 0 end as assignees,
       case when jsonb_typeof(p.requested_reviewers) = 'array'
            then jsonb_array_length(p.requested_reviewers) else 0 end as requested_reviewers,
       (v.authorless + c.authorless)::integer as authorless,
       (select count(*) from backfill_quarantine q
        where q.repository_id = p.repository_id and q.number = p.number and q.resolved_at is null
          and q.kind in ('review', 'review_comment', 'issue_comment', 'label', 'assignee', 'requested_reviewer'))::integer as quarantined,
       coalesce(f.differences, '[]') as differences
from pull_requests p
left join contributors a on a.id = p.author_id
left join contributors m on m.id = p.merged_by_id
left join item_proofs f on f.repository_id = p.repository_id and f.kind = 'pull_requests' and f.github_id = p.github_id
cross join lateral (
    select count(*) as reviews, count(*) filter (where r.author_id is null) as authorless
    from reviews r
    where r.pull_request_id = p.id and r.gone_at is null
) v
cross join lateral (
    select count(*) filter (where o.comment_type = 'issue_comment') as comments,
           count(*) filter (where o.comment_type = 'review_comment') as review_comments,
           count(*) filter (where o.commenter_id is null) as authorless
    from comments o
    where o.pull_request_id = p.id and o.gone_at is null
) c
where p.repository_id = %(repository_id)s and p.github_id = any(%(github_ids)s::bigint[]) and p.gone_at is null;

-- name: rows_of_issues
select s.github_id, s.number, s.node_id, s.title, s.body, s.state, s.state_reason, s.created_at, s.updated_at, s.closed_at,
       a.github_id as author, (s.milestone ->> 'number')::integer as milestone, s.comments_count as noted_comments,
       s.capture_gap as gap, c.comments::integer, c.authorless::integer,
       case when jsonb_typeof(s.labels) = 'array' then jsonb_array_length(s.labels) else 0 end as labels,
       case when jsonb_typeof(s.assignees) = 'array' then jsonb_array_length(s.assignees) else 0 end as assignees,
       (select count(*) from backfill_quarantine q
        where q.repository_id = s.repository_id and q.number = s.number and q.resolved_at is null
          and q.kind in ('issue_comment', 'label', 'assignee'))::integer as quarantined,
       coalesce(f.differences, '[]') as differences
from issues s
left join contributors a on a.id = s.author_id
left join item_proofs f on f.repository_id = s.repository_id and f.kind = 'issues' and f.github_id = s.github_id
cross join lateral (
    select count(*) as comments, count(*) filter (where o.commenter_id is null) as authorless
    from comments o
    where o.issue_id = s.id and o.gone_at is null
) c
where s.repository_id = %(repository_id)s and s.github_id = any(%(github_ids)s::bigint[]) and s.gone_at is null;

-- name: save_proofs
-- Whatever was shown is not absent.
with told as materialized (
    select i.* from jsonb_to_recordset(%(rows)s) as i (
        kind text, github_id bigint, number integer, counts jsonb, differences jsonb, shown boolean)
), found as (
    delete from absences a using told g
    where a.repository_id = %(repository_id)s and a.kind = g.kind and a.github_id = g.github_id and g.shown
)
insert into item_proofs as f (repository_id, kind, github_id, number, proved_at, counts, differences)
select %(repository_id)s, kind, github_id, number, %(now)s, counts, differences
from told
on conflict (repository_id, kind, github_id) do update
set number = excluded.number, proved_at = excluded.proved_at, counts = excluded.counts, differences = excluded.differences;

-- name: forget_proofs
-- Of rows that are no items any more.
delete from item_proofs f
where f.repository_id = %(repository_id)s
  and not exists (select from pull_requests p
                  where f.kind = 'pull_requests' and p.github_id = f.github_id and p.repository_id = f.repository_id and p.gone_at is null)
  and not exists (select from issues s
                  where f.kind = 'issues' and s.github_id = f.github_id and s.repository_id = f.repository_id and s.gone_at is null)
  and not exists (select from discussions d
                  where f.kind = 'discussions' and d.github_id = f.github_id and d.repository_id = f.repository_id and d.gone_at is null);

-- name: forget_all
-- What was proven of a repository whose rows are deleted; what its numbers are is GitHub's word, and stays.
with proofs as (
    delete from item_proofs where repository_id = %(repository_id)s
), absent as (
    delete from absences where repository_id = %(repository_id)s
)
delete from verifications where repository_id = %(repository_id)s;

-- name: known_numbers
select number, what, target, times, asked_at from number_audit where repository_id = %(repository_id)s;

-- name: gone_numbers
-- Numbers whose rows have tombstones: what became of them.
select number, gone_reason as reason, gone_target as target, gone_at from pull_requests
where repository_id = %(repository_id)s and gone_at is not null
union all
select number, gone_reason, gone_target, gone_at from issues
where repository_id = %(repository_id)s and gone_at is not null and is_pull_request is not true
union all
select number, gone_reason, gone_target, gone_at from discussions
where repository_id = %(repository_id)s and gone_at is not null;

-- name: highest_number
select greatest((select max(number) from pull_requests where repository_id = %(repository_id)s),
                (select max(number) from issues where repository_id = %(repository_id)s),
                (select max(number) from discussions where repository_id = %(repository_id)s), 0) as highest,
       (select min(number) from pull_requests where repository_id = %(repository_id)s) as lowest;

-- name: save_numbers
insert into number_audit as n (repository_id, number, what, target, times, asked_at)
select %(repository_id)s, number, what, target, times, asked_at
from jsonb_to_recordset(%(rows)s) as i (number integer, what text, target text, times integer, asked_at timestamptz)
on conflict (repository_id, number) do update
set what = excluded.what, target = excluded.target, times = excluded.times, asked_at = excluded.asked_at;

-- name: note_absences
-- Each time that GitHub was asked directly and did not find it counts.
insert into absences as a (repository_id, kind, github_id, number)
select %(repository_id)s, kind, github_id, number
from jsonb_to_recordset(%(rows)s) as i (kind text, github_id bigint, number integer)
on conflict (repository_id, kind, github_id) do update
set times = a.times + 1, last_said_at = clock_timestamp()
returning kind, github_id, times;

-- name: forget_absences
delete from absences a
using jsonb_to_recordset(%(rows)s) as i (kind text, github_id bigint)
where a.repository_id = %(repository_id)s and a.kind = i.kind and a.github_id = i.github_id;

-- name: parts_of_pull_requests
-- What some pull requests have here.
select 'reviews' as kind, r.github_id, r.node_id, p.number
from pull_requests p
join reviews r on r.pull_request_id = p.id and r.gone_at is null
where p.repository_id = %(repository_id)s and p.github_id = any(%(github_ids)s::bigint[])
union all
select o.comment_type, o.github_id, o.node_id, p.number
from pull_requests p
join comments o on o.pull_request_id = p.id and o.gone_at is null
where p.repository_id = %(repository_id)s and p.github_id = any(%(github_ids)s::bigint[]);

-- name: parts_of_issues
select o.comment_type as kind, o.github_id, o.node_id, s.number
from issues s
join comments o on o.issue_id = s.id and o.gone_at is null
where s.repository_id = %(repository_id)s and s.github_id = any(%(github_ids)s::bigint[]);

-- name: bury_pull_requests
-- The row stays, with its parts.  What is gone lacks nothing.
with buried as (
    update pull_requests p
    set gone_at = %(now)s, gone_reason = i.reason, gone_target = i.target, capture_gap = null
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, reason text, target text)
    where p.repository_id = %(repository_id)s and p.github_id = i.github_id and p.gone_at is null
    returning p.id
)
update backfills b
set captured = greatest(0, b.captured - (select count(*) from buried)::integer), updated_at = clock_timestamp()
where b.repository_id = %(repository_id)s and b.kind = 'pull_requests' and exists (select from buried);

-- name: bury_issues
with buried as (
    update issues s
    set gone_at = %(now)s, gone_reason = i.reason, gone_target = i.target, capture_gap = null
    from jsonb_to_recordset(%(rows)s) as i (github_id bigint, reason text, target text)
    where s.repository_id = %(repository_id)s and s.github_id = i.github_id and s.gone_at is null
    returning s.id
)
update backfills b
set captured = greatest(0, b.captured - (select count(*) from buried)::integer), updated_at = clock_timestamp()
where b.repository_id = %(repository_id)s and b.kind = 'issues' and exists (select from buried);

-- name: bury_parts
with told as materialized (
    select i.* from jsonb_to_recordset(%(rows)s) as i (kind text, github_id bigint)
), reviews_buried as (
    update reviews r set gone_at = %(now)s, gone_reason = 'deleted'
    from told g
    where g.kind = 'reviews' and r.repository_id = %(repository_id)s and r.github_id = g.github_id and r.gone_at is null
), asked as (
    delete from absences a using told g
    where a.repository_id = %(repository_id)s and a.kind = g.kind and a.github_id = g.github_id
), said_buried as (
    update discussion_comments c set gone_at = %(now)s, gone_reason = 'deleted'
    from told g, discussions d
    where g.kind = 'discussion_comment' and c.github_id::text = g.github_id::text and c.gone_at is null
      and d.id = c.discussion_id and d.repository_id = %(repository_id)s
)
update comments c set gone_at = %(now)s, gone_reason = 'deleted'
from told g
where c.comment_type = g.kind and c.github_id = g.github_id and c.repository_id = %(repository_id)s and c.gone_at is null;

-- name: trust_pull_requests
-- A date later than GitHub's would keep every reading out.
update pull_requests p set updated_at = i.updated_at
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, updated_at timestamptz)
where p.repository_id = %(repository_id)s and p.github_id = i.github_id and p.updated_at > i.updated_at;

-- name: trust_issues
update issues s set updated_at = i.updated_at
from jsonb_to_recordset(%(rows)s) as i (github_id bigint, updated_at timestamptz)
where s.repository_id = %(repository_id)s and s.github_id = i.github_id and s.updated_at > i.updated_at;

-- name: trust_comments
with told as materialized (
    select i.* from jsonb_to_recordset(%(rows)s) as i (kind text, github_id bigint, updated_at timestamptz)
), said as (
    update discussion_comments c set updated_at = i.updated_at
    from told i, discussions d
    where i.kind = 'discussion_comment' and c.github_id::text = i.github_id::text and c.updated_at > i.updated_at
      and d.id = c.discussion_id and d.repository_id = %(repository_id)s
)
update comments c set updated_at = i.updated_at
from told i
where c.repository_id = %(repository_id)s and c.comment_type = i.kind and c.github_id = i.github_id
  and c.updated_at > i.updated_at;

-- name: save_verification
insert into verifications as v (repository_id, verified_at, proven_at, score, open, certificate)
values (%(repository_id)s, %(now)s, %(proven_at)s, %(score)s, %(open)s, %(certificate)s)
on conflict (repository_id) do update
set verified_at = excluded.verified_at, proven_at = excluded.proven_at, score = excluded.score, open = excluded.open,
    certificate = excluded.certificate;

-- name: verification
select verified_at, proven_at, score, open, certificate from verifications where repository_id = %(repository_id)s::uuid;

-- name: verifications_due
-- Whose turn it is: what was never proven, or completed since; then what scores too low, a day after the last time; then whose
-- oldest proof is too old.  A repository of which nothing is here has nothing to prove, and one of which the next plan brings the
-- rest waits for that: number by number it would cost more.
select r.id, case when v.proven_at is null or b.completed_at > v.verified_at then 'not proven since it was completed'
                  when v.score < %(enough)s then 'its score is low' else 'its proof is old' end as why
from tracked_repositories t
join repositories r on r.id = t.repository_id
left join verifications v on v.repository_id = r.id
left join lateral (
    select max(completed_at) as completed_at, bool_or(captured > 0) as any_here
    from backfills
    where repository_id = r.id
) b on true
left join backfills p on p.repository_id = r.id and p.kind = 'pull_requests'
where t.tracking_enabled is distinct from false and r.node_id is not null and b.any_here
  and (t.only_newest or p.repository_id is null
       or (p.captured + coalesce(p.gaps, 0)) * 100::bigint >= coalesce(r.github_pull_requests, p.total, 0) * %(below_percent)s::bigint)
  and (v.repository_id is null and b.completed_at is not null
       or v.proven_at is null and v.verified_at < %(now)s::timestamptz - %(rested)s
       or b.completed_at > v.verified_at
       or v.score < %(enough)s and v.verified_at < %(now)s::timestamptz - %(rested)s
       or v.proven_at < %(now)s::timestamptz - %(old)s)
order by v.proven_at is not null, v.score >= %(enough)s, v.verified_at nulls first, v.proven_at, r.id;

-- name: recount
-- What was mended, or has gone, counts as the rows say.
update backfills b
set captured = here.rows, updated_at = clock_timestamp()
from (select 'pull_requests' as kind, count(*)::integer as rows
      from pull_requests where repository_id = %(repository_id)s and gone_at is null
      union all
      select 'issues', count(*)::integer
      from issues where repository_id = %(repository_id)s and gone_at is null and is_pull_request is not true
      union all
      select 'discussions', count(*)::integer
      from discussions where repository_id = %(repository_id)s and gone_at is null) here
where b.repository_id = %(repository_id)s and b.kind = here.kind and b.status = 'completed' and b.captured <> here.rows;

-- name: spent_lately
-- What verifications took in the last hour, for they have a share of it.
select coalesce(sum(points), 0)::integer as points
from progressive_capture_jobs
where job_type = 'verify' and started_at > %(now)s::timestamptz - interval '1 hour';
