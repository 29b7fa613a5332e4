-- Discussions with their comments and the replies to these, as existing installations keep them.
-- Repeatable and additive only, as described in core_tables.

-- author_id is GitHub's number of the account, not a contributor's id.
do $$ begin
if to_regclass('discussions') is null then
    create table discussions (
        id                     varchar primary key,
        github_id              bigint not null unique,
        repository_id          uuid constraint discussions_repository_id_fkey references repositories (id) on delete cascade,
        number                 integer not null,
        title                  text not null,
        body                   text,
        category_id            varchar,
        category_name          varchar,
        category_description   text,
        category_emoji         varchar,
        author_id              bigint,
        author_login           varchar,
        created_at             timestamptz not null,
        updated_at             timestamptz not null,
        is_answered            boolean default false,
        answer_id              varchar,
        answer_chosen_at       timestamptz,
        answer_chosen_by       varchar,
        upvote_count           integer default 0,
        comment_count          integer default 0,
        url                    varchar not null,
        locked                 boolean default false,
        summary                text,
        responded_by           uuid,
        responded_at           timestamptz,
        synced_at              timestamptz default now(),
        embedding_generated_at timestamptz,
        content_hash           text,
        constraint discussions_repo_number_unique unique (repository_id, number)
    );
    alter table discussions enable row level security;
end if;
end $$;

-- The id is the one that whoever wrote the row first gave it; node_id is GitHub's own now.
alter table discussions
    add column if not exists node_id text,
    add column if not exists state text,
    add column if not exists state_reason text,
    add column if not exists closed_at timestamptz,
    add column if not exists capture_gap text,
    add column if not exists counts_fetched_at timestamptz,
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

-- A reply has a parent, which has none.  An installation may have other types for github_id and author_id: author_github_id
-- is GitHub's number of the account everywhere.
do $$ begin
if to_regclass('discussion_comments') is null then
    create table discussion_comments (
        id                varchar primary key,
        github_id         bigint not null unique,
        discussion_id     varchar not null constraint fk_discussion references discussions (id) on delete cascade,
        discussion_number integer not null,
        parent_comment_id varchar constraint fk_parent_comment references discussion_comments (id) on delete cascade,
        author_id         bigint,
        author_login      varchar,
        body              text,
        created_at        timestamptz not null,
        updated_at        timestamptz not null,
        is_answer         boolean default false,
        upvote_count      integer default 0,
        reply_count       integer default 0,
        synced_at         timestamptz default now()
    );
    alter table discussion_comments enable row level security;
end if;
end $$;

-- deleted_at: GitHub keeps an empty comment in the place of a deleted one that has replies.
alter table discussion_comments
    add column if not exists node_id text,
    add column if not exists url text,
    add column if not exists author_github_id bigint,
    add column if not exists deleted_at timestamptz,
    add column if not exists gone_at timestamptz,
    add column if not exists gone_reason text,
    add column if not exists gone_target text;

create index if not exists idx_discussions_repository_created on discussions (repository_id, created_at);
create index if not exists idx_discussions_author on discussions (author_id);
create index if not exists idx_discussions_capture_gap on discussions (repository_id) where capture_gap is not null;
create index if not exists idx_discussion_comments_discussion on discussion_comments (discussion_id);
create index if not exists idx_discussion_comments_parent on discussion_comments (parent_comment_id);
create index if not exists idx_discussion_comments_author_number on discussion_comments (author_github_id);

-- Supabase grants its guests everything on new tables.  A table with policies belongs to an application: there a restrictive
-- policy hides from guests what is of repositories that they may not see, and changes nothing else.
do $$
declare
    guest text;
    name text;
    visible text;
begin
    foreach name in array array['discussions', 'discussion_comments'] loop
        continue when exists (select from pg_policy where polrelid = to_regclass(name));
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
    foreach name in array array['discussions', 'discussion_comments'] loop
        visible := case name when 'discussions'
                   then 'repository_id is null or exists (select from repositories r where r.id = repository_id)'
                   else 'exists (select from discussions d where d.id = discussion_id)' end;
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            continue when not has_table_privilege(guest, name, 'select')
                       or not has_table_privilege(guest, 'repositories', 'select')
                       or exists (select from pg_policy where polrelid = to_regclass(name)
                                                          and polname = 'gh_backfill_private_rows_' || guest);
            execute format('create policy %I on %I as restrictive for select to %I using (%s)',
                           'gh_backfill_private_rows_' || guest, name, guest, visible);
        end loop;
    end loop;
end $$;

-- As in private_people; who takes part in discussions of hidden repositories only is hidden, too.
do $$ begin
execute format($function$
    create or replace function gh_backfill_hidden_people(visible uuid[]) returns uuid[]
    language sql stable security definer set search_path = %I, pg_temp as $body$
        with hidden as (
            select r.id from repositories r where not exists (select from unnest(visible) v where v = r.id)
        ), discussing as (
            select author_id as account from discussions where repository_id in (select id from hidden)
            union
            select c.author_github_id from discussion_comments c join discussions d on d.id = c.discussion_id
            where d.repository_id in (select id from hidden)
        ), people as (
            select author_id as id from pull_requests where repository_id in (select id from hidden)
            union select merged_by_id from pull_requests where repository_id in (select id from hidden)
            union select assignee_id from pull_requests where repository_id in (select id from hidden)
            union select author_id from reviews where repository_id in (select id from hidden)
            union select reviewer_id from reviews where repository_id in (select id from hidden)
            union select commenter_id from comments where repository_id in (select id from hidden)
            union select author_id from issues where repository_id in (select id from hidden)
            union select closed_by_id from issues where repository_id in (select id from hidden)
            union select c.id from discussing d join contributors c on c.github_id = d.account
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
          and not exists (select from contributors c join discussions x on x.author_id = c.github_id where c.id = p.id
                          and not exists (select from hidden h where h.id = x.repository_id))
          and not exists (select from contributors c join discussion_comments x on x.author_github_id = c.github_id
                          join discussions d on d.id = x.discussion_id where c.id = p.id
                          and not exists (select from hidden h where h.id = d.repository_id))
    $body$
$function$, current_schema());
end $$;
