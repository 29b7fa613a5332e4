-- Figures of workspaces, written by `gh-backfill aggregate`; docs/metrics.md says what each column means.  Repeatable and additive
-- only, as described in core_tables.

-- What applications read of a workspace; null until it is aggregated for the first time.
alter table workspaces
    add column if not exists total_repositories integer,
    add column if not exists total_contributors integer,
    add column if not exists total_pull_requests integer,
    add column if not exists total_issues integer;

-- One row for each period and audience: members see all repositories of a workspace, everybody only those that are known to be
-- public.  The second row is there only where the two differ.  `previous_` is the period of the same length before; null: unknown,
-- or nobody could know it.
do $$ begin
if to_regclass('workspace_metrics') is null then
    create table workspace_metrics (
        workspace_id                          uuid not null references workspaces (id) on delete cascade,
        audience                              text not null check (audience in ('members', 'everybody')),
        period                                text not null check (period in ('7d', '30d', '90d', 'all')),
        since                                 timestamptz,
        computed_at                           timestamptz not null,
        repositories                          integer not null,
        pull_requests_whole                   integer not null,
        issues_whole                          integer not null,
        read_until                            timestamptz,
        contributors                          integer not null,
        previous_contributors                 integer,
        new_contributors                      integer not null,
        pull_requests_opened                  integer not null,
        previous_pull_requests_opened         integer,
        pull_requests_merged                  integer not null,
        previous_pull_requests_merged         integer,
        pull_requests_closed                  integer not null,
        previous_pull_requests_closed         integer,
        pull_requests_open                    integer not null,
        pull_requests_draft                   integer not null,
        median_hours_to_merge                 double precision,
        previous_median_hours_to_merge        double precision,
        median_hours_to_first_review          double precision,
        previous_median_hours_to_first_review double precision,
        issues_opened                         integer not null,
        previous_issues_opened                integer,
        issues_closed                         integer not null,
        previous_issues_closed                integer,
        issues_open                           integer not null,
        reviews                               integer not null,
        previous_reviews                      integer,
        reviewers                             integer not null,
        busiest_reviewer                      text,
        busiest_reviewer_share                double precision check (busiest_reviewer_share between 0 and 1),
        stars                                 bigint,
        forks                                 bigint,
        stars_change                          bigint,
        forks_change                          bigint,
        changes_known                         integer not null,
        constraint workspace_metrics_pkey primary key (workspace_id, audience, period)
    );
    alter table workspace_metrics enable row level security;
end if;
end $$;

-- When a workspace was aggregated, how long that took, and which repositories it had then.  Whoever aggregates holds this row.
-- There is no mark of what is stale: whatever ended since `computed_at` says so itself, in the ledger of jobs.
do $$ begin
if to_regclass('workspace_aggregations') is null then
    create table workspace_aggregations (
        workspace_id uuid primary key references workspaces (id) on delete cascade,
        computed_at  timestamptz,
        seconds      double precision,
        members      text
    );
    alter table workspace_aggregations enable row level security;
end if;
end $$;

-- Supabase grants its guests everything on new tables and views.
do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['workspace_metrics', 'workspace_aggregations'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
        if to_regprocedure('auth.role()') is not null
           and not exists (select from pg_policy where polrelid = to_regclass(name) and polname = 'service_role_all') then
            execute format('create policy service_role_all on %I using ((select auth.role()) = ''service_role'')', name);
        end if;
    end loop;
    foreach name in array array['pull_request_times', 'review_times', 'issue_times', 'contributions', 'repository_cycle_times',
                                'reviewer_load', 'repository_contributors', 'repository_activity', 'workspace_contributors'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
    end loop;
end $$;
