-- How budgets stood over the last days.

-- name: sample_budgets
-- What was used in the last day, as it stands now; a run that is told again says it again.  What is older than a week goes.
with forgotten as (
    delete from budget_samples where at < clock_timestamp() - interval '7 days'
)
insert into budget_samples as s (run_key, identity, resource, at, budget_limit, remaining, reset_at)
select %(run_key)s, identity, resource, clock_timestamp(), budget_limit,
       case when reset_at > clock_timestamp() then remaining else budget_limit end, reset_at
from api_budgets
where updated_at > clock_timestamp() - interval '1 day'
on conflict (run_key, identity, resource) do update
set at = excluded.at, budget_limit = excluded.budget_limit, remaining = excluded.remaining, reset_at = excluded.reset_at;
