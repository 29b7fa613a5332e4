"""Backfills of events that somebody asked for, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AskedStatus(StrEnum):
    """How the backfill of a repository's events stands."""

    NEVER = "never"
    PENDING = "pending"
    WAITING = "waiting"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Say whether nobody works on it any more."""
        return self in (self.NEVER, self.COMPLETED, self.FAILED, self.CANCELLED)


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedEvents:
    """The last backfill of a repository's events, asked for at `asked_at`.

    `last_at` is when one was last whole, and `until` when it goes on.
    """

    repository_id: str
    job_id: str | None
    status: AskedStatus
    days: int | None
    batch: str | None
    at: datetime | None
    until: datetime | None
    error: str | None
    last_at: datetime | None
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedEvents:
    """A job that this process has taken: events of so many days of a repository."""

    id: str
    repository_id: str
    days: int
    batch: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchEnd:
    """What became of the repositories that were asked for together."""

    jobs: int
    completed: int
    days: int | None

    @property
    def text(self) -> str:
        """Say it in a few words."""
        return f"{self.completed:,} of {self.jobs:,} repositories, {self.days or 90:,} days"
