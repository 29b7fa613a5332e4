"""A file of SQLite with the tables of an export: keys, references and indexes, as Datasette and others like them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from gh_backfill.policy.exported import ExportedTable, ValueType
from gh_backfill.store.db import Row
from gh_backfill.tasks.exports.text_files import Write, plain

FILE = "data.sqlite"
_TYPES = {ValueType.INTEGER: "integer", ValueType.BOOLEAN: "integer"}


@contextmanager
def sqlite_table(folder: Path, table: ExportedTable) -> Iterator[Write]:
    """Yield what writes rows to a table of the file, which is made with the first one; indexes come at the end.

    Booleans are 0 and 1, times text in UTC.  The file is nobody's before it is whole: it needs no journal.
    Raises OSError where the file can't be written.
    """
    try:
        with closing(sqlite3.connect(folder / FILE, isolation_level=None)) as file:
            file.execute("pragma journal_mode = off")
            file.execute("pragma synchronous = off")
            file.execute("begin")
            file.execute(_definition(table))
            insert = f"insert into {table.name} values ({', '.join('?' * len(table.columns))})"  # noqa: S608  (ours)

            def write(rows: Sequence[Row]) -> None:
                file.executemany(insert, ([plain(row[name]) for name in table.columns] for row in rows))

            yield write
            for column in dict.fromkeys((*table.references, *table.indexed)):
                if column != table.key[0]:
                    file.execute(_index(table.name, column))
            file.execute("commit")
    except sqlite3.OperationalError as error:
        raise OSError(f"SQLite says: {error}") from error


def _index(table: str, column: str) -> str:
    """Return the statement that makes an index; SQLite takes names as no parameters, and these are `exported`'s own."""
    return f'create index "{table}_{column}" on "{table}" ("{column}")'


def _definition(table: ExportedTable) -> str:
    columns = [f"{name} {_TYPES.get(kind, 'text')}" for name, kind in table.columns.items()]
    keys = [f"primary key ({', '.join(table.key)})"]
    keys += [f"foreign key ({column}) references {other} (id)" for column, other in table.references.items()]
    return f"create table {table.name} ({', '.join([*columns, *keys])})"
