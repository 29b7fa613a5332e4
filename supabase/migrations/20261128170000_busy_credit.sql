-- What an identity may ask for at once after it was idle: seconds of GitHub's time, see `policy/governor.py`.  Repeatable
-- and additive only, as described in core_tables.

-- busy_credit  grows while `busy` is empty, shrinks while it leaks; as of busy_at
do $$ begin
if to_regclass('api_budgets') is not null then
    alter table api_budgets add column if not exists busy_credit double precision not null default 8 check (busy_credit >= 0);
end if;
end $$;
