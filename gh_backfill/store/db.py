"""The one door to PostgreSQL: short explicit transactions on one connection, safe behind a transaction pooler."""

from __future__ import annotations

import json
import os
import re
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

from gh_backfill.errors import (
    ConfigurationError,
    RowRefused,
    RowTooLarge,
    StoreConflict,
    StoreError,
    StoreUnavailable,
)

Row = dict[str, Any]

# Only SET LOCAL: behind PgBouncer or Supabase's pooler a session setting would land on somebody else's session, and
# start-up options are refused.  The second line frees what a frozen process holds.
_LIMITS = """
set local lock_timeout = '5s';
set local idle_in_transaction_session_timeout = '60s';
set local timezone = 'UTC'
"""
# The lock of a row is held until the commit is on disk: rivals for one row would wait for one another's.
_NOT_DURABLE = "set local synchronous_commit = off"
_BEGIN = f"begin; {_LIMITS}"
_BEGIN_READ_ONLY = f"begin read only; {_LIMITS}"

_CONFLICTS = {"40001", "40P01", "55P03"}  # serialization failure, deadlock, lock time-out
_LOST = {"57P01", "57P02", "57P03", "57P05", "25P03", "53300"}  # shut down, idle too long, too many connections
_TOO_LARGE = "54"  # the class of limits: a jsonb over 256 MB, a row that no index takes
_OUT_OF_MEMORY = "53200"
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

    def __init__(self, connection: extensions.connection) -> None:
        self._cursor = connection.cursor(cursor_factory=extras.RealDictCursor)

    def rows(self, statement: str, /, **params: object) -> list[Row]:
        """Return all rows of a statement; a `uuid` is a str, a `timestamptz` is in UTC."""
        self._execute(statement, params)
        return [dict(row) for row in self._cursor.fetchall()]

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
        with _own_errors():
            self._cursor.execute(statement, {name: _adapted(value) for name, value in params.items()} or None)


class Database:
    """A database by its URL: one connection, opened at the first transaction and again when it was lost.

    Not for several threads at once, and transactions do not nest: give each thread a `Database` of its own.  `busy`
    counts the time, together with that of the connections made by `another`.
    """

    def __init__(self, url: str, *, application_name: str = "gh_backfill", busy: Busy | None = None) -> None:
        """Check the URL without connecting; `ConfigurationError` where it cannot be right."""
        self.busy = busy or Busy()
        self._url = url
        self._arguments = {"application_name": application_name, **connection_arguments(url)}
        self._connection: extensions.connection | None = None
        self._busy = False

    @contextmanager
    def transaction(self, *, read_only: bool = False) -> Iterator[Transaction]:
        """Run the block in one transaction, committed at its end and rolled back by any exception.

        Raises `StoreUnavailable` where the connection cannot be made or is lost (the outcome of a COMMIT cut off
        midway is unknown: claim again to find out) and `StoreConflict` for a deadlock, a serialization failure or a
        lock not granted in time: replay the whole block.  `RowRefused` is about a row that a constraint or a type does
        not admit.  Other errors of psycopg2 pass as they are.
        """
        if self._busy:
            raise RuntimeError("a transaction of this Database is open already: they do not nest")
        self._busy = True
        try:
            with self.busy.counted():
                tx = self._begin(_BEGIN_READ_ONLY if read_only else _BEGIN)
                try:
                    yield tx
                    self._commit()
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
        with _own_errors():
            tx = Transaction(self._connection)
        tx.run(begin)
        return tx

    def _at_once(self, statement: str, params: dict[str, object], durable: bool) -> list[Row]:
        """Send the limits and the statement together: PostgreSQL takes what comes in one message for a transaction."""
        if self._connection is None:
            self._connection = self._connect()
        with _own_errors():
            limits = _LIMITS if durable else f"{_LIMITS};\n{_NOT_DURABLE}"
            return Transaction(self._connection).rows(f"{limits};\n{statement}", **params)

    def _connect(self) -> extensions.connection:
        with _own_errors():
            connection: extensions.connection = psycopg2.connect(make_dsn(**self._arguments))
        connection.autocommit = True  # BEGIN and COMMIT are ours, so that one round trip carries the limits too
        extensions.register_type(_UUID_ARRAY, connection)
        return connection

    def _commit(self) -> None:
        assert self._connection is not None
        with _own_errors(), self._connection.cursor() as cursor:
            cursor.execute("commit")
            # PostgreSQL answers a COMMIT after a failed statement with a ROLLBACK, and no error.
            if cursor.statusmessage != "COMMIT":
                raise StoreError("the transaction was rolled back: one of its statements had failed")

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

    Raises `ConfigurationError` for what cannot be a connection string.  Its message repeats nothing of the URL: the
    password stands in it, and an unescaped one may have been read as the host or the port.
    """
    wrong = ConfigurationError(
        "the database URL is no PostgreSQL connection string: postgresql://user:password@host:5432/name is expected, "
        "with special characters of the password percent-encoded (@ is %40, / is %2F)"
    )
    if not re.match(r"postgres(ql)?://", url):
        raise wrong
    try:
        given = extensions.parse_dsn(url)
    except psycopg2.ProgrammingError:
        raise wrong from None
    misread = "@" in given.get("host", "") or "@" in given.get("dbname", "")
    if misread or not re.fullmatch(r"[\d,]*", given.get("port", "")):
        raise wrong
    defaults = {"connect_timeout": "10", "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
    if _is_remote(given) and "PGSSLMODE" not in os.environ:
        defaults["sslmode"] = "require"
    return defaults | given


def _is_remote(given: dict[str, str]) -> bool:
    hosts = given.get("hostaddr") or given.get("host") or os.environ.get("PGHOST", "")
    local = re.compile(r"|localhost|127(\.\d+){3}|::1|/.*")
    return not all(local.fullmatch(host) for host in hosts.split(","))


@contextmanager
def _own_errors() -> Iterator[None]:
    """Turn psycopg2's errors about connections and conflicts into ours; the others pass."""
    try:
        yield
    except psycopg2.Error as error:
        reason = " ".join(str(error).split())
        if error.pgcode in _CONFLICTS:
            raise StoreConflict(f"the database transaction collided with another one: {reason}") from error
        if _is_loss(error):
            raise StoreUnavailable(f"the database does not answer: {reason}") from error
        if (error.pgcode or "").startswith(_TOO_LARGE):
            raise RowTooLarge(f"the database can't take it: {error.diag.message_primary}") from error
        if isinstance(error, psycopg2.DataError | psycopg2.IntegrityError) or error.pgcode == _OUT_OF_MEMORY:
            # Without its detail, which repeats the row: texts of private repositories do not belong in logs.
            raise RowRefused(
                f"the database refuses a row: {error.diag.message_primary or type(error).__name__}"
            ) from error
        raise
    except ValueError as error:  # what never reached it: half of a surrogate pair, a NUL
        raise RowRefused(f"the database cannot take a text: {error}") from error


def _is_loss(error: psycopg2.Error) -> bool:
    if error.pgcode is None:
        return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return error.pgcode in _LOST or error.pgcode.startswith("08")


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
