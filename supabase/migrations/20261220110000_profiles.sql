-- What is kept of a person beside the profile that existing installations have columns for: by which GitHub finds the account
-- whatever it is called, and when it was asked.  Repeatable and additive only, as described in core_tables.

-- profile_asked_at: GitHub's last word on this account, also that there is none; profile_fetched_at: the last one with a
-- profile; profile_gap: why there is none, or what was said last of one that could not be read; profile_leased_until: somebody
-- asks just now.
alter table contributors
    add column if not exists node_id text,
    add column if not exists profile_asked_at timestamptz,
    add column if not exists profile_fetched_at timestamptz,
    add column if not exists profile_gap text,
    add column if not exists profile_leased_until timestamptz;
