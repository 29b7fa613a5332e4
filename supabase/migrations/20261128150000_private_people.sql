-- People who are known from private repositories only go where an application's own policies would show them to guests:
-- there they are hidden from guests who may see none of these repositories.  Nothing else changes for anybody.  Repeatable.

-- Without these, each person would cost a guest a walk through all rows.
do $$ begin
if exists (select from pg_roles where rolname in ('anon', 'authenticated') and has_table_privilege(rolname, 'contributors', 'select')) then
    create index if not exists idx_pull_requests_author on pull_requests (author_id);
    create index if not exists idx_pull_requests_merged_by on pull_requests (merged_by_id) where merged_by_id is not null;
    create index if not exists idx_reviews_author on reviews (author_id);
    create index if not exists idx_comments_commenter on comments (commenter_id);
    create index if not exists idx_issues_author on issues (author_id);
end if;
end $$;

-- visible: the repositories that the guest may see.  Returns who is known from other ones and from none of these; people
-- without any row are not among them.  It runs as its owner, for the guest cannot see the rows that it looks at, and gives
-- ids only, which lead a guest nowhere.
do $$ begin
execute format($function$
    create or replace function gh_backfill_hidden_people(visible uuid[]) returns uuid[]
    language sql stable security definer set search_path = %I, pg_temp as $body$
        with hidden as (
            select r.id from repositories r where not exists (select from unnest(visible) v where v = r.id)
        ), people as (
            select author_id as id from pull_requests where repository_id in (select id from hidden)
            union select merged_by_id from pull_requests where repository_id in (select id from hidden)
            union select assignee_id from pull_requests where repository_id in (select id from hidden)
            union select author_id from reviews where repository_id in (select id from hidden)
            union select reviewer_id from reviews where repository_id in (select id from hidden)
            union select commenter_id from comments where repository_id in (select id from hidden)
            union select author_id from issues where repository_id in (select id from hidden)
            union select closed_by_id from issues where repository_id in (select id from hidden)
        )
        select coalesce(array_agg(p.id), '{}')
        from people p
        where p.id is not null
          and not exists (select from pull_requests x where x.author_id = p.id
                          and (x.repository_id is null or not exists (select from hidden h where h.id = x.repository_id)))
          and not exists (select from pull_requests x where x.merged_by_id = p.id
                          and (x.repository_id is null or not exists (select from hidden h where h.id = x.repository_id)))
          and not exists (select from reviews x where x.author_id = p.id
                          and not exists (select from hidden h where h.id = x.repository_id))
          and not exists (select from comments x where x.commenter_id = p.id
                          and not exists (select from hidden h where h.id = x.repository_id))
          and not exists (select from issues x where x.author_id = p.id
                          and not exists (select from hidden h where h.id = x.repository_id))
    $body$
$function$, current_schema());
end $$;
revoke all on function gh_backfill_hidden_people(uuid[]) from public;

-- A restrictive policy narrows what the others admit; the list is made and hashed once for a query.
do $$
declare
    guest text;
begin
    for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
        execute format('revoke all on function gh_backfill_hidden_people(uuid[]) from %I', guest);
        continue when not has_table_privilege(guest, 'contributors', 'select')
                   or not has_table_privilege(guest, 'repositories', 'select');
        execute format('grant execute on function gh_backfill_hidden_people(uuid[]) to %I', guest);
        continue when exists (select from pg_policy where polrelid = to_regclass('contributors')
                                                      and polname = 'gh_backfill_private_people_' || guest);
        execute format('create policy %I on contributors as restrictive for select to %I '
                       'using (id not in (select unnest(gh_backfill_hidden_people(array(select r.id from repositories r)))))',
                       'gh_backfill_private_people_' || guest, guest);
    end loop;
end $$;
