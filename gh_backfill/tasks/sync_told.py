"""The wish for a sync, and what came of it in words."""

from __future__ import annotations

from dataclasses import dataclass

from gh_backfill.engine.outcome import Captured
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.syncing import SyncReason


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncWish:
    """Why a sync is wanted, and how many days it is to read; None: what changed since the last one.

    `foreign` says that another application asks: then the customer's rule of twelve hours holds.
    """

    reason: SyncReason = SyncReason.MANUAL
    days: int | None = None
    foreign: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Synced:
    """What a sync did, or why it was refused.

    `read` and `changed` count rows of all tables, and `gone` those that GitHub has no more.  `alarm` says what is odd
    about it, and `handed` that the repository waits for a backfill now.  `unfinished` says how much of a history is
    here that is not complete.
    """

    repository: TrackedRepository
    captured: Captured | None = None
    refused: str | None = None
    alarm: str | None = None
    handed: bool = False
    gone: int = 0
    unfinished: str | None = None

    @property
    def read(self) -> int:
        """Return how many rows were read and sent to the database."""
        return 0 if self.captured is None else self.captured.counts.total

    @property
    def changed(self) -> int:
        """Return how many of them were new or different."""
        return 0 if self.captured is None else self.captured.counts.inserted + self.captured.counts.updated

    @property
    def text(self) -> str:
        """Say it in a line."""
        if self.captured is None:
            return self.refused or ""
        done = self.captured
        rows = f"{self.changed} of {self.read} rows changed"
        lines = [f"{counted(done.items, done.item)} read, {rows}: {done.told}" if done.items else done.told]
        if self.gone:
            lines.append(f"{counted(self.gone, 'row')} gone at GitHub")
        if done.outside:
            lines.append(f"{counted(done.outside, 'other')} changed, outside of what is wanted of it")
        if self.unfinished and not self.handed:
            lines.append(self.unfinished)
        if self.handed:
            lines.append("most of its history is not here: it waits for a backfill")
        return "; ".join([*lines, *([self.alarm] if self.alarm else [])])
