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

The words are those of the CHECK constraints.  Tests hold the three against each other, and judge every change by these
arrows.  A failed job may still complete, because existing installations fail every job that runs for more than ten
minutes.
"""

from __future__ import annotations

from enum import StrEnum


class BackfillStatus(StrEnum):
    """The state of a backfill and of each of its streams; only `failed` waits for a person."""

    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"


# The reasons for which a person holds a backfill for good: no plan opens it again.
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
