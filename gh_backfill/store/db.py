"""The one door to PostgreSQL: short explicit transactions on one connection, safe behind a transaction pooler."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Self

import psycopg2
from psycopg2 import extensions, extras
from psycopg2.extensions import make_dsn

from gh_backfill.errors import StoreError, StoreLocked, StoreUnavailable
from gh_backfill.resources import sql
from gh_backfill.store import address, causes, limits, moments
from gh_backfill.store.busy import Busy
from gh_backfill.store.causes import Session
from gh_backfill.store.transaction import Opening, Row, Statement, Transaction, message, own_errors

__all__ = ["Database", "Row", "Statement", "Transaction"]

log = logging.getLogger(__name__)

_SQL = sql("locks")
_UUID_ARRAY = extensions.new_array_type((2951,), "uuid[]", psycopg2.STRING)


class Database:
    """A database by its URL: one connection, opened at the first transaction and again when it was lost.

    Not for several threads at once, and transactions do not nest: give each thread a `Database` of its own.  `busy`
    counts the time, together with that of the connections made by `another`.  `schema` is the one that was chosen for
    our tables, None where the role's search_path decides.
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str = "gh_backfill",
        busy: Busy | None = None,
        statement_seconds: float | None = None,
    ) -> None:
        """Check the URL without connecting; `ConfigurationError` where it cannot be right.

        With `statement_seconds` every statement ends after so many, with StoreSlow.
        """
        self.busy = busy or Busy()
        self._url = url
        known = address.of(url)
        self.schema = known.schema
        self._statement_seconds = statement_seconds
        self._limits = limits.of(known.schema, statement_seconds)
        self._arguments = {"application_name": application_name, **known.arguments}
        self._connection: extensions.connection | None = None
        self._busy = False
        self._deferred: list[Callable[[], Statement]] = []

    def open(self) -> None:
        """Open the connection now, so that the first transaction need not; raises `StoreError` where that fails."""
        if self._connection is None:
            self._connection = self._connect()

    def transaction(self, *, read_only: bool = False) -> AbstractContextManager[Transaction]:
        """Run the block in one transaction, committed at its end and rolled back by any exception.

        Each statement is a round trip, and the COMMIT another one; what opens the transaction travels with the first.
        Raises a `StoreError` for everything that PostgreSQL or psycopg2 say: `StoreUnavailable` where the connection
        cannot be made or is lost (the outcome of a COMMIT cut off midway is unknown: claim again to find out),
        `StoreConflict` for a deadlock, a serialization failure or a lock not granted in time (replay the whole block),
        `StoreDenied` where a right or a setting is wrong, and `RowRefused` for a row that a constraint, a type or a
        limit of size does not admit.
        """
        return self._entered(f"begin{' read only' if read_only else ''}; {self._limits}", alone=False)

    def reading(self) -> AbstractContextManager[Transaction]:
        """Run the block with statements that only read, each a round trip and a transaction by itself: none to commit.

        What a statement locks or sets is gone after it.  Raises what `transaction` raises.
        """
        return self._entered(f"{self._limits};\nset transaction read only", alone=True)

    def statement(self, statement: str, /, *, durable: bool = True, **params: object) -> list[Row]:
        """Run one statement in a transaction of its own, in a single round trip, and return its rows.

        Promises what `statements` promises.
        """
        return self.statements((statement, params), durable=durable)

    def statements(self, *each: Statement, durable: bool = True) -> list[Row]:
        """Run statements in one transaction of their own, in a single round trip, and return the rows of the last.

        They must be such as may run twice: where the connection turns out to be dead, they are sent again over a new
        one.  What is not `durable` is committed without waiting for the disk: a crash of the server within a second may
        undo it, and nothing else does.  Raises what `transaction` raises.
        """
        self._refuse_to_nest()
        with self.busy.counted():
            return self._at_once(each, durable=durable)

    def transactions(self, each: Iterable[Iterable[Statement]]) -> None:
        """Run transactions one after the other in a single round trip, each with its limits and committed by itself.

        The first that fails ends it, and its error is raised: those before it are committed, none after it was begun.
        Nothing is sent again.
        """
        self._refuse_to_nest()
        with self.busy.counted():
            opening = self._opened("", alone=False)
            tx = self._transaction(opening)
            for statements in each:
                tx.later(f"begin; {self._limits}")
                for statement, params in statements:
                    tx.later(statement, **params)
                tx.later("commit")
            waiting = tx.waiting()
            try:
                if waiting:
                    self._executed(opening, message(*waiting))
            except BaseException:
                self._roll_back(opening)
                raise

    def defer(self, make: Callable[[], Statement]) -> None:
        """Let a statement travel with whatever is sent next, before it and in a transaction of its own.

        It is made when it is sent, may run twice, and does not wait for the disk.  Where it fails that is logged, and
        what it travelled with is sent alone.
        """
        self._deferred.append(make)

    def flush(self) -> None:
        """Send what was deferred and has not travelled yet."""
        deferred, self._deferred = self._deferred, []
        if deferred:
            self.statements(*(make() for make in deferred), durable=False)

    def another(self) -> Database:
        """Return a further connection to the same database, for what must not wait for a transaction of this one."""
        name, seconds = self._arguments["application_name"], self._statement_seconds
        return Database(self._url, application_name=name, busy=self.busy, statement_seconds=seconds)

    def abandon(self) -> None:
        """Forget the connection without closing it: another thread may still wait for its answer."""
        self._connection = None

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

    @contextmanager
    def _entered(self, opens: str, *, alone: bool) -> Iterator[Transaction]:
        self._refuse_to_nest()
        self._busy = True
        try:
            with self.busy.counted():
                opening = self._opened(opens, alone=alone)
                tx = self._transaction(opening)
                try:
                    yield tx
                    self._commit(tx, opening)
                except StoreLocked as locked:
                    self._roll_back(opening)
                    raise StoreLocked(f"{locked}{self._holders()}") from locked
                except BaseException:
                    self._roll_back(opening)
                    raise
        finally:
            self._busy = False

    def _refuse_to_nest(self) -> None:
        if self._busy:
            raise RuntimeError("a transaction of this Database is open already: they do not nest")

    def _opened(self, text: str, *, alone: bool) -> Opening:
        """Prepare a transaction; nothing but a connection is asked of the server yet."""
        if fresh := self._connection is None:
            self._connection = self._connect()
        return Opening(text=text, alone=alone, fresh=fresh)

    def _transaction(self, opening: Opening) -> Transaction:
        return Transaction(lambda text: self._send(opening, text), lambda: self._cursor(opening), self._session())

    def _at_once(self, each: Sequence[Statement], *, durable: bool) -> list[Row]:
        tx = self._transaction(self._opened(self._limits + ("" if durable else limits.NOT_DURABLE), alone=True))
        return tx.rows_of_last(*each)

    def _send(self, opening: Opening, text: bytes) -> extensions.cursor:
        """Send a message, the first one with what opens the transaction.

        A connection that died while it was idle is replaced once: of a message without a COMMIT nothing is lost, and
        one that is a transaction alone may run twice.
        """
        if opening.sent:
            return self._executed(opening, text)
        before, text = self._take_deferred(opening), message(opening.text.encode(), text)
        try:
            return self._executed(opening, message(*before, text))
        except StoreUnavailable:
            if opening.fresh:
                raise
            self.close()
            opening.fresh, opening.sent = True, False
            return self._executed(opening, message(*before, text))
        except StoreError as error:
            if not before:
                raise
            log.warning("what was to be written with it may be lost: %s", error)  # if it is not at fault, text is again
            self._abort()
            opening.sent = False
            return self._executed(opening, text)

    def _take_deferred(self, opening: Opening) -> list[bytes]:
        deferred, self._deferred = self._deferred, []
        tx = self._transaction(opening)
        texts = [tx.text(*make()) for make in deferred]
        return [f"begin; {self._limits}{limits.NOT_DURABLE}".encode(), *texts, b"commit"] if texts else []

    def _executed(self, opening: Opening, text: bytes) -> extensions.cursor:
        cursor = self._cursor(opening)
        opening.sent = not opening.alone
        with own_errors(self._session()):
            cursor.execute(text)
        return cursor

    def _cursor(self, opening: Opening) -> extensions.cursor:
        if self._connection is None:
            if opening.sent:
                raise StoreUnavailable("the database does not answer: the connection was closed within a transaction")
            self._connection = self._connect()
        with own_errors(self._session()):
            return self._connection.cursor(cursor_factory=extras.RealDictCursor)

    def _connect(self) -> extensions.connection:
        try:
            connection: extensions.connection = psycopg2.connect(make_dsn(**self._arguments))
            connection.autocommit = True  # BEGIN and COMMIT are ours, so that one round trip carries the limits too
            connection.set_client_encoding("UTF8")  # asks for nothing where it is; a setting may say otherwise
            extensions.register_type(_UUID_ARRAY, connection)
            moments.register(connection)
        except psycopg2.Error as error:
            raise causes.of_connection(error, self._session()) from error
        return connection

    def _session(self) -> Session:
        """Return who asks which database, as far as that is known without asking."""
        user = self._arguments.get("user") or os.environ.get("PGUSER") or "of this account"
        return Session(user=user, database=self._arguments.get("dbname") or os.environ.get("PGDATABASE") or user)

    def _commit(self, tx: Transaction, opening: Opening) -> None:
        """Send the COMMIT, with what was left for later.

        It never travels with what opens the transaction: such a message could not be sent again over a new connection.
        """
        waiting = tx.waiting()
        if waiting and not opening.sent:
            self._send(opening, message(*waiting))
            waiting = []
        if opening.sent:
            cursor = self._executed(opening, message(*waiting, b"commit"))
            # PostgreSQL answers a COMMIT after a failed statement with a ROLLBACK, and no error.
            if cursor.statusmessage != "COMMIT":
                raise StoreError("the transaction was rolled back: one of its statements had failed")

    def _holders(self) -> str:
        """Say who holds locks on tables of ours: who held the very one is not known any more."""
        with suppress(StoreError):
            rows = self._at_once([(_SQL["holders"], {})], durable=True)
            if rows:
                told = "{table} is used by {application} (role {role}, process {pid})"
                each = "; ".join(told.format(**row) for row in rows)
                return f"; {each}: wait for it, or end it: select pg_terminate_backend({rows[0]['pid']})"
        return ""

    def _roll_back(self, opening: Opening) -> None:
        if opening.sent:
            self._abort()

    def _abort(self) -> None:
        """End the transaction whatever state it is in; a connection that does not answer is dropped, and its work."""
        try:
            if self._connection is not None:
                with self._connection.cursor() as cursor:
                    cursor.execute("rollback")
        except psycopg2.Error:
            self.close()
