-- What could not be read or stored may be a discussion, or a comment of one.  Repeatable.

do $$ begin
if not exists (select from pg_constraint where conrelid = to_regclass('backfill_quarantine')
                                           and conname = 'backfill_quarantine_kind_check'
                                           and position('discussion_comment' in pg_get_constraintdef(oid)) > 0) then
    alter table backfill_quarantine drop constraint if exists backfill_quarantine_kind_check;
    alter table backfill_quarantine add constraint backfill_quarantine_kind_check check (kind in (
        'pull_request', 'review', 'review_comment', 'issue_comment', 'contributor', 'page', 'issue', 'label', 'assignee',
        'discussion', 'discussion_comment'));
end if;
end $$;
