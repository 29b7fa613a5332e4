-- Jobs of the ledger whose work another service does: its job, and what it told of it, stand in `metadata`.

-- name: handed_standing
-- Whether guests may know of each repository, and the last job that a service has of it.
select r.id::text as repository_id, r.is_private is false as is_public, j.id::text as ledger_id, j.handed
from repositories r
left join lateral (
    select id, metadata -> 'datpipe' as handed
    from progressive_capture_jobs
    where repository_id = r.id and job_type = 'events' and metadata #>> '{datpipe,job_id}' is not null
    order by created_at desc, id desc
    limit 1
) j on true
where r.id = any(%(ids)s::uuid[]);

-- name: note_handed
-- What the service told of its job stays beside what it told before.
update progressive_capture_jobs
set metadata = coalesce(metadata, '{}')
               || jsonb_build_object('reason', 'handed to gh-datpipe',
                                     'datpipe', coalesce(metadata -> 'datpipe', '{}') || jsonb_strip_nulls(%(told)s::jsonb)),
    time_range_days = coalesce(%(days)s, time_range_days)
where id = %(id)s::uuid
returning id;

-- name: end_handed
-- What became of a job that was handed over is known only when the service is asked.
update progressive_capture_jobs
set status = %(status)s, outcome = %(outcome)s, error = %(error)s, error_type = %(error_type)s,
    completed_at = case when outcome is distinct from %(outcome)s then clock_timestamp() else completed_at end
where id = %(id)s::uuid and outcome is not null
returning id;
