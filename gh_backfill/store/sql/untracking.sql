-- Take a repository off the list.  Lock order as everywhere: backfill, stream, chunk, data.

-- name: held
select (select count(*) from pull_requests where repository_id = %(repository_id)s) as pull_requests,
       (select count(*) from reviews v join pull_requests p on p.id = v.pull_request_id
        where p.repository_id = %(repository_id)s) as reviews,
       (select count(*) from issues where repository_id = %(repository_id)s) as issues,
       (select count(*) from comments c join pull_requests p on p.id = c.pull_request_id
        where p.repository_id = %(repository_id)s)
           + (select count(*) from comments c join issues s on s.id = c.issue_id
              where s.repository_id = %(repository_id)s)
           + (select count(*) from discussion_comments c join discussions d on d.id = c.discussion_id
              where d.repository_id = %(repository_id)s) as comments,
       (select count(*) from discussions where repository_id = %(repository_id)s) as discussions,
       (select count(*) from github_events_cache c join repositories r on r.github_id = c.repository_github_id
        where r.id = %(repository_id)s and c.source is not null)
           + (select count(*) from private_events where repository_id = %(repository_id)s) as events;

-- name: is_tracked
select 1 as one from tracked_repositories
where repository_id = %(repository_id)s and tracking_enabled is distinct from false;

-- name: track_again
update tracked_repositories
set tracking_enabled = true, updated_at = clock_timestamp()
where repository_id = %(repository_id)s;

-- name: untrack
update tracked_repositories
set tracking_enabled = false, updated_at = clock_timestamp()
where repository_id = %(repository_id)s and tracking_enabled is distinct from false;

-- name: lock
with state as materialized (
    select id from progressive_backfill_state where repository_id = %(repository_id)s for update
)
select b.id
from backfills b
left join state on true
where b.repository_id = %(repository_id)s
order by b.kind
for update of b;

-- name: delete_comments
delete from comments c using pull_requests p
where p.id = c.pull_request_id and p.repository_id = %(repository_id)s;

-- name: delete_comments_of_issues
delete from comments c using issues s
where s.id = c.issue_id and s.repository_id = %(repository_id)s;

-- name: delete_discussion_comments
delete from discussion_comments c using discussions d
where d.id = c.discussion_id and d.repository_id = %(repository_id)s;

-- name: delete_discussions
delete from discussions where repository_id = %(repository_id)s;

-- name: delete_events
-- What an application wrote of it is its own.
delete from github_events_cache c using repositories r
where r.id = %(repository_id)s and c.repository_github_id = r.github_id and c.source is not null;

-- name: delete_private_events
delete from private_events where repository_id = %(repository_id)s;

-- name: delete_star_days
delete from star_days where repository_id = %(repository_id)s;

-- name: delete_count_snapshots
delete from count_snapshots where repository_id = %(repository_id)s;

-- name: delete_event_sources
delete from event_sources where repository_id = %(repository_id)s;

-- name: delete_embedding_attempts
delete from embedding_attempts where repository_id = %(repository_id)s;

-- name: delete_readings
delete from backfill_readings where repository_id = %(repository_id)s;

-- name: delete_embedding_jobs
delete from embedding_jobs where repository_id = %(repository_id)s;

-- name: delete_issues
delete from issues where repository_id = %(repository_id)s;

-- name: delete_reviews
delete from reviews v using pull_requests p
where p.id = v.pull_request_id and p.repository_id = %(repository_id)s;

-- name: delete_pull_requests
delete from pull_requests where repository_id = %(repository_id)s;

-- name: delete_quarantine
delete from backfill_quarantine where repository_id = %(repository_id)s;

-- name: delete_backfills
-- Streams and chunks go with them, and the row that others read.
delete from backfills where repository_id = %(repository_id)s;

-- name: forget_syncs
-- A sync belongs to no backfill: who tracks the repository again begins anew, and a late commit finds no chunk of ours.
with forgotten as (
    update backfill_streams
    set status = 'completed', cursor = null, watermark = null, checkpoint = null, updated_at = clock_timestamp()
    where repository_id = %(repository_id)s and stream = 'sync'
    returning id
), known as (
    update repository_syncs
    set last_success_at = null, last_error = null, failures = 0, next_due_at = clock_timestamp()
    where repository_id = %(repository_id)s
)
update backfill_chunks c
set status = 'skipped', lease_until = null, retry_at = null, error = 'what was captured of the repository was deleted'
from forgotten
where c.stream_id = forgotten.id and c.status in ('pending', 'processing');

-- name: forget_wish
-- Who tracks it again begins anew: that only the newest were wanted was said of what is gone.
update tracked_repositories
set only_newest = null
where repository_id = %(repository_id)s and only_newest;

-- name: forget_initial_backfill
update repositories
set initial_backfill_status = null
where id = %(repository_id)s and initial_backfill_status is not null;
