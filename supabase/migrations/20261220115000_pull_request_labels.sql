-- What pull requests are marked with, as issues have it: labels, assignees, the milestone, and whose review was asked for.
-- Null is unknown: the row was read before there were these columns.  Repeatable and additive only.

alter table pull_requests
    add column if not exists labels jsonb,
    add column if not exists assignees jsonb,
    add column if not exists requested_reviewers jsonb,
    add column if not exists milestone jsonb;

comment on column pull_requests.labels is
    'The labels in GitHub''s order: id (node id), name, color, description, default.  Null: never read.';

comment on column pull_requests.assignees is
    'The users it is assigned to: id, login, avatar_url.  Null: never read.';

comment on column pull_requests.requested_reviewers is
    'Whose review is asked for and not given yet: type (User, Bot, Mannequin, Team), id, login, avatar_url.  A team has a type '
    'alone, and who is not shown to the token has none.  Null: never read.';

comment on column pull_requests.milestone is
    'The milestone: number, title, state, description, due_on.  Null: none, or never read.';

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_quarantine')
                                           and conname = 'backfill_quarantine_kind_check'
                                           and position('requested_reviewer' in pg_get_constraintdef(oid)) > 0) then
    alter table backfill_quarantine drop constraint if exists backfill_quarantine_kind_check;
    alter table backfill_quarantine add constraint backfill_quarantine_kind_check check (kind in (
        'pull_request', 'review', 'review_comment', 'issue_comment', 'contributor', 'page', 'issue', 'label', 'assignee',
        'requested_reviewer', 'discussion', 'discussion_comment'));
end if;
end $$;
