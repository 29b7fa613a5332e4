"""The progress of a run of one of Inngest's functions: what its steps return, and what it is told by each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from gh_backfill.engine.outcome import Captured
from gh_backfill.models.work import RowCounts

# Inngest ends a run after 1,000 steps, waits among them.
MOST_STEPS = 900
# So many steps in a row may find nothing to do: another worker is at it, or errors make it wait.
MOST_IDLE = 20


class RunPlan(BaseModel):
    """The kinds of items that a run is about, in their order; none, and why, where there is nothing to do."""

    model_config = ConfigDict(frozen=True)

    kinds: tuple[str, ...] = ()
    note: str = ""


class RunSums(BaseModel):
    """What was done."""

    model_config = ConfigDict(frozen=True)

    chunks: int = 0
    items: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    quarantined: int = 0
    points: int = 0

    @classmethod
    def of(cls, captured: Captured) -> RunSums:
        """Return what a capture did."""
        counts = captured.counts
        return cls(
            chunks=captured.chunks,
            items=captured.items,
            inserted=counts.inserted,
            updated=counts.updated,
            unchanged=counts.unchanged,
            quarantined=counts.quarantined,
            points=captured.spent.points,
        )

    def __add__(self, other: RunSums) -> RunSums:
        """Add count by count."""
        return RunSums(**{name: getattr(self, name) + getattr(other, name) for name in RunSums.model_fields})

    @property
    def counts(self) -> RowCounts:
        """Return what was done to rows."""
        return RowCounts(
            inserted=self.inserted, updated=self.updated, unchanged=self.unchanged, quarantined=self.quarantined
        )


class ChunkDone(BaseModel):
    """What a step did: whether its kind is complete, and until when the next one waits, and why."""

    model_config = ConfigDict(frozen=True)

    kind: str
    complete: bool
    did: RunSums
    resume_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunProgress:
    """What the steps of a run did so far: which kinds are complete, which are `left`, and what it all sums up to.

    `steps` counts those of Inngest, of which a run has `most_steps`, `fetched` the chunks that were asked for, and
    `idle` how many of the last brought nothing.
    """

    left: tuple[str, ...]
    complete: tuple[str, ...] = ()
    sums: RunSums = field(default_factory=RunSums)
    steps: int = 1
    fetched: int = 0
    idle: int = 0
    most_steps: int = MOST_STEPS

    @property
    def last(self) -> bool:
        """Say whether the next step is the last but those that end the run."""
        return self.steps + 3 >= self.most_steps

    def after(self, done: ChunkDone) -> RunProgress:
        """Return it after another step, and the wait that it asks for."""
        return replace(
            self,
            left=self.left[1:] if done.complete else self.left,
            complete=(*self.complete, done.kind) if done.complete else self.complete,
            sums=self.sums + done.did,
            steps=self.steps + (1 if done.resume_at is None else 2),
            fetched=self.fetched + 1,
            idle=0 if done.did.chunks or done.complete else self.idle + 1,
        )
