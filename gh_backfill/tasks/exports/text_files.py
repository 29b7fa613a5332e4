"""Files of text: CSV that tells nothing from an empty text, and a line of JSON for each row."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from gh_backfill.policy.exported import ExportedTable
from gh_backfill.store.db import Row

Write = Callable[[Sequence[Row]], None]


@contextmanager
def csv_table(folder: Path, table: ExportedTable) -> Iterator[Write]:
    """Yield what writes rows to a file of CSV (RFC 4180, lines end in a line feed), below a line with the names.

    Text is quoted, always: a field without quotes and without a character is null, as PostgreSQL's COPY has it, and
    `""` an empty text.  What a spreadsheet would take for a formula stays as it is.
    """
    with (folder / f"{table.name}.csv").open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(table.columns) + "\n")
        yield lambda rows: file.writelines(csv_line(table, row) for row in rows)


@contextmanager
def jsonl_table(folder: Path, table: ExportedTable) -> Iterator[Write]:
    """Yield what writes rows to a file of JSON Lines."""
    with (folder / f"{table.name}.jsonl").open("w", encoding="utf-8", newline="") as file:
        yield lambda rows: file.writelines(
            json.dumps({name: plain(row[name]) for name in table.columns}, ensure_ascii=False) + "\n" for row in rows
        )


def csv_line(table: ExportedTable, row: Row) -> str:
    """Return a row as a line of CSV."""
    return ",".join(_field(row[name]) for name in table.columns) + "\n"


def plain(value: object) -> object:
    """Return a value as JSON and SQLite have it: times are ISO 8601 in UTC, and sort as text."""
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
    return value


def _field(value: object) -> str:
    match plain(value):
        case None:
            return ""
        case bool() as truth:
            return "true" if truth else "false"
        case str() as text if not isinstance(value, date):
            return '"' + text.replace('"', '""') + '"'
        case other:
            return str(other)
