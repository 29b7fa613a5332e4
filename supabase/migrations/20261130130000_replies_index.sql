-- Indexes without which a look for few rows reads a whole table.  Repeatable.

-- Whoever deletes a comment looks for its replies: without this each deletion reads all comments.
create index if not exists idx_comments_in_reply_to on comments (in_reply_to_id) where in_reply_to_id is not null;

-- The monitor asks for the last report that saw issues: where alerts open none, no report did, and all were read and unpacked.
create index if not exists idx_backfill_reports_issues on backfill_reports (reported_at desc) where report ? 'issues';

-- The monitor asks of each processor whether it ever had a job of ours, which those of a host application stood before.
create index if not exists idx_capture_jobs_ours on progressive_capture_jobs (processor_type) where run_key is not null;
