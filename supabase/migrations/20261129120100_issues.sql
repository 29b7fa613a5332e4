-- What is kept of an issue beside what existing installations have: GitHub's own id, and what proves completeness later.
-- Repeatable and additive only, as described in core_tables.

alter table issues
    add column if not exists node_id text,
    add column if not exists state_reason text,
    add column if not exists html_url text,
    add column if not exists capture_gap text,
    add column if not exists counts_fetched_at timestamptz;

create index if not exists idx_issues_repository_created on issues (repository_id, created_at);
