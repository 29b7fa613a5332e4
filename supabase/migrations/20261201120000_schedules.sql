-- When a plan takes a repository: in a window of each day, and again after so many days.  Repeatable and additive only, as
-- described in core_tables.  `off_peak` is a span such as 22:00-06:00 in UTC, or the word learned; null: whatever is set for
-- all.  `every_days` is null where a history that is complete is left to syncs and proofs.

alter table tracked_repositories
    add column if not exists off_peak text,
    add column if not exists every_days integer;
