-- What is captured from GitHub: repositories, people, pull requests with their reviews and comments.
--
-- Repeatable, and additive only: a table that exists is left as it is and gains our columns.  Whatever is created here has
-- row level security from its first moment, for Supabase opens every new table of `public` to everybody.

do $$ begin
if to_regtype('repository_priority') is null then
    create type repository_priority as enum ('high', 'medium', 'low');
end if;
if to_regtype('repository_size') is null then
    create type repository_size as enum ('small', 'medium', 'large', 'xl');
end if;
end $$;

do $$ begin
if to_regclass('repositories') is null then
    create table repositories (
        id                     uuid primary key default gen_random_uuid(),
        github_id              bigint not null unique,
        full_name              text not null unique,
        owner                  text not null,
        name                   text not null,
        description            text,
        homepage               text,
        homepage_url           text,
        language               text,
        stargazers_count       integer default 0,
        watchers_count         integer default 0,
        forks_count            integer default 0,
        open_issues_count      integer default 0,
        size                   integer default 0,
        default_branch         text default 'main',
        is_fork                boolean default false,
        is_archived            boolean default false,
        is_disabled            boolean default false,
        is_private             boolean default false,
        is_template            boolean default false,
        is_active              boolean default true,
        has_issues             boolean default true,
        has_projects           boolean default true,
        has_wiki               boolean default true,
        has_pages              boolean default false,
        has_downloads          boolean default true,
        has_discussions        boolean default false,
        license                text,
        topics                 text[],
        avatar_url             text,
        github_created_at      timestamptz,
        github_updated_at      timestamptz,
        github_pushed_at       timestamptz,
        first_tracked_at       timestamptz not null default now(),
        last_updated_at        timestamptz not null default now(),
        github_pull_requests   integer,
        pull_request_count     integer generated always as (github_pull_requests) stored,
        total_pull_requests    integer generated always as (github_pull_requests) stored,
        sync_status            text default 'idle'
                               check (sync_status in ('idle', 'syncing', 'completed', 'failed', 'partial')),
        last_synced_at         timestamptz,
        constraint repositories_owner_name_key unique (owner, name)
    );
    alter table repositories enable row level security;
end if;
end $$;

-- github_pull_requests is GitHub's own total, at the time beside it.  The two other counts mean the same in a database we
-- make; an older application counts rows held here in them, by a trigger.
alter table repositories
    add column if not exists node_id text,
    add column if not exists github_pull_requests integer,
    add column if not exists github_pull_requests_at timestamptz;

do $$ begin
if to_regclass('contributors') is null then
    create table contributors (
        id                      uuid primary key default gen_random_uuid(),
        github_id               bigint not null unique,
        username                text not null constraint contributors_username_key unique,
        display_name            text,
        avatar_url              text,
        profile_url             text,
        email                   text,
        company                 text,
        location                text,
        bio                     text,
        blog                    text,
        public_repos            integer default 0,
        public_gists            integer default 0,
        followers               integer default 0,
        following               integer default 0,
        github_created_at       timestamptz,
        first_seen_at           timestamptz not null default now(),
        last_updated_at         timestamptz not null default now(),
        created_at              timestamptz default now(),
        is_bot                  boolean default false,
        is_active               boolean default true
    );
    alter table contributors enable row level security;
end if;
end $$;

-- added_by_user_id is a person of the host application; without one there is nothing that it could refer to.
do $$ begin
if to_regclass('tracked_repositories') is null then
    create table tracked_repositories (
        id                   uuid primary key default gen_random_uuid(),
        repository_id        uuid not null constraint tracked_repositories_repo_unique unique
                             constraint fk_tracked_repositories_repository references repositories (id) on delete cascade,
        organization_name    text,
        repository_name      text,
        added_by_user_id     uuid,
        tracking_enabled     boolean default true,
        priority             repository_priority default 'low',
        size                 repository_size,
        size_calculated_at   timestamptz,
        metrics              jsonb,
        is_workspace_repo    boolean default false,
        workspace_count      integer default 0,
        include_forks        boolean default false,
        include_bots         boolean default false,
        sync_frequency_hours integer default 24,
        last_sync_at         timestamptz,
        last_updated_at      timestamptz default now(),
        created_at           timestamptz not null default now(),
        updated_at           timestamptz not null default now(),
        constraint tracked_repositories_org_repo_unique unique (organization_name, repository_name)
    );
    alter table tracked_repositories enable row level security;
end if;
end $$;

do $$ begin
if to_regclass('pull_requests') is null then
    create table pull_requests (
        id                     uuid primary key default gen_random_uuid(),
        github_id              bigint not null unique,
        number                 integer not null,
        title                  text not null,
        body                   text,
        state                  text not null
                               constraint pull_requests_state_check check (state in ('open', 'closed', 'merged')),
        repository_id          uuid constraint pull_requests_repository_id_fkey references repositories (id) on delete cascade,
        repository_full_name   text not null,
        repository_github_id   bigint,
        author_id              uuid constraint pull_requests_contributor_id_fkey references contributors (id) on delete set null,
        author_github_id       bigint,
        author_login           text,
        assignee_id            uuid constraint fk_pull_requests_assignee references contributors (id) on delete set null,
        merged_by_id           uuid constraint fk_pull_requests_merged_by references contributors (id) on delete set null,
        base_branch            text not null default 'main',
        head_branch            text not null,
        base_ref               text,
        head_ref               text,
        draft                  boolean default false,
        mergeable              boolean,
        mergeable_state        text,
        merged                 boolean default false,
        created_at             timestamptz not null,
        updated_at             timestamptz not null,
        merged_at              timestamptz,
        closed_at              timestamptz,
        additions              integer default 0,
        deletions              integer default 0,
        changed_files          integer default 0,
        commits                integer default 0,
        html_url               text,
        diff_url               text,
        patch_url              text,
        reviewer_data          jsonb default '{}',
        last_synced_at         timestamptz default now(),
        last_updated           timestamptz default now(),
        constraint pull_requests_repo_number_key unique (repository_id, number)
    );
    alter table pull_requests enable row level security;
    create index idx_pull_requests_repo_state on pull_requests (repository_id, state);
    create index idx_pull_requests_repo_created on pull_requests (repository_id, created_at desc);
end if;
end $$;

-- The counts that GitHub gave when the row was fetched: with them completeness can be proven later.
-- capture_gap says what of a pull request is known to be missing, and why; null where nothing is.
alter table pull_requests
    add column if not exists node_id text,
    add column if not exists github_reviews integer,
    add column if not exists github_review_comments integer,
    add column if not exists github_comments integer,
    add column if not exists github_review_threads integer,
    add column if not exists github_total_comments integer,
    add column if not exists counts_fetched_at timestamptz,
    add column if not exists capture_gap text;

do $$ begin
if to_regclass('reviews') is null then
    create table reviews (
        id              uuid primary key default gen_random_uuid(),
        github_id       bigint not null unique,
        pull_request_id uuid not null constraint fk_reviews_pull_request references pull_requests (id) on delete cascade,
        repository_id   uuid not null constraint fk_reviews_repository references repositories (id) on delete cascade,
        author_id       uuid not null constraint reviews_author_id_fkey references contributors (id) on delete cascade,
        reviewer_id     uuid constraint fk_reviews_reviewer references contributors (id) on delete set null,
        state           text not null
                        check (state in ('PENDING', 'APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED')),
        body            text,
        submitted_at    timestamptz not null,
        commit_id       text
    );
    alter table reviews enable row level security;
    create index idx_reviews_pull_request on reviews (pull_request_id);
    create index idx_reviews_repository_id on reviews (repository_id);
end if;
end $$;

-- Only the target of comments.issue_id: issues are not captured yet.
do $$ begin
if to_regclass('issues') is null then
    create table issues (
        id                     uuid primary key default gen_random_uuid(),
        github_id              bigint not null unique,
        repository_id          uuid not null constraint issues_repository_id_fkey references repositories (id) on delete cascade,
        number                 integer not null,
        title                  text not null,
        body                   text,
        state                  text check (state in ('open', 'closed')),
        author_id              uuid constraint issues_author_id_fkey references contributors (id) deferrable initially deferred,
        closed_by_id           uuid constraint issues_closed_by_id_fkey references contributors (id) deferrable initially deferred,
        created_at             timestamptz not null,
        updated_at             timestamptz not null,
        closed_at              timestamptz,
        labels                 jsonb default '[]',
        assignees              jsonb default '[]',
        milestone              jsonb,
        comments_count         integer default 0,
        is_pull_request        boolean default false,
        linked_pr_id           uuid constraint issues_linked_pr_id_fkey references pull_requests (id),
        linked_prs             jsonb,
        last_synced_at         timestamptz,
        constraint unique_issue_per_repo unique (repository_id, number)
    );
    alter table issues enable row level security;
end if;
end $$;

-- GitHub numbers review comments and conversation comments apart, and the two ranges overlap: the key is both columns.
-- (Existing databases keep their unique github_id; what collides there goes to backfill_quarantine.)
do $$ begin
if to_regclass('comments') is null then
    create table comments (
        id                 uuid primary key default gen_random_uuid(),
        github_id          bigint not null,
        repository_id      uuid not null constraint comments_repository_id_fkey references repositories (id) on delete cascade,
        pull_request_id    uuid constraint fk_comments_pull_request references pull_requests (id) on delete cascade,
        issue_id           uuid constraint comments_issue_id_fkey references issues (id) on delete cascade,
        commenter_id       uuid constraint fk_comments_commenter references contributors (id) on delete set null,
        body               text not null,
        comment_type       text not null check (comment_type in ('issue_comment', 'review_comment')),
        in_reply_to_id     uuid constraint fk_comments_in_reply_to references comments (id) on delete set null,
        path               text,
        position           integer,
        original_position  integer,
        diff_hunk          text,
        commit_id          text,
        original_commit_id text,
        created_at         timestamptz not null,
        updated_at         timestamptz not null,
        constraint comments_type_github_id_key unique (comment_type, github_id),
        constraint comments_pr_or_issue_check check (num_nonnulls(pull_request_id, issue_id) = 1)
    );
    alter table comments enable row level security;
    create index idx_comments_pull_request_id on comments (pull_request_id) where pull_request_id is not null;
    create index idx_comments_issue_id on comments (issue_id) where issue_id is not null;
    create index idx_comments_repository_id on comments (repository_id);
end if;
end $$;

-- No foreign key: comments from before September 2016 belong to no review, and a review may be in quarantine.
alter table comments
    add column if not exists review_github_id bigint;
