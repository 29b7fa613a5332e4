"""The bounds of every transaction: how long it waits, and the schema that its names are looked up in."""

from __future__ import annotations

from gh_backfill.store import causes

# Only SET LOCAL: behind PgBouncer or Supabase's pooler a session setting would land on somebody else's session, and
# start-up options are refused.  The second line frees what a frozen process holds.
_LIMITS = """
set local lock_timeout = '5s';
set local idle_in_transaction_session_timeout = '60s';
set local timezone = 'UTC'
"""
# A row stays locked until its commit is on disk.  So rivals for one row would wait for each other's disk writes.
NOT_DURABLE = ";\nset local synchronous_commit = off"


def of(schema: str | None, statement_seconds: float | None = None) -> str:
    """Return the settings of a transaction, which keep it in a schema where one was chosen.

    `extensions` is where Supabase keeps those.  With `statement_seconds` a statement that takes longer is ended.
    """
    settings = [_LIMITS]
    if statement_seconds is not None:
        settings.append(f"set local statement_timeout = '{round(1000 * statement_seconds)}ms'")
    if schema:
        settings.append(f"set local search_path to {causes.identifier(schema, always=True)}, extensions")
    return ";\n".join(settings)
