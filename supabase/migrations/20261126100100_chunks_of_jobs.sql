-- What a job looks up of its own chunks, so that it does not read those of all jobs before it.

create index if not exists idx_backfill_chunks_started on backfill_chunks (repository_id, started_at);
