-- What the statements of a transaction say of their results.

-- name: notes
-- A statement notes what it found in a setting that lives as long as the transaction: any pooler lets it.
select current_setting(n.name)::jsonb as told
from unnest(%(names)s::text[]) with ordinality as n (name, place)
order by n.place;
