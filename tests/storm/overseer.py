"""The storm's own hands in the database: the audit, the clock of the leases, and the end of a backend."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gh_backfill.errors import StoreConflict
from gh_backfill.store.db import Database, Row, Transaction

_AUDIT = (Path(__file__).parent / "audit.sql").read_text(encoding="utf-8")

# Who holds a chunk is whoever set its present attempt.
_HELD = """
    select c.id, c.attempt
    from backfill_chunks c
    join storm_audit a on a.row_id = c.id and a.kind = 'chunk' and a.attempt = c.attempt
     and a.new_status = 'processing' and a.old_attempt is distinct from a.attempt
    where c.status = 'processing' and a.worker = %(worker)s"""
_EXPIRE = """
    update backfill_chunks set lease_until = clock_timestamp() - interval '1 second'
    where id = %(id)s and status = 'processing' and attempt = %(attempt)s"""
_WAITING = """
    select from pg_stat_activity
    where wait_event_type = 'Lock' and application_name like 'storm-%%' and application_name <> %(worker)s"""
_UNCHANGED = "select from backfill_chunks where id = %(id)s and status = 'processing' and attempt = %(attempt)s"


class Overseer:
    """Works on connections of its own; may be used by many threads at once."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Open a transaction on a new connection."""
        with Database(self._url, application_name="storm") as db, db.transaction() as tx:
            yield tx

    def watch(self) -> None:
        """Begin to note every change of state."""
        with self.transaction() as tx:
            tx.run(_AUDIT)

    def expire(self, worker: str) -> list[Row]:
        """Let the lease of a worker be over, as five minutes would; returns the chunks it held, with their attempt."""
        for _ in range(3):
            with suppress(StoreConflict), self.transaction() as tx:  # somebody else may be at it for a while
                held = tx.rows(_HELD, worker=worker)
                for chunk in held:
                    tx.run(_EXPIRE, **chunk)
                return held
        return []

    def holds(self, worker: str) -> bool:
        """Say whether a worker has claimed a chunk that is still its own."""
        with self.transaction() as tx:
            return bool(tx.rows(_HELD, worker=worker))

    def taken_over(self, chunks: list[Row]) -> bool:
        """Say whether somebody else has got on with all of these chunks."""
        with self.transaction() as tx:
            return all(tx.row(_UNCHANGED, **chunk) is None for chunk in chunks)

    def wait_for_a_rival(self, worker: str, most: float) -> bool:
        """Wait until another worker waits for a lock, at most so many seconds; False if none does."""
        until = time.monotonic() + most
        while time.monotonic() < until:
            with self.transaction() as tx:
                if tx.rows(_WAITING, worker=worker):
                    return True
            time.sleep(0.05)
        return False

    def terminate(self, worker: str) -> None:
        """End the backend of a worker, as an administrator or a restart does."""
        with self.transaction() as tx:
            tx.run(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = %(worker)s",
                worker=worker,
            )

    def hurry(self) -> None:
        """Let every retry be due now."""
        with self.transaction() as tx:
            tx.run("update backfill_chunks set retry_at = clock_timestamp() where status = 'pending'")

    def is_complete(self, repository_id: str, kinds: tuple[str, ...]) -> bool:
        """Say whether the backfills of all these kinds of items of a repository are."""
        with self.transaction() as tx:
            rows = tx.rows(
                "select kind from backfills where repository_id = %(id)s::uuid and status = 'completed'",
                id=repository_id,
            )
            return {row["kind"] for row in rows} >= set(kinds)

    def github_id(self, repository_id: str) -> int:
        """Return GitHub's id of one of our repositories."""
        with self.transaction() as tx:
            row = tx.row("select github_id from repositories where id = %(id)s::uuid", id=repository_id)
            assert row is not None
            return int(row["github_id"])

    def ids(self, github_ids: tuple[int, ...]) -> list[str]:
        """Return our ids of repositories; they outlive a change of the name."""
        with self.transaction() as tx:
            rows = tx.rows(
                "select id from repositories where github_id = any(%(ids)s) order by full_name", ids=github_ids
            )
            return [row["id"] for row in rows]
