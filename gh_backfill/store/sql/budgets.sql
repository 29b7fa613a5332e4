-- What GitHub still grants an identity.  Each section is one statement, sent alone, and locks one row for its length.

-- name: ensure
-- An identity that nothing is known about begins with the least that any credential has.
insert into api_budgets (identity, resource, budget_limit, remaining)
values (%(identity)s, %(resource)s, %(start)s, %(start)s)
on conflict do nothing
returning identity;

-- name: reserve
-- Say how the budget stands, and reserve the points if they may be spent.  No row back: the identity is new.
-- The lock comes first: what follows it in this statement sees the row as the rival before us left it.
with held as (
    select b.*, coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
    from api_budgets b
    where identity = %(identity)s and resource = %(resource)s
    for update
), counted as (
    select h.*, live.requests,
           case when reset_at + %(margin)s <= moment then budget_limit else remaining end - live.points as unreserved,
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
      and c.not_before <= moment
      and c.busy_now <= %(slack)s + c.credit_now
      and c.unreserved - %(points)s >= ceil(c.budget_limit * %(reserve)s)
    returning 1
)
select identity, budget_limit as "limit", unreserved as left, reset_at, busy_now as busy, credit_now as credit,
       moment,
       case when not_before > moment then not_before end as not_before, exists (select from granted) as granted
from counted;

-- name: settle
-- Write what an answer told, and take the reservation back.  Without headers it stays until it expires, for GitHub may
-- have charged it.  Answers of one window may overtake each other, so the smaller remainder counts; a late one of an
-- older window is ignored.  A wait without a time grows while it repeats; requests refused together count once.
with held as (
    select b.*, coalesce(%(now)s::timestamptz, clock_timestamp()) as moment
    from api_budgets b
    where identity = %(identity)s and resource = %(resource)s
    for update
), judged as (
    select h.*, leak,
           least(%(burst)s, greatest(0, busy_credit - least(leak, busy)) + greatest(0, leak - busy))::float8 as credit_now,
           case when %(limit)s::integer is null then 'silent'
                when reset_at is null or %(limit)s::integer <> budget_limit then 'new'
                when abs(extract(epoch from %(reset_at)s::timestamptz - reset_at)) <= 2 then 'same'
                when %(reset_at)s::timestamptz < reset_at and %(reset_at)s::timestamptz <= moment then 'late'
                else 'new' end as answer,
           case when %(resume_at)s::timestamptz is null then 'none'
                when not %(guessed)s then 'told'
                when not_before <= moment then 'guessed'
                else 'none' end as wait
    from held h
    cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - busy_at)) as leak) since
)
update api_budgets b
set budget_limit = case when answer = 'new' then %(limit)s else b.budget_limit end,
    remaining = case answer when 'new' then %(remaining)s
                            when 'same' then least(b.remaining, %(remaining)s) else b.remaining end,
    reset_at = case when answer in ('new', 'same') then %(reset_at)s else b.reset_at end,
    reserved = case when answer = 'silent' then b.reserved else b.reserved - %(request)s::text end,
    busy = greatest(0, b.busy - leak + %(seconds)s::float8 - %(estimate)s::float8),
    -- Where a request took longer than was thought, the bucket was not idle meanwhile.
    busy_credit = greatest(0, credit_now - greatest(0, %(seconds)s::float8 - %(estimate)s::float8)),
    busy_at = moment,
    not_before = greatest(b.not_before, case wait
        when 'told' then %(resume_at)s
        when 'guessed' then moment + (%(resume_at)s::timestamptz - moment) * least(2 ^ b.slowdowns, 32) end),
    slowdowns = case when wait = 'guessed' then b.slowdowns + 1
                     when wait = 'told' or not %(answered)s or b.not_before > moment then b.slowdowns else 0 end,
    updated_at = moment
from judged j
where b.identity = j.identity and b.resource = j.resource
returning case when b.not_before > moment then b.not_before end as not_before;

-- name: standings
-- How the budgets stand, without a lock: of the named identities, or of all.
select identity, budget_limit as "limit", reset_at,
       case when reset_at + %(margin)s <= moment then budget_limit else remaining end - live.points as left,
       greatest(0, busy - leak)::float8 as busy,
       least(%(burst)s, greatest(0, busy_credit - least(leak, busy)) + greatest(0, leak - busy))::float8 as credit, moment,
       case when not_before > moment then not_before end as not_before
from api_budgets b
cross join (select coalesce(%(now)s::timestamptz, clock_timestamp()) as moment) clock
cross join lateral (select %(drain)s * greatest(0, extract(epoch from moment - busy_at)) as leak) since
cross join lateral (
    select coalesce(sum((value ->> 0)::integer), 0)::integer as points
    from jsonb_each(b.reserved) where (value ->> 1)::float8 > extract(epoch from moment)
) live
where resource = %(resource)s and identity = any (coalesce(%(identities)s::text[], array[identity]))
order by identity;
