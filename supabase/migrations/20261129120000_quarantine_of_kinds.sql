-- Pull requests and issues share one space of numbers: a thing in quarantine says to which kind of item it belongs.
-- Repeatable and additive only, as described in core_tables.

alter table backfill_quarantine
    add column if not exists item_kind text not null default 'pull_requests';
