"""The states of a backfill, a stream, a chunk and a job, and the arrows between them.

backfill and stream   active    -> paused, completed, failed
                      paused    -> active, failed
                      completed -> active
                      failed    -> active
chunk                 pending    -> processing, skipped, failed
                      processing -> processing, completed, pending, failed, skipped
                      failed     -> pending
job                   pending    -> processing, cancelled, skipped, failed, completed
                      processing -> completed, failed, cancelled
                      failed     -> completed

The words are those of the CHECK constraints; a test holds the three against each other.  A failed job may still
complete, because existing installations fail every job that runs for more than ten minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class BackfillStatus(StrEnum):
    """The state of a backfill and of each of its streams; only `failed` waits for a person."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"


# Why a person holds a backfill for good: no plan opens it again.
CANCELLED = "cancelled"
UNTRACKED = "untracked"
GIVEN_UP = frozenset({CANCELLED, UNTRACKED})


class ChunkStatus(StrEnum):
    """The state of one page of work."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class JobStatus(StrEnum):
    """The state of one planned run of a command."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class BackfillEvent(StrEnum):
    """What people and plans do to a backfill; the same words are in a CHECK."""

    TRACKED = "tracked"
    UNTRACKED = "untracked"
    OPENED = "opened"
    PLANNED = "planned"
    PAUSED = "paused"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    RECOVERED = "recovered"


BACKFILL_ARROWS: Mapping[BackfillStatus, frozenset[BackfillStatus]] = {
    BackfillStatus.ACTIVE: frozenset({BackfillStatus.PAUSED, BackfillStatus.COMPLETED, BackfillStatus.FAILED}),
    BackfillStatus.PAUSED: frozenset({BackfillStatus.ACTIVE, BackfillStatus.FAILED}),
    BackfillStatus.COMPLETED: frozenset({BackfillStatus.ACTIVE}),
    BackfillStatus.FAILED: frozenset({BackfillStatus.ACTIVE}),
}

CHUNK_ARROWS: Mapping[ChunkStatus, frozenset[ChunkStatus]] = {
    ChunkStatus.PENDING: frozenset({ChunkStatus.PROCESSING, ChunkStatus.SKIPPED, ChunkStatus.FAILED}),
    ChunkStatus.PROCESSING: frozenset(
        {
            ChunkStatus.PROCESSING,
            ChunkStatus.COMPLETED,
            ChunkStatus.PENDING,
            ChunkStatus.FAILED,
            ChunkStatus.SKIPPED,
        }
    ),
    ChunkStatus.COMPLETED: frozenset(),
    ChunkStatus.FAILED: frozenset({ChunkStatus.PENDING}),
    ChunkStatus.SKIPPED: frozenset(),
}

JOB_ARROWS: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset(
        {JobStatus.PROCESSING, JobStatus.CANCELLED, JobStatus.SKIPPED, JobStatus.FAILED, JobStatus.COMPLETED}
    ),
    JobStatus.PROCESSING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset({JobStatus.COMPLETED}),
    JobStatus.CANCELLED: frozenset(),
    JobStatus.SKIPPED: frozenset(),
}
