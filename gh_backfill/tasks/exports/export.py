"""Export: what is stored of repositories, of one moment, as files for other programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from gh_backfill import __version__
from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.exported import ExportedTable, ExportFormat, format_of, tables, words
from gh_backfill.policy.json_text import json_text
from gh_backfill.store import export as store
from gh_backfill.store import repositories
from gh_backfill.store.db import Database, Transaction
from gh_backfill.store.export import ExportCandidate
from gh_backfill.tasks.exports import parquet_files, place
from gh_backfill.tasks.exports.sqlite_file import FILE, sqlite_table
from gh_backfill.tasks.exports.text_files import Write, csv_line, csv_table, jsonl_table

# Called with a table and how many of its rows are written.
Listen = Callable[[str, int], None]
_WRITERS: Mapping[ExportFormat, Callable[[Path, ExportedTable], AbstractContextManager[Write]]] = {
    ExportFormat.CSV: csv_table,
    ExportFormat.JSONL: jsonl_table,
    ExportFormat.PARQUET: parquet_files.parquet_table,
    ExportFormat.SQLITE: sqlite_table,
}
# How large a format is beside CSV, measured on the repositories of the tests.
_SHARES = {ExportFormat.CSV: 1.0, ExportFormat.JSONL: 1.4, ExportFormat.PARQUET: 0.25, ExportFormat.SQLITE: 1.3}
SAMPLE = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportAsked:
    """Where an export goes and what it has; `private` are the repositories that are not known to be public."""

    out: Path
    format: ExportFormat
    private: bool = False
    force: bool = False
    embeddings: bool = False

    @property
    def is_file(self) -> bool:
        """Say whether it is one file."""
        return self.format == ExportFormat.SQLITE


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedRows:
    """How many rows of a table were, or would be, written."""

    name: str
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was exported, or would be: then `bytes` is a guess.

    All rows are of the moment `at`.  `private_left_out` are repositories that nobody asked for with --private,
    `people_left_out` those who are known from them only, and `unknown` names that are not here.
    """

    out: str
    format: ExportFormat
    dry_run: bool
    at: datetime
    repositories: int
    private_left_out: int
    people_left_out: int
    unknown: tuple[str, ...]
    tables: tuple[ExportedRows, ...]
    bytes: int

    @property
    def rows(self) -> int:
        """Return how many rows there are together."""
        return sum(each.rows for each in self.tables)


def asked(
    out: Path, *, format_word: str = "", private: bool = False, force: bool = False, embeddings: bool = False
) -> ExportAsked:
    """Return where an export goes and as what; raises ConfigurationError where that can't be."""
    try:
        chosen = format_of(out.suffix, format_word.strip())
    except ValueError:
        raise ConfigurationError(f"--format must be {words(ExportFormat)}, not {format_word[:40]}") from None
    if chosen is None:
        raise ConfigurationError(
            f"{out.name} ends in another format than --format {format_word}: leave out one of them"
        )
    if chosen == ExportFormat.PARQUET:
        parquet_files.require()
    place.refuse(out, file=chosen == ExportFormat.SQLITE, force=force)
    return ExportAsked(out=out, format=chosen, private=private, force=force, embeddings=embeddings)


def export(
    db: Database, names: Sequence[str], wanted: ExportAsked, listen: Listen | None = None, *, dry_run: bool = False
) -> Exported:
    """Write what is stored of the named repositories, or of all on the list, as it is at one moment.

    It appears at its place whole, at the end; where anything goes wrong nothing is there.  With `dry_run` rows are
    counted, and nothing is written.  Raises ConfigurationError where nothing is to be exported, or it can't be written.
    """
    with store.snapshot(db) as tx:
        ids, unknown = _found(tx, names)
        chosen = store.candidates(tx, ids)
        kept = [each.id for each in chosen if wanted.private or not each.is_private]
        left_out = [each.id for each in chosen if each.id not in set(kept)]
        _refuse_nothing(kept, chosen, unknown)
        at = store.moment(tx)
        people = store.people_left_out(tx, kept, left_out) if left_out else 0
        if dry_run:
            counted, size = _counted(tx, wanted, kept)
        else:
            counted, size = _written(tx, wanted, kept, at, listen or (lambda _table, _rows: None))
    return Exported(
        out=str(wanted.out),
        format=wanted.format,
        dry_run=dry_run,
        at=at,
        repositories=len(kept),
        private_left_out=len(left_out),
        people_left_out=people,
        unknown=unknown,
        tables=counted,
        bytes=size,
    )


def _found(tx: Transaction, names: Sequence[str]) -> tuple[list[str] | None, tuple[str, ...]]:
    """Return our ids of what is named, None where nothing is, and the names of what is not here."""
    if not names:
        return None, ()
    found = repositories.find(tx, names)
    ids = [known.id for known in found.values() if known is not None]
    return ids, tuple(name for name, known in found.items() if known is None)


def _refuse_nothing(kept: Sequence[str], chosen: Sequence[ExportCandidate], unknown: Sequence[str]) -> None:
    if kept:
        return
    if chosen:
        raise ConfigurationError("only private repositories would be exported: ask for them with --private")
    missing = f"not here: {', '.join(unknown)}" if unknown else "no repository is here"
    raise ConfigurationError(f"{missing}: gh-backfill track brings them")


def _counted(tx: Transaction, wanted: ExportAsked, ids: Sequence[str]) -> tuple[tuple[ExportedRows, ...], int]:
    """Return how many rows each table has, and about how many bytes they take, by its first rows."""
    counted, size = [], 0.0
    for table in tables(embeddings=wanted.embeddings):
        first, rows = store.sample(tx, table, ids, size=SAMPLE)
        counted.append(ExportedRows(name=table.name, rows=rows))
        size += rows * sum(len(csv_line(table, row).encode()) for row in first) / max(1, len(first))
    return tuple(counted), round(size * _SHARES[wanted.format])


def _written(
    tx: Transaction, wanted: ExportAsked, ids: Sequence[str], at: datetime, listen: Listen
) -> tuple[tuple[ExportedRows, ...], int]:
    """Write all tables beside the place, then move them there; returns the rows of each, and the bytes."""
    counted = []
    with place.unfinished(wanted.out, private=wanted.private) as folder:
        made = folder / FILE if wanted.is_file else folder
        for table in tables(embeddings=wanted.embeddings):
            rows = 0
            with _WRITERS[wanted.format](folder, table) as write:
                for batch in store.batches(tx, table, ids):
                    write(batch)
                    rows += len(batch)
                    listen(table.name, rows)
            counted.append(ExportedRows(name=table.name, rows=rows))
        if wanted.is_file:
            made.chmod(0o600 if wanted.private else made.stat().st_mode)
        else:
            _write_marker(folder, wanted, at, counted)
        size = sum(each.stat().st_size for each in folder.iterdir())
        place.put(made, wanted.out, force=wanted.force)
    return tuple(counted), size


def _write_marker(folder: Path, wanted: ExportAsked, at: datetime, counted: Sequence[ExportedRows]) -> None:
    told = {
        "written_by": f"{place.WRITTEN_BY} {__version__}",
        "format": wanted.format,
        "at": at,
        "private": wanted.private,
        "tables": [asdict(each) for each in counted],
    }
    text = json.dumps(json.loads(json_text(told)), indent=2)
    (folder / place.MARKER).write_text(f"{text}\n", encoding="utf-8")
