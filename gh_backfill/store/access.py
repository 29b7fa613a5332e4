"""The lacks of a database, of what our statements need, which `needs` lists.

A missing column, a new one that must not be empty, a missing right and row level security have all made writers of this
kind report success and store nothing.  So the catalog is asked before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from gh_backfill.errors import StoreError, StoreReadOnly, StoreUnavailable
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Row, Transaction
from gh_backfill.store.needs import TO_DELETE, TO_WRITE
from gh_backfill.store.table_needs import Needs

_SQL = sql("access")
_PROOFS = sql("proofs")
_RIGHTS = ("select", "insert", "update", "delete")
# A message names at most this many tables; the statement after it names them all.
_TOLD_APART = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """What is missing, one line each: tables and columns, and rights."""

    columns: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return all of it, empty where nothing is missing."""
        return "; ".join((*self.columns, *self.rights))


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What a command finds: the checksums of the migrations that were applied, and what is lacking.

    `policed` are the tables whose row level security counts for us and has no policy that simply admits us.
    """

    applied: Mapping[str, str]
    lacking: Lacking
    policed: frozenset[str]


def look(tx: Transaction, *, writing: bool) -> Access:
    """Return what there is for us, in one query of a few milliseconds; the ledger of migrations must be there."""
    return _looked(tx, TO_WRITE if writing else {})


def lacking(tx: Transaction) -> Lacking:
    """Return what the database lacks for our writing.  One query of a few milliseconds."""
    return look(tx, writing=True).lacking


def lacking_to_delete(tx: Transaction) -> Lacking:
    """Return what the database lacks for deleting what was captured of a repository."""
    return _looked(tx, TO_DELETE).lacking


def prove(db: Database) -> list[tuple[str, str]]:
    """Insert into, update and read each table that we write, in a transaction that is rolled back.

    Returns a (table, reason) for each one where that is not possible; raises StoreReadOnly where none can be written.
    """
    failures: list[tuple[str, str]] = []
    with suppress(_RolledBack), db.transaction() as tx:
        key = _key(tx)
        for table, insert, update in _proofs():
            tx.later(_SQL["before_each"])
            reason = _attempt(tx, insert, update, key)
            if reason is not None:
                failures.append((table, reason))
                tx.run(_SQL["undo_this"])
        raise _RolledBack
    return failures


class _RolledBack(Exception):
    """Ends a transaction that must leave nothing behind."""


def _looked(tx: Transaction, needs: Mapping[str, Needs]) -> Access:
    rows = tx.rows(_SQL["lacking"], needs=[_told_of(table, need) for table, need in sorted(needs.items())])
    known = {"applied", "policed", *_RIGHTS}
    return Access(
        applied={row["table"]: row["column"] for row in rows if row["what"] == "applied"},
        lacking=Lacking(
            columns=tuple(_told(row) for row in rows if row["what"] not in known), rights=tuple(_rights(rows))
        ),
        policed=frozenset(row["table"] for row in rows if row["what"] == "policed"),
    )


def _told_of(table: str, need: Needs) -> Row:
    return {
        "table": table,
        "columns": sorted(need.columns),
        "always": sorted(need.always or ()),
        "inserted": need.always is not None,
        "by_trigger": need.by_trigger,
        "updated": need.updated,
        "deleted": need.deleted,
    }


def _attempt(tx: Transaction, insert: str, update: str, key: Row) -> str | None:
    """Write one row, change it, and say why that did not work."""
    try:
        tx.run(insert, **key)
        if tx.run(update, **key) != 1:
            return "the row that was written can't be seen or changed: row level security hides it"
    except (StoreReadOnly, StoreUnavailable):  # not a matter of this table
        raise
    except StoreError as error:
        return str(error)
    return None


def _told(row: Row) -> str:
    table, column = row["table"], row["column"]
    match row["what"]:
        case "table":
            return f"table {table} is missing"
        case "column":
            return f"column {table}.{column} is missing"
        case _:
            return f"column {table}.{column} must not be empty, has no default, and is not written by us: give it one"


def _rights(rows: Sequence[Row]) -> Iterator[str]:
    """Tell of missing rights, the tables that lack the same ones together: a role that only reads lacks dozens."""
    of_table: dict[str, list[str]] = {}
    for row in rows:
        if row["what"] in _RIGHTS:
            of_table.setdefault(row["table"], []).append(row["what"])
    of_rights: dict[str, list[str]] = {}
    for table, rights in of_table.items():
        of_rights.setdefault(", ".join(right for right in _RIGHTS if right in rights), []).append(table)
    role = next((row["role"] for row in rows if row["what"] in _RIGHTS), "")
    for rights_text, tables in of_rights.items():
        names = ", ".join(tables)
        which = names if len(tables) <= _TOLD_APART else f"{len(tables)} tables"
        yield f"no right to {rights_text} {which}: grant {rights_text} on {names} to {role}"


def _key(tx: Transaction) -> Row:
    """Return ids for the rows of a proof that no real row has."""
    row = tx.row(_SQL["key"])
    assert row is not None
    return row


def _proofs() -> Iterator[tuple[str, str, str]]:
    """Yield (table, insert, update) in the order in which the rows refer to each other."""
    for name, statement in _PROOFS.items():
        kind, _, table = name.partition("_")
        if kind == "insert":
            yield table, statement, _PROOFS[f"update_{table}"]
