"""Steps of an aggressive backfill: what they are called, which are wanted, and how each stands."""

from __future__ import annotations

from enum import StrEnum

from gh_backfill.errors import ConfigurationError


class AggressiveStep(StrEnum):
    """A step, in the order in which they are done.  A CHECK admits these words."""

    SYNC = "sync"
    EMBEDDINGS = "embeddings"
    WORKSPACE = "workspace"


class StepStatus(StrEnum):
    """How a step stands; one that is skipped was wanted and can't be done here.  A CHECK admits these words."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


class AggressiveStatus(StrEnum):
    """How an aggressive backfill stands: one that waits to go on is pending.  A CHECK admits these words."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset({AggressiveStatus.COMPLETED, AggressiveStatus.FAILED, AggressiveStatus.CANCELLED})
TITLES = {
    AggressiveStep.SYNC: "Data sync",
    AggressiveStep.EMBEDDINGS: "Embeddings generation",
    AggressiveStep.WORKSPACE: "Workspace aggregation",
}
MARKS = {
    StepStatus.PENDING: "○",
    StepStatus.PROCESSING: "▸",
    StepStatus.COMPLETED: "✓",
    StepStatus.FAILED: "✕",
    StepStatus.SKIPPED: "‖",
}


def wanted(
    *, skip_embeddings: bool = False, embeddings_only: bool = False, skip_workspace: bool = False
) -> tuple[AggressiveStep, ...]:
    """Return the steps that are wanted; raises ConfigurationError where the options leave out each other."""
    if skip_embeddings and embeddings_only:
        raise ConfigurationError("--skip-embeddings and --embeddings-only leave nothing to do: give one of them")
    if embeddings_only:
        return (AggressiveStep.EMBEDDINGS,)
    left_out = {AggressiveStep.EMBEDDINGS} if skip_embeddings else set[AggressiveStep]()
    left_out |= {AggressiveStep.WORKSPACE} if skip_workspace else set()
    return tuple(each for each in AggressiveStep if each not in left_out)
