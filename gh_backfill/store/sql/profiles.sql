-- Profiles of the people of repositories.  A row is known while GitHub's last word on it is not too old; bots, and the stand-in
-- for deleted accounts (10137), have none.

-- name: people_of_repositories
-- Everybody who occurs in what is stored of some repositories, who is to be asked about first (what could not be read last
-- time after the others), and how many they are in all.
with occurring as (
    select author_id as id from pull_requests where repository_id = any(%(repository_ids)s::uuid[])
    union select merged_by_id from pull_requests where repository_id = any(%(repository_ids)s::uuid[])
    union select assignee_id from pull_requests where repository_id = any(%(repository_ids)s::uuid[])
    union select r.author_id from reviews r join pull_requests p on p.id = r.pull_request_id
          where p.repository_id = any(%(repository_ids)s::uuid[])
    union select r.reviewer_id from reviews r join pull_requests p on p.id = r.pull_request_id
          where p.repository_id = any(%(repository_ids)s::uuid[])
    union select commenter_id from comments where repository_id = any(%(repository_ids)s::uuid[])
    union select author_id from issues where repository_id = any(%(repository_ids)s::uuid[])
    union select closed_by_id from issues where repository_id = any(%(repository_ids)s::uuid[])
    union select c.id
          from pull_requests p
          cross join lateral (values (p.assignees), (p.requested_reviewers)) m (people)
          cross join lateral jsonb_array_elements(case when jsonb_typeof(m.people) = 'array' then m.people else '[]' end) a
          join contributors c on c.github_id = case when a ->> 'id' ~ '^[0-9]{1,18}$' then (a ->> 'id')::bigint end
          where p.repository_id = any(%(repository_ids)s::uuid[])
    union select c.id
          from issues i
          cross join lateral jsonb_array_elements(case when jsonb_typeof(i.assignees) = 'array' then i.assignees else '[]' end) a
          join contributors c on c.github_id = case when a ->> 'id' ~ '^[0-9]{1,18}$' then (a ->> 'id')::bigint end
          where i.repository_id = any(%(repository_ids)s::uuid[])
    union select c.id from discussions d join contributors c on c.github_id = d.author_id
          where d.repository_id = any(%(repository_ids)s::uuid[])
    union select c.id
          from discussion_comments m
          join discussions d on d.id = m.discussion_id
          join contributors c on c.github_id = m.author_github_id
          where d.repository_id = any(%(repository_ids)s::uuid[])
)
select c.id, w.wanted, (count(*) over ())::integer as people, (count(*) filter (where not w.wanted) over ())::integer as known
from occurring o
join contributors c on c.id = o.id
cross join lateral (
    select c.is_bot is not true and c.github_id <> 10137
           and (c.profile_asked_at is null or c.profile_asked_at < clock_timestamp() - %(older_than)s::interval) as wanted
) w
order by not w.wanted, c.profile_gap is not null, c.id
limit %(most)s;

-- name: lease_profiles
-- Take those of these people whom nobody asks about now, and whom nobody has asked about meanwhile.
with taken as (
    select id from contributors
    where id = any(%(ids)s::uuid[])
      and (profile_asked_at is null or profile_asked_at < clock_timestamp() - %(older_than)s::interval)
      and (profile_leased_until is null or profile_leased_until < clock_timestamp())
    order by id
    for no key update skip locked
)
update contributors c
set profile_leased_until = clock_timestamp() + %(lease)s::interval
from taken
where c.id = taken.id
returning c.github_id, c.username as login, c.node_id;

-- name: release_profiles
with mine as (
    select id from contributors
    where github_id = any(%(github_ids)s::bigint[]) and profile_leased_until is not null
    order by id
    for no key update
)
update contributors c set profile_leased_until = null from mine where c.id = mine.id;

-- name: write_profiles
-- A newer reading replaces an older one, also by nothing where GitHub shows nothing any more; what it did not tell stays.  An
-- address that is no longer public goes only where it was our own reading that brought it.
with told as (
    select *
    from jsonb_to_recordset(%(profiles)s)
         as i (github_id bigint, node_id text, company text, location text, bio text, blog text, email text, email_read boolean,
               public_repos integer, public_gists integer, followers integer, following integer, created_at timestamptz,
               asked_at timestamptz)
), mine as (
    select c.id, i.*
    from contributors c
    join told i on i.github_id = c.github_id
    where c.profile_asked_at is null or c.profile_asked_at <= i.asked_at
    order by c.id
    for no key update of c
)
update contributors c
set node_id = i.node_id, company = i.company, location = i.location, bio = i.bio, blog = i.blog,
    email = case when not i.email_read then c.email
                 when i.email is null and c.profile_fetched_at is null then c.email
                 else i.email end,
    public_repos = coalesce(i.public_repos, c.public_repos), public_gists = coalesce(i.public_gists, c.public_gists),
    followers = coalesce(i.followers, c.followers), following = coalesce(i.following, c.following),
    github_created_at = coalesce(i.created_at, c.github_created_at),
    profile_asked_at = i.asked_at, profile_fetched_at = i.asked_at, profile_gap = null, profile_leased_until = null,
    last_updated_at = clock_timestamp()
from mine i
where c.id = i.id;

-- name: write_profile_gaps
-- Why there is no profile: with a time GitHub said so, and what is here stays; without one it is to be asked again.
with told as (
    select * from jsonb_to_recordset(%(gaps)s) as i (github_id bigint, gap text, asked_at timestamptz)
), mine as (
    select c.id, i.*
    from contributors c
    join told i on i.github_id = c.github_id
    where c.profile_asked_at is null or i.asked_at is null or c.profile_asked_at <= i.asked_at
    order by c.id
    for no key update of c
)
update contributors c
set profile_gap = i.gap, profile_asked_at = coalesce(i.asked_at, c.profile_asked_at), profile_leased_until = null
from mine i
where c.id = i.id;
