"""Limits, progress and outcome of a capture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gh_backfill.models.github import Spent
from gh_backfill.models.work import PULL_REQUESTS, Goal, Phase, RowCounts, Stream, TrackedRepository
from gh_backfill.policy.estimate import Estimate
from gh_backfill.policy.goals import past
from gh_backfill.policy.items import Slot
from gh_backfill.policy.ledger import PASSING, ErrorType
from gh_backfill.policy.progress import within


class CaptureOutcome(StrEnum):
    """How a capture ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    PAUSED = "paused"
    BUSY = "busy"
    FAILED = "failed"
    INTERRUPTED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """When to stop though work is left; None means no such limit.  `part` is the part of a split walk to begin with.

    A walk that is whole stops once it has read what was created from `down_to` on.
    """

    chunk_size: int | None = None
    max_chunks: int | None = None
    deadline: datetime | None = None
    part: int | None = None
    down_to: datetime | None = None

    def is_down(self, stream: Stream, slots: Sequence[Slot]) -> bool:
        """Say whether a walk has come, with a page, to where it is to stop."""
        if self.down_to is None or stream.phase is not Phase.HISTORY or stream.part:
            return False
        return past(Goal(since=self.down_to), slots) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """How far a kind of item had come before a capture: how many are here and how many GitHub counts.

    They are those of the `goal` where it is one of some of them, and `open_ended` says that nobody knows how many these
    are.  `mean_size` is that of the items that are here, and `usual_page` the page that other repositories of its size
    took; None where that is not known.
    """

    captured: int
    total: int
    goal: int | None = None
    open_ended: bool = False
    mean_size: float | None = None
    usual_page: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """Where a capture stands after a chunk; `left` is what still lies before it, where that is known.

    `over` says that nothing is left of what was asked for.
    """

    repository: TrackedRepository
    captured: int
    total: int
    chunks: int
    spent: Spent
    items: int = 0
    waiting_until: datetime | None = None
    left: Estimate | None = None
    goal: int | None = None
    kind: str = PULL_REQUESTS
    words: str = "pull requests"
    over: bool = False
    open_ended: bool = False

    @property
    def wanted(self) -> int | None:
        """Return how many of all items the goal is about; None as long as nobody knows."""
        return None if self.open_ended else within(self.total, self.goal)


@dataclass(frozen=True, kw_only=True, slots=True)
class Captured:
    """What a capture did, and why it ended; `item` is the word for one of the items.

    So many items were read and not stored, for they are `outside` of the goal.

    Of several kinds `reason` is that of the one that a person has to know of first, and `others` how the others ended;
    `partly` says that not all of them failed, or not for the same cause.  `down` says that a walk that goes on has read
    all down to where it was to stop.
    """

    outcome: CaptureOutcome
    reason: str
    chunks: int = 0
    items: int = 0
    counts: RowCounts = field(default_factory=RowCounts)
    spent: Spent = field(default_factory=Spent)
    item: str = "pull request"
    gaps: int = 0
    retries: int = 0
    outside: int = 0
    resume_at: datetime | None = None
    error_type: ErrorType | None = None
    others: str = ""
    partly: bool = False
    down: bool = False

    @property
    def told(self) -> str:
        """Return why it ended, for each of its kinds."""
        return f"{self.reason}; {self.others}" if self.others else self.reason

    def then(self, later: Captured) -> Captured:
        """Return what both did together: how it ended is the later one's word, but what is left undone counts more.

        Where both are left undone alike, it is the word of the one whose error does not pass by itself, and it goes on
        when the first of them does.
        """
        told, other = (self, later) if _urgency(self) < _urgency(later) else (later, self)
        alike = self.outcome is later.outcome
        goes_on = [each.resume_at for each in ((told, other) if alike else (told,)) if each.resume_at is not None]
        return Captured(
            outcome=told.outcome,
            reason=told.reason,
            chunks=self.chunks + later.chunks,
            items=self.items + later.items,
            counts=self.counts + later.counts,
            spent=later.spent,
            item=self.item if self.item == later.item else "item",
            gaps=self.gaps + later.gaps,
            retries=self.retries + later.retries,
            outside=self.outside + later.outside,
            resume_at=min(goes_on, default=None),
            error_type=told.error_type or (other.error_type if alike else None),
            others="; ".join(filter(None, (other.reason, self.others, later.others))),
            partly=self.partly or later.partly or not alike or self.error_type is not later.error_type,
        )


def _urgency(captured: Captured) -> tuple[int, bool]:
    return _URGENCY.index(captured.outcome), captured.error_type is None or captured.error_type in PASSING


# What a person has to know first comes first.
_URGENCY = (
    CaptureOutcome.FAILED,
    CaptureOutcome.INTERRUPTED,
    CaptureOutcome.PAUSED,
    CaptureOutcome.BUSY,
    CaptureOutcome.STOPPED,
    CaptureOutcome.COMPLETED,
)
