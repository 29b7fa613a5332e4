"""What our statements need of a database, read from the statements themselves, and what it lacks of that.

A missing column, a new one that must not be empty, a missing right and row level security have all made writers of this
kind report success and store nothing.  So the catalog is asked before anything is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache

from gh_backfill.errors import StoreError, StoreReadOnly, StoreUnavailable
from gh_backfill.resources import migrations, sections_of_all_files, sql
from gh_backfill.store.db import Database, Row, Transaction

_SQL = sql("access")
_PROOFS = sql("proofs")
_INSERT = re.compile(r"\binsert into (\w+)(?:\s+as\s+\w+)?\s*\(([^)]*)\)", re.IGNORECASE)
_UPDATE = re.compile(r"\bupdate (\w+)(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\b", re.IGNORECASE)
_UPSERT = re.compile(r"\bdo update\s+set\b", re.IGNORECASE)
_DELETE = re.compile(r"\bdelete from (\w+)", re.IGNORECASE)
_SHOWN = re.compile(r"\binsert into progressive_backfill_state as p .*?;", re.DOTALL)
_ASSIGNED = re.compile(r"\s*(?:(\w+)\s*=|\(([\w\s,]+)\)\s*=)")
_TOKEN = re.compile(r"[(),;]|\s(?:from|where|returning)\b|$", re.IGNORECASE)
# Statements that are not ours to run at every write: the ledger's table is made by the migration command, and rows are
# deleted by a command that looks for its rights itself.
_LEFT_OUT = frozenset({"migrations", "access", "proofs", "preflight", "locks", "readers", "untracking"})
_RIGHTS = ("select", "insert", "update", "delete")
# So many tables are named before the statement that names them all.
_TOLD_APART = 3


@dataclass(kw_only=True, slots=True)
class Needs:
    """The columns that are written in one table; `always` are those that every insert sends."""

    columns: set[str] = field(default_factory=set)
    always: set[str] | None = None
    updated: bool = False
    deleted: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What a command finds: the checksums of the migrations that were applied, what is lacking, one line each.

    `policed` are the tables whose row level security counts for us and has no policy that simply admits us.
    """

    applied: Mapping[str, str]
    lacking: Sequence[str]
    policed: frozenset[str]


def look(tx: Transaction, *, writing: bool) -> Access:
    """Return what there is for us, in one query of a few milliseconds; the ledger of migrations must be there."""
    return _looked(tx, needed() if writing else {})


def lacking(tx: Transaction) -> Sequence[str]:
    """Return what the database lacks for our writing, one line each.  One query of a few milliseconds."""
    return look(tx, writing=True).lacking


def lacking_to_delete(tx: Transaction) -> Sequence[str]:
    """Return what the database lacks for deleting what was captured of a repository, one line each."""
    return _looked(tx, _needs(sql("untracking").values())).lacking


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


def proofs() -> list[str]:
    """Return the statements that write a row of each table, in the order in which the rows refer to each other."""
    return [insert for _, insert, _ in _proofs()]


@cache
def needed() -> dict[str, Needs]:
    """Return what our statements write, by table; the row of a backfill that others read is a trigger's of ours."""
    shown = [statement for path in migrations() for statement in _SHOWN.findall(path.read_text(encoding="utf-8"))]
    return _needs([*sections_of_all_files(leave_out=_LEFT_OUT), *shown])


class _RolledBack(Exception):
    """Ends a transaction that must leave nothing behind."""


def _looked(tx: Transaction, needed: Mapping[str, Needs]) -> Access:
    needs = [
        {"table": table, "columns": sorted(need.columns), "always": sorted(need.always or ()),
         "inserted": need.always is not None, "updated": need.updated,
            "deleted": need.deleted}
        for table, need in sorted(needed.items())
    ]  # fmt: skip
    rows = tx.rows(_SQL["lacking"], needs=needs)
    known = {"applied", "policed", *_RIGHTS}
    return Access(
        applied={row["table"]: row["column"] for row in rows if row["what"] == "applied"},
        lacking=[*(_told(row) for row in rows if row["what"] not in known), *_rights(rows)],
        policed=frozenset(row["table"] for row in rows if row["what"] == "policed"),
    )


def _needs(statements: Iterable[str]) -> dict[str, Needs]:
    needs: dict[str, Needs] = {}
    for statement in statements:
        for table, columns in _inserts(statement):
            need = needs.setdefault(table, Needs())
            need.columns |= columns
            need.always = columns if need.always is None else need.always & columns
        for table, columns in _updates(statement):
            need = needs.setdefault(table, Needs())
            need.columns |= columns
            need.updated = True
        for table in _DELETE.findall(statement):
            needs.setdefault(table, Needs()).deleted = True
    return needs


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


def _inserts(statement: str) -> Iterator[tuple[str, set[str]]]:
    for match in _INSERT.finditer(statement):
        yield match.group(1), set(re.findall(r"\w+", match.group(2)))


def _updates(statement: str) -> Iterator[tuple[str, set[str]]]:
    for match in _UPDATE.finditer(statement):
        yield match.group(1), set(_assigned(statement[match.end() :]))
    for upsert in _UPSERT.finditer(statement):
        table = [match.group(1) for match in _INSERT.finditer(statement, 0, upsert.start())][-1]
        yield table, set(_assigned(statement[upsert.end() :]))


def _assigned(text: str) -> Iterator[str]:
    """Yield the columns on the left of a SET list, which ends at a keyword outside of all parentheses."""
    for part in _parts(text):
        match = _ASSIGNED.match(part)
        if match:
            yield from re.findall(r"\w+", match.group(1) or match.group(2))


def _parts(text: str) -> Iterator[str]:
    depth, begin = 0, 0
    for token in _TOKEN.finditer(text):
        depth += {"(": 1, ")": -1}.get(token.group(), 0)
        ends = depth < 0 or (depth == 0 and token.group() not in {"(", ")", ","})
        if ends or (depth == 0 and token.group() == ","):
            yield text[begin : token.start()]
            begin = token.end()
        if ends:
            return


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
