-- Reading much of one moment, piece by piece.  What these read says `gh_backfill_rows`, a cursor that another statement declares:
-- it lives in its transaction, which a pooler keeps on one connection.

-- name: snapshot_begin
-- The first statement of a transaction: all that it reads is of one moment.
set transaction isolation level repeatable read;

-- name: snapshot_fetch
fetch forward %(count)s from gh_backfill_rows;

-- name: snapshot_skip
-- The server counts what is left, and sends none of it.
move forward all in gh_backfill_rows;

-- name: snapshot_close
close gh_backfill_rows;
