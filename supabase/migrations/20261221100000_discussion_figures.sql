-- Discussions in the figures of workspaces and repositories; docs/metrics.md says what each column means.  Repeatable and additive
-- only, as described in core_tables.  The views that were there keep their columns: each file may be applied once more.

alter table workspace_metrics
    add column if not exists discussions_whole integer,
    add column if not exists discussions_opened integer,
    add column if not exists previous_discussions_opened integer,
    add column if not exists discussions_answered integer,
    add column if not exists previous_discussions_answered integer,
    add column if not exists discussion_comments integer,
    add column if not exists previous_discussion_comments integer;

create or replace view discussion_times with (security_invoker = true) as
select r.id as repository_id, r.full_name as repository, d.id as discussion_id, d.number, d.category_name as category,
       a.id as author_id, coalesce(a.username, d.author_login) as author,
       coalesce(a.is_bot, false) or coalesce(right(coalesce(a.username, d.author_login), 5) = '[bot]', false) as is_bot,
       d.is_answered is true as is_answered, d.created_at as opened_at, d.answer_chosen_at as answered_at, d.closed_at,
       (case when isfinite(d.created_at) and isfinite(d.answer_chosen_at) and d.answer_chosen_at >= d.created_at
             then extract(epoch from d.answer_chosen_at - d.created_at) / 3600 end)::double precision as hours_to_answer
from discussions d
join repositories r on r.id = d.repository_id
left join contributors a on a.github_id = d.author_id
where d.gone_at is null;

-- Whose a comment is an application may have kept as a contributor's id; what came from GitHub has the number of the account.
do $$ begin
execute format($view$
    create or replace view discussion_comment_times with (security_invoker = true) as
    select t.repository_id, t.repository, m.id as comment_id, t.discussion_id, t.number, a.id as author_id,
           coalesce(a.username, m.author_login) as author,
           coalesce(a.is_bot, false) or coalesce(right(coalesce(a.username, m.author_login), 5) = '[bot]', false) as is_bot,
           m.parent_comment_id is not null as is_reply, m.is_answer is true as is_answer, m.created_at as commented_at
    from discussion_comments m
    join discussion_times t on t.discussion_id = m.discussion_id
    left join contributors a on %s
    where m.gone_at is null and m.deleted_at is null
$view$, case when exists (select from pg_attribute where attrelid = to_regclass('discussion_comments') and attname = 'author_id'
                                                     and atttypid = 'uuid'::regtype and not attisdropped)
             then 'a.id = coalesce((select g.id from contributors g where g.github_id = m.author_github_id), m.author_id)'
             else 'a.github_id = coalesce(m.author_github_id, m.author_id)' end);
end $$;

-- As before, with what is done in discussions.
create or replace view contributions with (security_invoker = true) as
select d.repository_id, d.repository, c.id as contributor_id, c.username as contributor,
       c.is_bot is true or right(c.username, 5) = '[bot]' as is_bot, d.what, d.at
from (
    select repository_id, repository, author_id as who,
           case when state = 'merged' then 'merged_pull_request' else 'pull_request' end as what, opened_at as at
    from pull_request_times
    union all
    select repository_id, repository, author_id, 'issue', opened_at
    from issue_times
    union all
    select repository_id, repository, reviewer_id, case when is_own then 'own_review' else 'review' end, submitted_at
    from review_times
    union all
    select t.repository_id, t.repository, m.commenter_id, 'comment', m.created_at
    from comments m
    join pull_request_times t on t.pull_request_id = m.pull_request_id
    where m.gone_at is null
    union all
    select t.repository_id, t.repository, m.commenter_id, 'comment', m.created_at
    from comments m
    join issue_times t on t.issue_id = m.issue_id
    where m.gone_at is null
    union all
    select repository_id, repository, author_id, 'discussion', opened_at
    from discussion_times
    union all
    select repository_id, repository, author_id, 'discussion_comment', commented_at
    from discussion_comment_times
) d
join contributors c on c.id = d.who;

create or replace view discussion_contributors with (security_invoker = true) as
select repository_id, repository, contributor_id, contributor, is_bot, count(*) filter (where what = 'opened') as discussions,
       count(*) filter (where what <> 'opened') as comments, count(*) filter (where what = 'answer') as answers,
       min(at) as first_at, max(at) as last_at
from (
    select repository_id, repository, author_id as contributor_id, author as contributor, is_bot, 'opened' as what, opened_at as at
    from discussion_times
    union all
    select repository_id, repository, author_id, author, is_bot, case when is_answer then 'answer' else 'comment' end, commented_at
    from discussion_comment_times
) e
where contributor_id is not null
group by repository_id, repository, contributor_id, contributor, is_bot;

create or replace view discussion_activity with (security_invoker = true) as
select e.repository_id, e.repository, g.grain, date_trunc(g.grain, e.at at time zone 'UTC')::date as begins,
       count(*) filter (where e.what = 'opened') as discussions_opened,
       count(*) filter (where e.what = 'answered') as discussions_answered,
       count(*) filter (where e.what = 'comment' and not e.is_bot) as comments,
       count(distinct e.who) filter (where not e.is_bot) as contributors,
       percentile_cont(0.5) within group (order by e.hours) filter (where e.what = 'answered') as median_hours_to_answer
from (
    select repository_id, repository, 'opened' as what, opened_at as at, author_id as who, is_bot, null::double precision as hours
    from discussion_times
    union all
    select repository_id, repository, 'answered', answered_at, null, null, hours_to_answer
    from discussion_times
    where is_answered
    union all
    select repository_id, repository, 'comment', commented_at, author_id, is_bot, null
    from discussion_comment_times
) e
cross join (values ('week'), ('month')) g (grain)
where isfinite(e.at)
group by e.repository_id, e.repository, g.grain, 4;

-- Supabase grants its guests everything on new views.
do $$
declare
    guest text;
    name text;
begin
    foreach name in array array['discussion_times', 'discussion_comment_times', 'discussion_contributors', 'discussion_activity'] loop
        for guest in select rolname from pg_roles where rolname in ('anon', 'authenticated') loop
            execute format('revoke all on table %I from %I', name, guest);
        end loop;
    end loop;
end $$;

-- What each column means; docs/metrics.md says the same.
comment on column workspace_metrics.discussions_whole is 'Of how many of the repositories every discussion is captured, with its comments; null, as all that follows: aggregated before discussions were counted';
comment on column workspace_metrics.discussions_opened is 'Discussions opened in the period';
comment on column workspace_metrics.previous_discussions_opened is 'The same, of the period before; null for all';
comment on column workspace_metrics.discussions_answered is 'Discussions whose answer was chosen in the period';
comment on column workspace_metrics.previous_discussions_answered is 'The same, of the period before; null for all';
comment on column workspace_metrics.discussion_comments is 'Comments on discussions and replies in the period, without those of bots';
comment on column workspace_metrics.previous_discussion_comments is 'The same, of the period before; null for all';

comment on view contributions is 'Each thing that somebody did: opened a pull request, an issue or a discussion, reviewed, commented.';
comment on column contributions.what is 'pull_request, merged_pull_request (opened then, and merged by now), issue, review, own_review, comment, discussion or discussion_comment';
comment on view repository_contributors is 'Who did anything in a repository, ever. Bots are marked. Who only took part in discussions has zeros here: discussion_contributors counts these.';
comment on column repository_contributors.first_at is 'The first of all these, and of what the person did in discussions';
comment on column repository_contributors.last_at is 'The last of all these, and of what the person did in discussions';
comment on column workspace_contributors.first_at is 'The first of all these, and of what the person did in discussions';
comment on column workspace_contributors.last_at is 'The last of all these, and of what the person did in discussions';
comment on column repository_activity.contributors is 'People who did anything, also in discussions, without bots';

comment on view discussion_times is 'Each discussion once, with its times. Without what GitHub has no more.';
comment on column discussion_times.repository_id is 'Our id of the repository';
comment on column discussion_times.repository is 'Its name, owner/name';
comment on column discussion_times.discussion_id is 'Our id of the discussion';
comment on column discussion_times.number is 'Its number';
comment on column discussion_times.category is 'The name of its category';
comment on column discussion_times.author_id is 'Our id of its author; null where nobody knows who it was';
comment on column discussion_times.author is 'The author''s login';
comment on column discussion_times.is_bot is 'GitHub calls this account a bot, or its login ends with [bot]';
comment on column discussion_times.is_answered is 'One of its comments was chosen as the answer';
comment on column discussion_times.opened_at is 'When it was opened';
comment on column discussion_times.answered_at is 'When the answer was chosen';
comment on column discussion_times.closed_at is 'When it was closed';
comment on column discussion_times.hours_to_answer is 'From its opening until the answer was chosen; null where that is not the later one of the two';

comment on view discussion_comment_times is 'Each comment on the discussions in discussion_times once, replies included. Deleted ones are left out.';
comment on column discussion_comment_times.repository_id is 'Our id of the repository';
comment on column discussion_comment_times.repository is 'Its name, owner/name';
comment on column discussion_comment_times.comment_id is 'Our id of the comment';
comment on column discussion_comment_times.discussion_id is 'Our id of the discussion';
comment on column discussion_comment_times.number is 'The number of the discussion';
comment on column discussion_comment_times.author_id is 'Our id of who commented; null where nobody knows who it was';
comment on column discussion_comment_times.author is 'The login';
comment on column discussion_comment_times.is_bot is 'GitHub calls this account a bot, or its login ends with [bot]';
comment on column discussion_comment_times.is_reply is 'It replies to another comment';
comment on column discussion_comment_times.is_answer is 'It was chosen as the answer';
comment on column discussion_comment_times.commented_at is 'When it was written';

comment on view discussion_contributors is 'Who opened discussions in a repository or commented on them, ever. Bots are marked.';
comment on column discussion_contributors.repository_id is 'Our id of the repository';
comment on column discussion_contributors.repository is 'Its name, owner/name';
comment on column discussion_contributors.contributor_id is 'Our id of the person';
comment on column discussion_contributors.contributor is 'The login';
comment on column discussion_contributors.is_bot is 'GitHub calls this account a bot, or its login ends with [bot]';
comment on column discussion_contributors.discussions is 'Discussions opened';
comment on column discussion_contributors.comments is 'Comments on discussions, replies included';
comment on column discussion_contributors.answers is 'How many of these were chosen as the answer';
comment on column discussion_contributors.first_at is 'The first of all these';
comment on column discussion_contributors.last_at is 'The last of all these';

comment on view discussion_activity is 'What happened in discussions in a week or month. Weeks without anything are left out.';
comment on column discussion_activity.repository_id is 'Our id of the repository';
comment on column discussion_activity.repository is 'Its name, owner/name';
comment on column discussion_activity.grain is 'week or month: choose one of them, where grain = ''week''';
comment on column discussion_activity.begins is 'The Monday, or the first day of the month, UTC';
comment on column discussion_activity.discussions_opened is 'Discussions opened, those of bots included';
comment on column discussion_activity.discussions_answered is 'Discussions whose answer was chosen';
comment on column discussion_activity.comments is 'Comments and replies, without those of bots';
comment on column discussion_activity.contributors is 'People who opened any or commented, without bots';
comment on column discussion_activity.median_hours_to_answer is 'Half of those answered then took no longer from their opening';
