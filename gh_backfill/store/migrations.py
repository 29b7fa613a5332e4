"""Bring a database up to date with `supabase/migrations`, and remember what was done in a ledger of our own.

Every file is repeatable: on an empty database it creates, on an existing one it adds what is missing.  Hence
- it does no harm where another tool (`supabase db push`) has applied it before, in whose ledger we never write;
- a file that was edited after it was applied is pending again and simply runs again.
Versions that the ledger knows and this installation does not were written by a newer one, and are left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gh_backfill import resources
from gh_backfill.errors import ConfigurationError, StoreConflict, StoreError
from gh_backfill.store import preflight
from gh_backfill.store.db import Database, Statement, Transaction
from gh_backfill.store.persist import Done, persistently

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
    return left(_applied(tx)) if known() else []


def left(applied: Mapping[str, str]) -> list[Migration]:
    """Return the migrations that are not among those that were applied, checksums by version, as they are now."""
    return [migration for migration in known() if applied.get(migration.version) != migration.checksum]


def is_empty(tx: Transaction) -> bool:
    """Say whether there is neither a table of ours nor of a host application."""
    row = tx.row(_SQL["is_empty"])
    return row is not None and bool(row["empty"])


def apply(db: Database, sleep: Callable[[float], None] | None = None) -> list[Migration]:
    """Apply what is pending, each migration in a transaction of its own, and return what this run has applied.

    All of them are sent at once.  Where that fails, those that are left are applied one by one, and what comes then is
    told; with `sleep`, a table that others hold and a database that is away are waited for, about two minutes each.
    Several runs at once wait for each other, and each migration is applied by one of them.  Raises ConfigurationError,
    with nothing written, where `preflight` finds an obstacle, and what `Database` raises: `StoreLocked` where a table
    stays locked by others for 5 seconds, and that migration has left nothing behind.
    """

    def again(action: Callable[[], Done]) -> Done:
        return action() if sleep is None else persistently(action, sleep)

    def one(migration: Migration) -> bool:
        return again(lambda: apply_one(db, migration))

    waiting = ready(db)
    try:
        db.transactions(_statements(migration, db.schema) for migration in waiting)
    except StoreError as error:
        still = again(lambda: _pending(db))
        done = [migration for migration in _before(error, waiting) if migration not in still]
        return done + [migration for migration in still if one(migration)]
    return waiting


def ready(db: Database) -> list[Migration]:
    """Return what is pending and may be applied; raises ConfigurationError where something is in the way."""
    obstacles = preflight.obstacles(db)
    if obstacles:
        raise ConfigurationError(f"nothing was written: {'; '.join(obstacles)}")
    return _pending(db)


def apply_one(db: Database, migration: Migration) -> bool:
    """Apply one migration unless another run was faster."""
    with db.transaction() as tx:
        tx.later(_SQL["wait_for_turn"])
        for statement, params in _place(db.schema):
            tx.later(statement, **params)
        if _applied(tx).get(migration.version) == migration.checksum:
            return False
        tx.later(migration.statements)
        tx.run(_SQL["record_migration"], **_entry(migration))
        return True


def rehearse(db: Database) -> None:
    """Prove that what is pending can be applied: do it all in one transaction that is rolled back.

    Raises what `apply` raises.  Tables are locked for a moment, as by the migrations themselves.
    """
    waiting = ready(db)
    with suppress(_RolledBack), db.transaction() as tx:
        for statement, params in _place(db.schema):
            tx.run(statement, **params)
        for migration in waiting:
            tx.run(migration.statements)
        raise _RolledBack


class _RolledBack(Exception):
    """Ends a transaction that must leave nothing behind."""


def _pending(db: Database) -> list[Migration]:
    with db.reading() as tx:
        return pending(tx)


def _before(error: StoreError, waiting: Sequence[Migration]) -> Sequence[Migration]:
    """Return what another run cannot have applied: all before the migration for which it was faster."""
    overtaken = isinstance(error, StoreConflict)
    return next((waiting[:at] for at, each in enumerate(waiting) if overtaken and each.version in str(error)), waiting)


def _statements(migration: Migration, schema: str | None) -> Iterator[Statement]:
    """Yield the statements of one migration's transaction, which fails where another run was faster."""
    yield _SQL["wait_for_turn"], {}
    yield from _place(schema)
    yield _SQL["refuse_if_applied"], {"version": migration.version, "checksum": migration.checksum}
    yield migration.statements, {}
    yield _SQL["record_migration"], _entry(migration)


def _place(schema: str | None) -> Iterator[Statement]:
    """Yield what makes the schema that was chosen, and the ledger in it."""
    if schema is not None:
        yield _SQL["create_schema"], {"schema": schema}
    yield _SQL["create_ledger"], {}


def _entry(migration: Migration) -> dict[str, object]:
    return {"version": migration.version, "name": migration.name, "checksum": migration.checksum}


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
