"""A few connections to one database, lent to threads that need one for a moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gh_backfill.errors import StoreUnavailable
from gh_backfill.store.db import Database


class NoneFree(StoreUnavailable):
    """All connections stayed lent for as long as one may wait, or the pool is closed."""


class Pool:
    """At most so many connections, each opened when it is first used, the one that was used last lent first.

    A transaction is short and sets what it needs for itself, so a pooler between us and PostgreSQL is no matter.
    """

    def __init__(self, url: str, *, most: int, seconds: float, statement_seconds: float | None = None) -> None:
        """Check the URL without connecting; whoever asks waits at most so many seconds, and so does each statement."""
        self._model = Database(url, statement_seconds=statement_seconds)
        self._most = most
        self._seconds = seconds
        self._free: list[Database] = []
        self._lent = 0
        self._closed = False
        self._changed = threading.Condition()

    @contextmanager
    def connection(self) -> Iterator[Database]:
        """Lend a connection to the block.  Raises NoneFree.

        One over which anything failed is not lent again: another takes its place.  One that died while it was idle
        opens itself anew.
        """
        db = self._take()
        sound = False
        try:
            yield db
            sound = True
        finally:
            self._give_back(db, sound=sound)

    def close(self) -> None:
        """Close what is not lent, and lend nothing more; what is lent now is closed when it comes back."""
        with self._changed:
            self._closed = True
            free, self._free = self._free, []
            self._changed.notify_all()
        for each in free:
            each.close()

    def _take(self) -> Database:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._lent < self._most, self._seconds)
            if self._closed:
                raise NoneFree("the connections to the database are closed: this process is about to end")
            if self._lent >= self._most:
                raise NoneFree(f"none of {self._most} connections to the database was free for {self._seconds:g} s")
            self._lent += 1
            return self._free.pop() if self._free else self._model.another()

    def _give_back(self, db: Database, *, sound: bool) -> None:
        with self._changed:
            self._lent -= 1
            kept = sound and not self._closed
            if kept:
                self._free.append(db)
            self._changed.notify()
        if not kept:
            db.close()
