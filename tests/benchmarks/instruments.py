"""Stop-watches at the outermost edge: around every request that leaves the process and every statement of its database.

The package itself is run as it is; what is wrapped are the two libraries below it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import requests
from psycopg2 import extensions, extras

from gh_backfill.resources import PACKAGE, sql


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """One statement: its name in `store/sql/`, seconds, the transaction it was in, and its plan where one was asked.

    Statements that travel together have equal parts of their time.
    Transactions are counted from 1; what is sent by itself, beside one of another connection, is in none: 0.
    """

    name: str
    seconds: float
    transaction: int
    plan: dict[str, Any] | None = None


@dataclass(kw_only=True, slots=True)
class Record:
    """What a process did at its edges."""

    request_seconds: list[float] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    explain: bool = False
    transactions: int = 0
    explained: dict[str, int] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    written: dict[int, list[tuple[str, dict[str, Any] | None]]] = field(default_factory=dict)


@contextmanager
def recording(*, explain: bool = False) -> Iterator[Record]:
    """Record every request and statement of this process while the block runs.

    With `explain`, the first and every tenth execution of a statement is preceded by an EXPLAIN with its parameters.
    """
    record = Record(explain=explain)
    send, connect = requests.Session.send, psycopg2.connect

    def timed_send(session: requests.Session, *args: Any, **kwargs: Any) -> requests.Response:
        started = time.perf_counter()
        try:
            return send(session, *args, **kwargs)
        finally:
            record.request_seconds.append(time.perf_counter() - started)

    def recorded_connect(*args: Any, **kwargs: Any) -> extensions.connection:
        made: extensions.connection = connect(*args, **{"connection_factory": _connection_class(record), **kwargs})
        return made

    requests.Session.send = timed_send  # type: ignore[method-assign, assignment]
    psycopg2.connect = recorded_connect  # type: ignore[assignment]
    try:
        yield record
    finally:
        requests.Session.send = send  # type: ignore[method-assign]
        psycopg2.connect = connect


def _connection_class(record: Record) -> type[extensions.connection]:
    class Recorded(extensions.connection):
        def cursor(self, *args: Any, **kwargs: Any) -> Any:
            kind = kwargs.pop("cursor_factory", None) or extensions.cursor
            return super().cursor(*args, cursor_factory=_cursor_class(kind, record), **kwargs)

    return Recorded


def _cursor_class(kind: type[Any], record: Record) -> type[Any]:
    class Recorded(kind):  # type: ignore[misc]
        def mogrify(self, query: Any, vars: Any = None) -> Any:  # noqa: A002 (psycopg2's name)
            name = _name(str(query))
            plan = _plan(self.connection, query, vars, name, record)
            record.written.setdefault(id(self.connection), []).append((name, plan))
            return super().mogrify(query, vars)

        def execute(self, query: Any, vars: Any = None) -> Any:  # noqa: A002 (psycopg2's name)
            told = bytes(query) if isinstance(query, bytes) else str(query).encode()
            written = record.written.pop(id(self.connection), [])
            if told.startswith(b"begin"):
                record.transactions += 1
                record.open[id(self.connection)] = record.transactions
                written.insert(0, ("begin", None))
            transaction = record.open.get(id(self.connection), 0)
            if told.endswith((b"commit", b"rollback")):
                record.open.pop(id(self.connection), None)
                written.append((told[-8:].decode().split()[-1], None))
            started = time.perf_counter()
            try:
                return super().execute(query, vars)
            finally:
                seconds = (time.perf_counter() - started) / max(1, len(written))
                record.statements += [
                    Statement(name=name, seconds=seconds, transaction=transaction, plan=plan) for name, plan in written
                ]

    return Recorded


def _plan(connection: Any, query: Any, values: Any, name: str, record: Record) -> dict[str, Any] | None:
    if not record.explain or name == "other":
        return None
    record.explained[name] = seen = record.explained.get(name, 0) + 1
    if seen != 1 and seen % 10:
        return None
    with extensions.connection.cursor(connection, cursor_factory=extras.RealDictCursor) as cursor:
        cursor.execute(f"explain (format json) {query}", values)
        row = cursor.fetchone()
    assert row is not None
    plan: dict[str, Any] = row["QUERY PLAN"][0]["Plan"]
    return plan


def _name(query: str) -> str:
    return _names().get(query.strip(), "other")


_known: dict[str, str] = {}


def _names() -> dict[str, str]:
    """Return the names of all statements of the package by their text."""
    if not _known:
        for path in sorted((PACKAGE / "store" / "sql").glob("*.sql")):
            _known.update((text, f"{path.stem}.{name}") for name, text in sql(path.stem).items())
    return _known
