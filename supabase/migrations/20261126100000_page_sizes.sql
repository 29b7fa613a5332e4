-- What a walk learned of page sizes, so that the next job begins where the last one ended: the largest page that came
-- clean, the smallest that was too big since, and the clean pages after it.

alter table backfill_streams
    add column if not exists page_worked integer not null default 0,
    add column if not exists page_too_big integer,
    add column if not exists pages_clean integer not null default 0;
