-- Words of titles and texts, by which `gh-backfill search` finds issues, pull requests and discussions.
-- Repeatable and additive only, as described in core_tables.
--
-- Each sign of ASCII stands for a space, so that the pieces of an identifier (ERR_FOO_BAR, foo.bar(), #123) are words of their own
-- wherever it stands, and PostgreSQL takes none of it for an address or a path; search.sql has the same expressions.  What is cut
-- off keeps a text of any length below the largest tsvector (1 MB): an index that refuses a text would refuse its row.
-- Titles are indexed once more as they are written, with the words that English leaves out.

create index if not exists idx_issues_words on issues using gin (
    to_tsvector('english', translate(left(title, 1000) || ' ' || left(coalesce(body, ''), 32768),
                                     '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));
create index if not exists idx_issues_title_words on issues using gin (
    to_tsvector('simple', translate(left(title, 1000), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));

create index if not exists idx_pull_requests_words on pull_requests using gin (
    to_tsvector('english', translate(left(title, 1000) || ' ' || left(coalesce(body, ''), 32768),
                                     '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));
create index if not exists idx_pull_requests_title_words on pull_requests using gin (
    to_tsvector('simple', translate(left(title, 1000), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));

create index if not exists idx_discussions_words on discussions using gin (
    to_tsvector('english', translate(left(title, 1000) || ' ' || left(coalesce(body, ''), 32768),
                                     '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));
create index if not exists idx_discussions_title_words on discussions using gin (
    to_tsvector('simple', translate(left(title, 1000), '!"#$%&''()*+,-./:;<=>?@[\]^_`{|}~', repeat(' ', 32))));
