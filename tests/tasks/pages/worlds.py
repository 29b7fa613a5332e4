"""Repositories, backfills, chunks and jobs as a test wants them, straight into the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import uuid4

from gh_backfill.store import pages
from gh_backfill.store.db import Database, Transaction
from gh_backfill.tasks.pages.look import TOPICS

_NUMBERS = count(1)


@dataclass(kw_only=True)
class Made:
    """A repository of a test; columns that are None have their default."""

    name: str = ""
    tracked: bool = True
    is_private: bool = False
    total: int | None = 100
    status: str | None = "active"
    captured: int = 0
    columns: dict[str, object] = field(default_factory=dict)
    streams: bool = True
    goal: int | None = None
    fresh_at: datetime | None = None
    chunk: dict[str, object] | None = None
    job: dict[str, object] | None = None
    id: str = field(default_factory=lambda: str(uuid4()))


def make(db: Database, *each: Made) -> list[str]:
    """Write repositories, and return our ids of them."""
    with db.transaction() as tx:
        for made in each:
            number = next(_NUMBERS)
            made.name = made.name or f"octo/made-{number:05}"
            owner, name = made.name.split("/")
            insert(
                tx,
                "repositories",
                {
                    "id": made.id,
                    "github_id": number,
                    "full_name": made.name,
                    "owner": owner,
                    "name": name,
                    "is_private": made.is_private,
                    "github_pull_requests": made.total,
                },
            )
            if made.tracked:
                insert(tx, "tracked_repositories", {"repository_id": made.id})
            if made.status is not None:
                _backfill(tx, made)
            if made.job is not None:
                insert(
                    tx,
                    "progressive_capture_jobs",
                    {"repository_id": made.id, "job_type": "progressive_backfill", "run_key": "1", **made.job},
                )
    return [made.id for made in each]


def jobs_parts(db: Database) -> dict[str, object]:
    """Return what the topic of jobs is made of, without the minute, which may turn between two looks."""
    with pages.reading(db) as tx:
        found = pages.moved(tx)
    return {part: found[part] for part in TOPICS["jobs"] if part != "minute"}


def insert(tx: Transaction, table: str, columns: Mapping[str, object]) -> None:
    """Insert one row."""
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    tx.later(f"insert into {table} ({names}) values ({values})", **columns)  # noqa: S608


def _backfill(tx: Transaction, made: Made) -> None:
    backfill_id, stream_id = str(uuid4()), str(uuid4())
    base = {"id": backfill_id, "repository_id": made.id, "status": made.status, "total": made.total or 0}
    insert(tx, "backfills", {**base, "captured": made.captured, **made.columns})
    if not made.streams:
        return
    of = {"repository_id": made.id, "backfill_id": backfill_id, "backfill_state_id": backfill_id}
    history = {"id": stream_id, "stream": "history", "ordering": "CREATED_AT", "goal_max_items": made.goal}
    insert(tx, "backfill_streams", {**of, **history})
    if made.fresh_at is not None:
        ended = {"stream": "catch_up", "ordering": "UPDATED_AT", "status": "completed", "watermark": made.fresh_at}
        insert(tx, "backfill_streams", {**of, **ended})
    if made.chunk is not None:
        chunk = {"stream_id": stream_id, "chunk_number": 7, "processor_type": "local", **made.chunk}
        insert(tx, "backfill_chunks", {**of, **chunk})
