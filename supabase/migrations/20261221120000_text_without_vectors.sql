-- Whoever removes pgvector takes the columns of vectors along, while the trigger that clears the vector of a changed text stays:
-- without the column there is nothing to clear, and no text may be refused for it.
-- Repeatable and additive only, as described in core_tables.
create or replace function gh_backfill_text_changed() returns trigger language plpgsql set search_path = '' as $$
begin
    if new.embedding_generated_at is not distinct from old.embedding_generated_at then
        new.embedding_generated_at := null;
        new.content_hash := null;
        if exists (select from pg_catalog.pg_attribute
                   where attrelid = tg_relid and attname = 'embedding' and not attisdropped) then
            new.embedding := null;
        end if;
    end if;
    return new;
end $$;
