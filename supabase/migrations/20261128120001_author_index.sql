-- Whose login changes has its copies changed: their rows are found by author, also when an account is deleted.
-- Repeatable and additive only, as described in core_tables.

create index if not exists idx_pull_requests_author on pull_requests (author_id);
