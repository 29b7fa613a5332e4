-- A walk may be split over several jobs: each part reads a range of numbers, from the highest down to the lowest.
-- Repeatable and additive only, as described in core_tables.

alter table backfill_streams
    add column if not exists lowest_number integer,
    add column if not exists highest_number integer;
