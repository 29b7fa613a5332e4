-- What `status` counts per repository, so that it does not read every pull request for it.
-- Repeatable and additive only, as described in core_tables.

create index if not exists idx_pull_requests_capture_gap on pull_requests (repository_id) where capture_gap is not null;
create index if not exists idx_backfill_quarantine_open on backfill_quarantine (repository_id) where resolved_at is null;
