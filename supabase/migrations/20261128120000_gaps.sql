-- What GitHub counts of a history and does not list.
-- Repeatable and additive only, as described in core_tables.

-- gaps: so many pull requests are missing, by two readings that agree; gaps_seen: by the first of them.
alter table progressive_backfill_state
    add column if not exists gaps integer not null default 0,
    add column if not exists gaps_seen integer;

-- GitHub's list did not lead on to where its count ends.
alter table backfill_streams
    add column if not exists stuck boolean not null default false;
