-- Who does a job: until now the name stood in `metadata` alone, where no statement can be held to it.
-- Repeatable and additive only, as described in core_tables.

alter table progressive_capture_jobs add column if not exists worker text;

update progressive_capture_jobs
set worker = metadata ->> 'worker'
where worker is null and metadata ->> 'worker' is not null;
