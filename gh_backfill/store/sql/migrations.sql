-- name: ledger_exists
-- Row level security hides its rows from a role that no policy admits, without a word.
select to_regclass('gh_backfill_migrations') is not null as "exists", current_user as role,
       coalesce(row_security_active(to_regclass('gh_backfill_migrations')), false) as hidden

-- name: is_empty
select to_regclass('gh_backfill_migrations') is null and to_regclass('repositories') is null
       and to_regclass('pull_requests') is null as "empty"

-- name: applied
select version, checksum from gh_backfill_migrations

-- name: wait_for_turn
-- One run at a time, however long the other one takes; then the usual patience again, for the locks on tables.
set local lock_timeout = '10min';
select pg_advisory_xact_lock(hashtextextended('gh_backfill migrations', 0));
set local lock_timeout = '5s'

-- name: create_schema
-- No "create schema if not exists": that asks for the right to create schemas even where there is one.
select set_config('gh_backfill.schema', %(schema)s, true);
do $$ begin
    if not exists (select from pg_namespace where nspname = current_setting('gh_backfill.schema')) then
        execute format('create schema %%I', current_setting('gh_backfill.schema'));
    end if;
end $$

-- name: create_ledger
create table if not exists gh_backfill_migrations (
    version    text primary key,
    name       text not null,
    checksum   text not null,
    applied_at timestamptz not null default now()
);
alter table gh_backfill_migrations enable row level security

-- name: refuse_if_applied
-- Another run may have been faster since the ledger was read.
select set_config('gh_backfill.version', %(version)s, true), set_config('gh_backfill.checksum', %(checksum)s, true);
do $$ begin
    if exists (select from gh_backfill_migrations where version = current_setting('gh_backfill.version')
                                                    and checksum = current_setting('gh_backfill.checksum')) then
        raise exception 'migration %% was applied by another run', current_setting('gh_backfill.version')
            using errcode = 'serialization_failure';
    end if;
end $$

-- name: record_migration
insert into gh_backfill_migrations (version, name, checksum)
values (%(version)s, %(name)s, %(checksum)s)
on conflict (version) do update set name = excluded.name, checksum = excluded.checksum, applied_at = now()

-- name: prepare_embeddings
-- What takes pgvector is made whenever that is there, also after the migration ran.
select gh_backfill_prepare_embeddings() as obstacle
