"""The database as a command needs it: brought up to date where that is ours to do, else one line says what to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gh_backfill.errors import ConfigurationError, EmptyDatabase, StoreDenied, StoreReadOnly, StoreSlow
from gh_backfill.policy.markdown import counted
from gh_backfill.settings import Settings
from gh_backfill.store import access, migrations, preflight, privacy
from gh_backfill.store.access import Access
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.migrations import Migration
from gh_backfill.tasks.migrate import migrate

FIRST = "gh-backfill track owner/name"


def prepare(
    db: Database,
    settings: Settings,
    *,
    writing: bool = True,
    migrated: Callable[[Sequence[Migration]], None] | None = None,
) -> None:
    """Bring an embedded database up to date, and any other one where `migrated` hears of it; else only look."""
    if settings.database_url is None and writing:
        migrations.apply(db)
        return
    found = _access(db, writing=writing)
    if found is None:
        if migrated is not None:
            migrated(_migrated(db))
        _refuse_what_is_not_up_to_date(db, settings)
        found = _looked(db, writing=writing)  # somebody has brought it up to date meanwhile
    if settings.in_actions:  # before anything of theirs can be said
        with db.reading() as tx:
            privacy.note_names(tx)
    lacking = str(found.lacking)
    if found.policed and not lacking:
        lacking = "; ".join(f"{table}: {reason}" for table, reason in access.prove(db) if table in found.policed)
    if lacking:
        raise ConfigurationError(f"the database can't be written: {lacking}; see gh-backfill check")


def told(applied: Sequence[Migration]) -> str:
    """Return the sentence that says what was brought."""
    if not applied:
        return "the database is up to date"
    return f"the database was brought up to date: {counted(len(applied), 'migration')}, to {applied[-1].version}"


def _access(db: Database, *, writing: bool) -> Access | None:
    """Look at a database that is expected to be up to date; None where it is not, or can't be looked at like that."""
    try:
        found = _looked(db, writing=writing)
    except StoreDenied:
        return None
    return None if migrations.left(found.applied) else found


def _looked(db: Database, *, writing: bool) -> Access:
    with db.reading() as tx:
        return access.look(tx, writing=writing)


def _migrated(db: Database) -> Sequence[Migration]:
    """Bring the database up to date; raises ConfigurationError with what to do where this role may not."""
    with db.reading() as tx:
        missing = migrations.pending(tx)
        astray = _astray(tx, db, missing)
    if astray is not None:
        raise ConfigurationError(astray)
    if not missing:
        return ()
    try:
        return migrate(db, time.sleep)
    except (StoreReadOnly, StoreSlow):
        raise  # for every role: it says what to do
    except StoreDenied as error:
        raise ConfigurationError(
            f"the database lacks {_listed(missing)}, and this role may not bring them ({error}): "
            "run gh-backfill migrate as the role that owns the tables"
        ) from error


def _astray(tx: Transaction, db: Database, missing: Sequence[Migration]) -> str | None:
    """Return why nothing may be made here before a schema is named."""
    return preflight.place(tx).led_astray if missing and db.schema is None else None


def _listed(missing: Sequence[Migration]) -> str:
    names, more = ", ".join(f"{each.version}_{each.name}" for each in missing[:3]), "…" if len(missing) > 3 else ""
    return f"{counted(len(missing), 'migration')} ({names}{more})"


def _refuse_what_is_not_up_to_date(db: Database, settings: Settings) -> None:
    """Raise what is to be done first: a schema to be named, migrations, or anything at all."""
    with db.reading() as tx:
        missing = migrations.pending(tx)
        astray = _astray(tx, db, missing)
        if missing and astray is None and migrations.is_empty(tx):
            embedded_one = settings.database_url is None
            first = FIRST if embedded_one else f"run gh-backfill migrate, then {FIRST}"
            raise EmptyDatabase(f"the database is empty: {first}")
    if astray is not None:
        raise ConfigurationError(astray)
    if missing:
        raise ConfigurationError(f"the database lacks {_listed(missing)}: run gh-backfill migrate first")
