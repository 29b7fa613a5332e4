-- Every change of state, with who made it: what the storm is judged by.  Only test databases have this.

create table storm_audit (
    id bigint generated always as identity primary key,
    kind text not null,
    row_id uuid not null,
    old_status text,
    new_status text not null,
    old_attempt integer,
    attempt integer,
    lease_over boolean not null default false,
    worker text not null default current_setting('application_name'),
    tx text not null default pg_current_xact_id()::text,
    at timestamptz not null default clock_timestamp()
);

create function storm_note_chunk() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        insert into storm_audit (kind, row_id, new_status, attempt) values ('chunk', new.id, new.status, new.attempt);
    elsif (old.status, old.attempt) is distinct from (new.status, new.attempt) or new.status = 'completed' then
        insert into storm_audit (kind, row_id, old_status, new_status, old_attempt, attempt, lease_over)
        values ('chunk', new.id, old.status, new.status, old.attempt, new.attempt,
                coalesce(old.lease_until, '-infinity') < clock_timestamp());
    end if;
    return null;
end $$;

create function storm_note_status() returns trigger language plpgsql as $$
begin
    insert into storm_audit (kind, row_id, old_status, new_status) values (tg_argv[0], new.id, old.status, new.status);
    return null;
end $$;

create trigger storm_chunk after insert or update on backfill_chunks
    for each row execute function storm_note_chunk();
create trigger storm_state after update on progressive_backfill_state
    for each row when (old.status is distinct from new.status) execute function storm_note_status('backfill');
create trigger storm_kind after update on backfills
    for each row when (old.status is distinct from new.status) execute function storm_note_status('backfill');
create trigger storm_stream after update on backfill_streams
    for each row when (old.status is distinct from new.status) execute function storm_note_status('stream');
