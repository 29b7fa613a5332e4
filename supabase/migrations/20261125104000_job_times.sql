-- Where the time of a job goes.  Repeatable and additive only, as described in core_tables.

-- Seconds: {"total", "requests", "points", "server_time", "slow_down", "retries", "database"}; null: not measured.
alter table progressive_capture_jobs
    add column if not exists times jsonb;
