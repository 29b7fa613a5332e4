"""Bring a database up to date with `supabase/migrations`, and remember what was done in a ledger of our own.

Every file is repeatable: on an empty database it creates, on an existing one it adds what is missing.  Hence
- it does no harm where another tool (`supabase db push`) has applied it before, in whose ledger we never write;
- a file that was edited after it was applied is pending again and simply runs again.
Versions that the ledger knows and this installation does not were written by a newer one, and are left alone.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass

from gh_backfill import resources
from gh_backfill.errors import ConfigurationError
from gh_backfill.store import preflight
from gh_backfill.store.db import Database, Transaction

_SQL = resources.sql("migrations")


@dataclass(frozen=True, kw_only=True)
class Migration:
    """One file of `supabase/migrations`: `<version>_<name>.sql`."""

    version: str
    name: str
    checksum: str
    statements: str


def pending(tx: Transaction) -> list[Migration]:
    """Return the migrations that have not been applied as they are now, in their order.  Writes nothing.

    Raises ConfigurationError where what was applied is hidden from this role.
    """
    every = known()
    if not every:
        return []
    applied = _applied(tx)
    return [migration for migration in every if applied.get(migration.version) != migration.checksum]


def is_empty(tx: Transaction) -> bool:
    """Say whether there is neither a table of ours nor of a host application."""
    row = tx.row(_SQL["is_empty"])
    return row is not None and bool(row["empty"])


def apply(db: Database) -> list[Migration]:
    """Apply what is pending, each migration in a transaction of its own, and return what this run has applied.

    Several runs at once wait for each other, and each migration is applied by one of them.  Raises ConfigurationError,
    with nothing written, where `preflight` finds an obstacle, and what `Database` raises: `StoreLocked` where a table
    stays locked by others for 5 seconds, and that migration has left nothing behind.
    """
    return [migration for migration in ready(db) if apply_one(db, migration)]


def ready(db: Database) -> list[Migration]:
    """Return what is pending and may be applied; raises ConfigurationError where something is in the way."""
    obstacles = preflight.obstacles(db)
    if obstacles:
        raise ConfigurationError(f"nothing was written: {'; '.join(obstacles)}")
    with db.transaction(read_only=True) as tx:
        return pending(tx)


def apply_one(db: Database, migration: Migration) -> bool:
    """Apply one migration unless another run was faster."""
    with db.transaction() as tx:
        tx.run(_SQL["wait_for_turn"])
        _make_place(tx, db.schema)
        if _applied(tx).get(migration.version) == migration.checksum:
            return False
        tx.run(migration.statements)
        tx.run(_SQL["record_migration"], version=migration.version, name=migration.name, checksum=migration.checksum)
        return True


def rehearse(db: Database) -> None:
    """Prove that what is pending can be applied: do it all in one transaction that is rolled back.

    Raises what `apply` raises.  Tables are locked for a moment, as by the migrations themselves.
    """
    waiting = ready(db)
    with suppress(_RolledBack), db.transaction() as tx:
        _make_place(tx, db.schema)
        for migration in waiting:
            tx.run(migration.statements)
        raise _RolledBack


class _RolledBack(Exception):
    """Ends a transaction that must leave nothing behind."""


def _make_place(tx: Transaction, schema: str | None) -> None:
    """Make the schema that was chosen, and the ledger in it."""
    if schema is not None and not tx.rows(_SQL["schema_exists"], schema=schema):
        tx.run(_SQL["create_schema"], schema=schema)
    tx.run(_SQL["create_ledger"])


def _applied(tx: Transaction) -> dict[str, str]:
    ledger = tx.row(_SQL["ledger_exists"])
    if ledger is None or not ledger["exists"]:
        return {}
    applied = {row["version"]: row["checksum"] for row in tx.rows(_SQL["applied"])}
    if not applied and ledger["hidden"]:
        raise ConfigurationError(
            f"role {ledger['role']} may read our tables and sees no row of them, for row level security hides them: "
            f"gh-backfill grant-reader {ledger['role']} lets it read (docs/writer_role.sql: write)"
        )
    return applied


def known() -> list[Migration]:
    """Return all migrations, in their order."""
    found = []
    for path in resources.migrations():
        version, _, name = path.stem.partition("_")
        statements = path.read_text(encoding="utf-8")
        checksum = hashlib.sha256(statements.encode()).hexdigest()
        found.append(Migration(version=version, name=name, checksum=checksum, statements=statements))
    return found
