-- What a webhook announced stays announced until the transaction that stores it.  Repeatable and additive only.

-- version: another one each time a thing is announced, so that what moves while it is fetched is fetched again.
-- attempts, retry_at, reason: how often it could not be fetched, when it is tried again, and why not.
alter table webhook_pending
    add column if not exists version uuid not null default gen_random_uuid(),
    add column if not exists attempts integer not null default 0,
    add column if not exists retry_at timestamptz,
    add column if not exists reason text;
