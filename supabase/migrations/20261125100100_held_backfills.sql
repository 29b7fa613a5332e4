-- A backfill that a person stopped stays stopped: only `gh-backfill resume`, or the time named with the pause, lets it go on.
-- Repeatable and additive only, as described in core_tables.

alter table progressive_backfill_state
    add column if not exists held boolean not null default false;
