"""A transaction as its statements see it: what is sent, what may travel later, and what comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import extensions

from gh_backfill.errors import RowRefused, StoreError
from gh_backfill.resources import sql
from gh_backfill.store import causes
from gh_backfill.store.causes import Session
from gh_backfill.store.parameters import adapted

_SQL = sql("notes")
# In bytes.  What waits is sent before it grows beyond this: a message is held in memory, here and by the server.
_LARGEST_MESSAGE = 32 << 20

Row = dict[str, Any]
# A statement and its parameters.
Statement = tuple[str, Mapping[str, object]]


@dataclass(kw_only=True, slots=True)
class Opening:
    """What goes before the first message of a transaction, or, where each is a transaction `alone`, before all.

    `fresh` says that the connection was made for it: to lose such a one is no matter of having been idle.
    """

    text: str
    alone: bool
    fresh: bool
    sent: bool = False


@dataclass(slots=True)
class Note:
    """What a statement says of its own result; `told` is None until `Transaction.read_notes` has asked for it."""

    name: str
    told: Any = None


class Transaction:
    """An open transaction.

    Statements name their parameters, `%(name)s`; a dict or a list arrives as `jsonb`, a tuple as an array.  A statement
    without parameters is sent as it is, so its percent signs are not doubled.
    """

    def __init__(
        self, send: Callable[[bytes], extensions.cursor], cursor: Callable[[], extensions.cursor], session: Session
    ) -> None:
        self._send = send
        self._cursor = cursor
        self._session = session
        self._waiting: list[bytes] = []
        self._notes: list[Note] = []

    def rows(self, statement: str, /, **params: object) -> list[Row]:
        """Return all rows of a statement; a `uuid` is a str, a `timestamptz` is in UTC."""
        return self._fetched(self.text(statement, params))

    def row(self, statement: str, /, **params: object) -> Row | None:
        """Return the one row of a statement, or None.  More than one raise `ValueError`: the statement is wrong."""
        rows = self.rows(statement, **params)
        if len(rows) > 1:
            raise ValueError(f"{len(rows)} rows where at most one was expected: {' '.join(statement.split())[:120]}")
        return rows[0] if rows else None

    def rows_of_last(self, *statements: Statement) -> list[Row]:
        """Execute statements, each of which sees what those before it did, and return the rows of the last."""
        return self._fetched(message(*(self.text(text, params) for text, params in statements)))

    def together(self, *statements: Statement) -> list[list[Row]]:
        """Return the rows of each of several statements that only select, all in one round trip.

        They come by way of JSON: a time, among the values, is its ISO text; and in no certain order.
        """
        found: list[list[Row]] = [[] for _ in statements]
        parts = [
            b"select %d as part, to_jsonb(q) as row from (%b\n) q" % (at, self.text(text.strip(" \n;"), params))
            for at, (text, params) in enumerate(statements)
        ]
        for row in self._fetched(b"\nunion all\n".join(parts)):
            found[row["part"]].append(row["row"])
        return found

    def run(self, statement: str, /, **params: object) -> int:
        """Execute a statement and return the number of rows it affected."""
        return self._executed(self.text(statement, params)).rowcount

    def later(self, statement: str, given: Statement | None = None, /, **params: object) -> None:
        """Execute a statement of which nobody asks the result, without a round trip of its own.

        It travels with the next statement, or with the COMMIT; what it ends in is raised there.  The rows
        of a selection that is `given` are there as `given`.
        """
        text = self.text(statement, params)
        if given is not None:
            text = b"with given as (%b)\n%b" % (self.text(given[0].strip(" \n;"), given[1]), text)
        if sum(map(len, self._waiting)) + len(text) > _LARGEST_MESSAGE and self._waiting:
            self._send(message(*self.waiting()))
        self._waiting.append(text)

    def noted(self, statement: str, /, **params: object) -> Note:
        """Execute a statement later that notes its result: it sets what it finds as `%(note)s`, as JSON.

        So several statements, each of which sees the rows of those before it, take one round trip: that of
        `read_notes`.
        """
        note = Note(name=f"gh_backfill.note_{len(self._notes)}")
        self._notes.append(note)
        self.later(statement, note=note.name, **params)
        return note

    def read_notes(self) -> None:
        """Let every note tell what its statement found, in one round trip with all that waits."""
        found = self.rows(_SQL["notes"], names=tuple(note.name for note in self._notes))
        for note, row in zip(self._notes, found, strict=True):
            note.told = row["told"]

    def waiting(self) -> list[bytes]:
        """Take what was left for later and was not sent yet."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def _fetched(self, text: bytes) -> list[Row]:
        cursor = self._executed(text)
        try:
            with own_errors(self._session):
                return [dict(row) for row in cursor.fetchall()]
        except (
            ValueError,
            OverflowError,
        ) as error:  # a date beyond Python's, a text that is not in the encoding it claims
            raise StoreError(f"the database holds a value that cannot be read: {error}") from error

    def _executed(self, text: bytes) -> extensions.cursor:
        return self._send(message(*self.waiting(), text))

    def text(self, statement: str, params: Mapping[str, object]) -> bytes:
        """Return a statement as it is sent, with its parameters; raises RowRefused for what can't be sent."""
        try:
            with own_errors(self._session):
                return self._cursor().mogrify(statement, adapted(params))
        except ValueError as error:  # what never reached it: half of a surrogate pair, a NUL
            raise RowRefused(f"the database cannot take a text: {error}") from error


@contextmanager
def own_errors(session: Session) -> Iterator[None]:
    """Raise a `StoreError` for what psycopg2 raises for a statement."""
    try:
        yield
    except psycopg2.Error as error:
        raise causes.of_statement(error, session) from error


def message(*statements: bytes) -> bytes:
    """Join statements into one message of the simple query protocol; a statement may end in a comment."""
    return b"\n;\n".join(statements)
