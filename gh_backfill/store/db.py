"""The one door to PostgreSQL: short explicit transactions on one connection, safe behind a transaction pooler."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Any, Self

import psycopg2
from psycopg2 import extensions, extras
from psycopg2.extensions import make_dsn

from gh_backfill import database_address
from gh_backfill.database_address import Address
from gh_backfill.errors import ConfigurationError, RowRefused, StoreError, StoreLocked, StoreUnavailable
from gh_backfill.resources import sql
from gh_backfill.store import causes
from gh_backfill.store.causes import Session

Row = dict[str, Any]

_SQL = sql("locks")

# Only SET LOCAL: behind PgBouncer or Supabase's pooler a session setting would land on somebody else's session, and
# start-up options are refused.  The second line frees what a frozen process holds.
_LIMITS = """
set local lock_timeout = '5s';
set local idle_in_transaction_session_timeout = '60s';
set local timezone = 'UTC'
"""
# The lock of a row is held until the commit is on disk: rivals for one row would wait for one another's.
_NOT_DURABLE = "set local synchronous_commit = off"
_UUID_ARRAY = extensions.new_array_type((2951,), "uuid[]", psycopg2.STRING)


@dataclass(kw_only=True, slots=True)
class Busy:
    """How many seconds a database has been waited for, in transactions and statements."""

    seconds: float = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the time of the block."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds += time.monotonic() - started


class Transaction:
    """An open transaction.

    Statements name their parameters, `%(name)s`; a dict or a list arrives as `jsonb`, a tuple as an array.  A statement
    without parameters is sent as it is, so its percent signs are not doubled.
    """

    def __init__(self, connection: extensions.connection, session: Session) -> None:
        self._session = session
        with self._own_errors():
            self._cursor = connection.cursor(cursor_factory=extras.RealDictCursor)

    def rows(self, statement: str, /, **params: object) -> list[Row]:
        """Return all rows of a statement; a `uuid` is a str, a `timestamptz` is in UTC."""
        self._execute(statement, params)
        try:
            with self._own_errors():
                return [dict(row) for row in self._cursor.fetchall()]
        except (
            ValueError,
            OverflowError,
        ) as error:  # a date beyond Python's, a text that is not in the encoding it claims
            raise StoreError(f"the database holds a value that cannot be read: {error}") from error

    def row(self, statement: str, /, **params: object) -> Row | None:
        """Return the one row of a statement, or None.  More than one raise `ValueError`: the statement is wrong."""
        rows = self.rows(statement, **params)
        if len(rows) > 1:
            raise ValueError(f"{len(rows)} rows where at most one was expected: {' '.join(statement.split())[:120]}")
        return rows[0] if rows else None

    def run(self, statement: str, /, **params: object) -> int:
        """Execute a statement and return the number of rows it affected."""
        self._execute(statement, params)
        return self._cursor.rowcount

    def _execute(self, statement: str, params: dict[str, object]) -> None:
        try:
            with self._own_errors():
                self._cursor.execute(statement, {name: _adapted(value) for name, value in params.items()} or None)
        except ValueError as error:  # what never reached it: half of a surrogate pair, a NUL
            raise RowRefused(f"the database cannot take a text: {error}") from error

    @contextmanager
    def _own_errors(self) -> Iterator[None]:
        try:
            yield
        except psycopg2.Error as error:
            raise causes.of_statement(error, self._session) from error


class Database:
    """A database by its URL: one connection, opened at the first transaction and again when it was lost.

    Not for several threads at once, and transactions do not nest: give each thread a `Database` of its own.  `busy`
    counts the time, together with that of the connections made by `another`.  `schema` is the one that was chosen for
    our tables, None where the role's search_path decides.
    """

    def __init__(self, url: str, *, application_name: str = "gh_backfill", busy: Busy | None = None) -> None:
        """Check the URL without connecting; `ConfigurationError` where it cannot be right."""
        self.busy = busy or Busy()
        self._url = url
        address = _address(url)
        self.schema = address.schema
        self._limits = _LIMITS + _search_path(address.schema)
        self._arguments = {"application_name": application_name, **address.arguments}
        self._connection: extensions.connection | None = None
        self._busy = False

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Transaction]:
        """Run the block in one transaction, committed at its end and rolled back by any exception.

        Raises a `StoreError` for everything that PostgreSQL or psycopg2 say: `StoreUnavailable` where the connection
        cannot be made or is lost (the outcome of a COMMIT cut off midway is unknown: claim again to find out),
        `StoreConflict` for a deadlock, a serialization failure or a lock not granted in time (replay the whole block),
        `StoreDenied` where a right or a setting is wrong, and `RowRefused` for a row that a constraint, a type or a
        limit of size does not admit.
        """
        if self._busy:
            raise RuntimeError("a transaction of this Database is open already: they do not nest")
        self._busy = True
        try:
            with self.busy.counted():
                tx = self._begin(f"begin{' read only' if read_only else ''}; {self._limits}")
                try:
                    yield tx
                    self._commit()
                except StoreLocked as locked:
                    self._roll_back()
                    raise StoreLocked(f"{locked}{self._holders()}") from locked
                except BaseException:
                    self._roll_back()
                    raise
        finally:
            self._busy = False

    def statement(self, statement: str, /, *, durable: bool = True, **params: object) -> list[Row]:
        """Run one statement in a transaction of its own, in a single round trip, and return its rows.

        It must be one that may run twice: where the connection turns out to be dead, it is sent again over a new one.
        One that is not `durable` is committed without waiting for the disk: a crash of the server within a second may
        undo it, and nothing else does.  Raises what `transaction` raises.
        """
        if self._busy:
            raise RuntimeError("a transaction of this Database is open already: they do not nest")
        fresh = self._connection is None
        with self.busy.counted():
            try:
                return self._at_once(statement, params, durable)
            except StoreUnavailable:
                self.close()
                if fresh:
                    raise
                return self._at_once(statement, params, durable)

    def another(self) -> Database:
        """Return a further connection to the same database, for what must not wait for a transaction of this one."""
        return Database(self._url, application_name=self._arguments["application_name"], busy=self.busy)

    def close(self) -> None:
        """Close the connection; the next transaction would open it again."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
        self._connection = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self, begin: str) -> Transaction:
        """Open a transaction; a connection that died while it was idle is replaced once, for nothing is lost yet."""
        fresh = self._connection is None
        try:
            return self._begun(begin)
        except StoreUnavailable:
            self.close()
            if fresh:
                raise
            return self._begun(begin)

    def _begun(self, begin: str) -> Transaction:
        if self._connection is None:
            self._connection = self._connect()
        tx = Transaction(self._connection, self._session())
        tx.run(begin)
        return tx

    def _at_once(self, statement: str, params: dict[str, object], durable: bool) -> list[Row]:
        """Send the limits and the statement together: PostgreSQL takes what comes in one message for a transaction."""
        if self._connection is None:
            self._connection = self._connect()
        limits = self._limits if durable else f"{self._limits};\n{_NOT_DURABLE}"
        return Transaction(self._connection, self._session()).rows(f"{limits};\n{statement}", **params)

    def _connect(self) -> extensions.connection:
        try:
            connection: extensions.connection = psycopg2.connect(make_dsn(**self._arguments))
            connection.autocommit = True  # BEGIN and COMMIT are ours, so that one round trip carries the limits too
            extensions.register_type(_UUID_ARRAY, connection)
        except psycopg2.Error as error:
            raise causes.of_connection(error, self._session()) from error
        return connection

    def _session(self) -> Session:
        """Return who asks which database, as far as that is known without asking."""
        user = self._arguments.get("user") or os.environ.get("PGUSER") or "of this account"
        return Session(user=user, database=self._arguments.get("dbname") or os.environ.get("PGDATABASE") or user)

    def _commit(self) -> None:
        assert self._connection is not None
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("commit")
                # PostgreSQL answers a COMMIT after a failed statement with a ROLLBACK, and no error.
                if cursor.statusmessage != "COMMIT":
                    raise StoreError("the transaction was rolled back: one of its statements had failed")
        except psycopg2.Error as error:
            raise causes.of_statement(error, self._session()) from error

    def _holders(self) -> str:
        """Say who holds locks on tables of ours: who held the very one is not known any more."""
        with suppress(StoreError):
            rows = self._at_once(_SQL["holders"], {}, durable=True)
            if rows:
                told = "{table} is used by {application} (role {role}, process {pid})"
                each = "; ".join(told.format(**row) for row in rows)
                return f"; {each}: wait for it, or end it: select pg_terminate_backend({rows[0]['pid']})"
        return ""

    def _roll_back(self) -> None:
        """End the transaction whatever state it is in; a connection that does not answer is dropped, and its work."""
        try:
            if self._connection is not None:
                with self._connection.cursor() as cursor:
                    cursor.execute("rollback")
        except psycopg2.Error:
            self.close()


def connection_arguments(url: str) -> dict[str, str]:
    """Return what libpq is to be told for a `postgresql://` URL, with TLS required beyond this machine.

    Raises `ConfigurationError` for what cannot be a connection string; its message repeats nothing of the URL.
    """
    return _address(url).arguments


def _search_path(schema: str | None) -> str:
    """Return the limit that keeps a transaction in a schema; `extensions` is where Supabase keeps those."""
    return f";\nset local search_path to {causes.identifier(schema, always=True)}, extensions" if schema else ""


def _address(url: str) -> Address:
    try:
        return database_address.understood(url)
    except ValueError as error:
        raise ConfigurationError(f"the database URL {error}") from None


class _Jsonb:
    """A parameter that is sent as a typed jsonb literal, so that no statement has to cast it."""

    def __init__(self, value: object) -> None:
        self._json = extras.Json(value, dumps=lambda value: json.dumps(value, default=_plain))

    def __conform__(self, protocol: object) -> Self:
        return self

    def prepare(self, connection: extensions.connection) -> None:
        self._json.prepare(connection)

    def getquoted(self) -> bytes:
        return bytes(self._json.getquoted()) + b"::jsonb"


def _adapted(value: object) -> object:
    match value:
        case dict() | list():
            return _Jsonb(value)
        case tuple():
            return list(value)  # psycopg2 writes a list as an array
        case _:
            return value


def _plain(value: object) -> str:
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into JSON")
