"""PostgreSQL.  Functions take an open transaction and never commit; statements live in `sql/`."""
