"""Files of Parquet, by pyarrow: an extra, for it is larger than all the rest together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gh_backfill.errors import ConfigurationError
from gh_backfill.policy.exported import ExportedTable, ValueType
from gh_backfill.store.db import Row
from gh_backfill.tasks.exports.text_files import Write

PACKAGE = (
    f"Parquet takes a package that is not installed: {sys.executable} -m pip install pyarrow, or choose --format sqlite"
)
# In bytes: readers like groups of rows that are large, and these lie in memory.
GROUP = 32 << 20


def require() -> None:
    """Raise ConfigurationError where the package is missing."""
    _packages()


@contextmanager
def parquet_table(folder: Path, table: ExportedTable) -> Iterator[Write]:
    """Yield what writes rows to a file of Parquet: times are microseconds in UTC, whole numbers have 64 bits."""
    arrow, parquet = _packages()
    types = {
        ValueType.TEXT: arrow.string(),
        ValueType.JSON: arrow.string(),
        ValueType.INTEGER: arrow.int64(),
        ValueType.BOOLEAN: arrow.bool_(),
        ValueType.TIME: arrow.timestamp("us", tz="UTC"),
        ValueType.DAY: arrow.date32(),
    }
    schema = arrow.schema([(name, types[kind]) for name, kind in table.columns.items()])
    waiting: list[Any] = []
    with parquet.ParquetWriter(folder / f"{table.name}.parquet", schema, compression="zstd") as file:

        def write_group() -> None:
            file.write_table(arrow.Table.from_batches(waiting, schema=schema))
            waiting.clear()

        def write(rows: Sequence[Row]) -> None:
            waiting.append(arrow.RecordBatch.from_pylist(list(rows), schema=schema))
            if sum(each.nbytes for each in waiting) >= GROUP:
                write_group()

        yield write
        if waiting:
            write_group()


def _packages() -> tuple[Any, Any]:
    try:
        import pyarrow as arrow  # noqa: PLC0415  (an extra)
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(PACKAGE) from error
    return arrow, parquet
