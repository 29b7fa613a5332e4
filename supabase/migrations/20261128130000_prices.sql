-- What an identity's queries cost beside the price list, so that the next process begins where this one ended.
-- Repeatable and additive only, as described in core_tables.

-- prices           {charged: [[units, ids, aliases, pull requests, counts, listed, points], ...], the oldest first,
--                   told: the same of dry runs, surprises, lost}; null where all is as listed
-- prices_asked_at  when GitHub was last asked for the prices of our queries
alter table api_budgets
    add column if not exists prices jsonb,
    add column if not exists prices_asked_at timestamptz;
