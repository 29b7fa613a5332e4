-- What queries cost an identity beside the price list.

-- name: recall
-- What is known of these identities, the one that was used last coming last.
select prices from api_budgets
where resource = 'graphql' and identity = any (%(identities)s::text[]) and prices is not null
order by updated_at;

-- name: recall_for_update
select prices from api_budgets where resource = 'graphql' and identity = %(identity)s for update;

-- name: remember
insert into api_budgets (identity, resource, budget_limit, remaining, prices)
values (%(identity)s, 'graphql', %(start)s, %(start)s, %(prices)s)
on conflict (identity, resource) do update set prices = excluded.prices
returning identity;

-- name: begin_asking
-- Take it on oneself to ask GitHub for its prices.  No row back: that was done lately, or somebody is at it.
insert into api_budgets (identity, resource, budget_limit, remaining, prices_asked_at)
values (%(identity)s, 'graphql', %(start)s, %(start)s, now())
on conflict (identity, resource) do update set prices_asked_at = excluded.prices_asked_at
where api_budgets.prices_asked_at is null or api_budgets.prices_asked_at < now() - %(old)s
returning identity;
