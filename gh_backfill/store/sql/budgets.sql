-- What GitHub still grants an identity.  Each section locks one row, until its transaction ends; no transaction has those of
-- two budgets.

-- name: ensure
-- An identity that nothing is known about begins with the least that any credential has.
insert into api_budgets (identity, resource, budget_limit, remaining)
values (%(identity)s, %(resource)s, %(start)s, %(start)s)
on conflict do nothing
returning identity;

-- name: reserve
-- Say how the budget stands, and reserve the points if they may be spent.  No row back: the identity is new.
-- The lock comes first: what follows it in this statement sees the row as the rival before us left it.
-- No window and no wait ends later than `most` from now: what says so is a clock that was wrong, and does not count.
with held as (
    select b.*, coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
    from api_budgets b
    where identity = %(identity)s and resource = %(resource)s
    for update
), counted as (
    select h.*, live.requests, not_before > moment and not_before <= moment + %(most)s as told_to_wait,
           case when reset_at + %(margin)s <= moment or reset_at > moment + %(most)s
                then budget_limit else remaining end - live.points as unreserved,
           greatest(0, busy - leak)::float8 as busy_now,
           least(%(burst)s, greatest(0, busy_credit - least(leak, busy)) + greatest(0, leak - busy))::float8 as credit_now
    from held h
    cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - busy_at)) as leak) since
    cross join lateral (
        select coalesce(jsonb_object_agg(key, value), '{}') as requests,
               coalesce(sum((value ->> 0)::integer), 0)::integer as points
        from jsonb_each(h.reserved) where (value ->> 1)::float8 > extract(epoch from moment)
    ) live
), granted as (
    update api_budgets b
    set reserved = c.requests || jsonb_build_object(%(request)s::text, jsonb_build_array(
            %(points)s::integer, extract(epoch from moment + %(expires)s)::float8)),
        busy = busy_now + %(seconds)s, busy_credit = credit_now, busy_at = moment, updated_at = moment
    from counted c
    where b.identity = c.identity and b.resource = c.resource
      and not c.told_to_wait
      and c.busy_now <= %(slack)s + c.credit_now
      and c.unreserved - %(points)s >= ceil(c.budget_limit * %(reserve)s)
    returning 1
)
select identity, budget_limit as "limit", unreserved as left, reset_at, busy_now as busy, credit_now as credit,
       moment, case when told_to_wait then not_before end as not_before, slowdowns as refusals,
       exists (select from granted) as granted
from counted;

-- name: settle
-- Write what an answer told, and take the reservation back.  Without headers it stays until it expires, for GitHub may
-- have charged it.  Answers of one window may overtake each other, so the smaller remainder counts; a late one of an
-- older window is ignored.  A wait grows while it repeats (as in policy/waits.py), a guessed one twofold each time;
-- requests refused together count once.  The times are told on the clock of a job, which shows `at`: where ours shows
-- another time they are moved; those of one window then differ by a few seconds.
with held as (
    select b.*, coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
    from api_budgets b
    where identity = %(identity)s and resource = %(resource)s
    for update
), told as (
    select h.*, not_before > moment and not_before <= moment + %(most)s as waiting,
           least(%(reset_at)s::timestamptz + clocks, moment + %(most)s) as resets,
           %(resume_at)s::timestamptz + clocks - moment as away
    from held h
    cross join lateral (
        select case when abs(extract(epoch from moment - %(at)s::timestamptz)) > extract(epoch from %(same_clock)s)
                    then moment - %(at)s::timestamptz else interval '0' end as clocks
    ) other
), judged as (
    select t.*, leak,
           least(%(burst)s, greatest(0, busy_credit - least(leak, busy)) + greatest(0, leak - busy))::float8 as credit_now,
           case when %(limit)s::integer is null then 'silent'
                when reset_at is null or %(limit)s::integer <> budget_limit then 'new'
                when abs(extract(epoch from resets - reset_at)) <= extract(epoch from %(same_clock)s) then 'same'
                when resets < reset_at and resets <= moment then 'late'
                else 'new' end as answer,
           case when away is null or (%(guessed)s and waiting) then 'none'
                when %(guessed)s then 'guessed'
                else 'told' end as wait
    from told t
    cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - busy_at)) as leak) since
)
update api_budgets b
set budget_limit = case when answer = 'new' then %(limit)s else b.budget_limit end,
    remaining = case answer when 'new' then %(remaining)s
                            when 'same' then least(b.remaining, %(remaining)s) else b.remaining end,
    reset_at = case when answer in ('new', 'same') then resets else b.reset_at end,
    reserved = case when answer = 'silent' then b.reserved else b.reserved - %(request)s::text end,
    busy = greatest(0, b.busy - leak + %(seconds)s::float8 - %(estimate)s::float8),
    -- Where a request took longer than was thought, the bucket was not idle meanwhile.
    busy_credit = greatest(0, credit_now - greatest(0, %(seconds)s::float8 - %(estimate)s::float8)),
    busy_at = moment,
    not_before = greatest(case when waiting then b.not_before else '-infinity' end, moment + case wait
        when 'told' then least(%(most)s, greatest(away, %(least)s * 2 ^ least(b.slowdowns, %(doublings_told)s)))
        when 'guessed' then least(%(most)s, greatest(away, %(least)s) * 2 ^ least(b.slowdowns, %(doublings_guessed)s))
        end),
    slowdowns = case when wait <> 'none' and not waiting then b.slowdowns + 1
                     when wait <> 'none' or not %(answered)s or waiting then b.slowdowns else 0 end,
    updated_at = moment
from judged j
where b.identity = j.identity and b.resource = j.resource
returning case when b.not_before > moment then b.not_before end as not_before;

-- name: release
-- Take a reservation back with which no request was sent.  One that is settled or expired is not there any more.
with held as (
    select b.*, coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
    from api_budgets b
    where identity = %(identity)s and resource = %(resource)s and reserved ? %(request)s
    for update
)
update api_budgets b
set reserved = b.reserved - %(request)s::text, busy = greatest(0, h.busy - leak - %(estimate)s::float8),
    busy_credit = least(%(burst)s, greatest(0, h.busy_credit - least(leak, h.busy)) + greatest(0, leak - h.busy)),
    busy_at = moment, updated_at = moment
from held h
cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - h.busy_at)) as leak) since
where b.identity = h.identity and b.resource = h.resource
returning b.identity;

-- name: correct
-- Write how GitHub says that a budget stands when it is asked for that alone.  A wait of some minutes may be that of a
-- secondary limit, of which this answer tells nothing; a longer one is none where points are left.
insert into api_budgets as b (identity, resource, budget_limit, remaining, reset_at, updated_at)
select %(identity)s, %(resource)s, %(limit)s, %(remaining)s, moment + %(away)s, moment
from (select coalesce(%(now)s::timestamptz, clock_timestamp()) as moment) clock
on conflict (identity, resource) do update
set budget_limit = excluded.budget_limit, remaining = excluded.remaining, reset_at = excluded.reset_at,
    not_before = case when excluded.remaining > 0 and b.not_before > excluded.updated_at + %(near)s
                      then '-infinity' else b.not_before end,
    updated_at = excluded.updated_at
returning identity;

-- name: budget_states
-- How the budgets stand, without a lock: of the named identities, or of all.  An identity may be somebody's login: where they
-- are `numbered`, each has its number among all of them for a name.
select case when %(numbered)s then 'budget ' || (select count(distinct o.identity) from api_budgets o where o.identity <= b.identity)
            else identity end as identity, budget_limit as "limit", reset_at, slowdowns as refusals,
       case when reset_at + %(margin)s <= moment or reset_at > moment + %(most)s
            then budget_limit else remaining end - live.points as left,
       greatest(0, busy - leak)::float8 as busy,
       least(%(burst)s, greatest(0, busy_credit - least(leak, busy)) + greatest(0, leak - busy))::float8 as credit, moment,
       case when not_before > moment and not_before <= moment + %(most)s then not_before end as not_before
from api_budgets b
cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as moment) clock
cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - busy_at)) as leak) since
cross join lateral (
    select coalesce(sum((value ->> 0)::integer), 0)::integer as points
    from jsonb_each(b.reserved) where (value ->> 1)::float8 > extract(epoch from moment)
) live
where resource = %(resource)s and identity = any (coalesce(%(identities)s::text[], array[identity]))
order by b.identity;
