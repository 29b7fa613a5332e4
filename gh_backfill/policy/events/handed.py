"""The words of gh-datpipe for its jobs, and how a job of ours ends by each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gh_backfill.policy.ledger import JobOutcome
from gh_backfill.policy.lifecycle import JobStatus

# The guide fetches 90 days, and says that GitHub has no more.
MOST_DAYS = 90
# In seconds, between two repositories.
APART = 1.0


class HandedState(StrEnum):
    """How a job stands that the service has."""

    WAITING = "waiting"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = frozenset({HandedState.COMPLETED, HandedState.FAILED, HandedState.CANCELLED})
_WORDS: Mapping[str, HandedState] = {
    **dict.fromkeys(("queued", "pending", "waiting", "accepted", "scheduled"), HandedState.WAITING),
    **dict.fromkeys(("completed", "complete", "succeeded", "success", "done"), HandedState.COMPLETED),
    **dict.fromkeys(("failed", "error", "timed_out"), HandedState.FAILED),
    **dict.fromkeys(("cancelled", "canceled"), HandedState.CANCELLED),
}
# Until the service is done our job has ended in order, and something is left to do.
ENDINGS: Mapping[HandedState, tuple[JobStatus, JobOutcome]] = {
    HandedState.WAITING: (JobStatus.COMPLETED, JobOutcome.STOPPED),
    HandedState.PROCESSING: (JobStatus.COMPLETED, JobOutcome.STOPPED),
    HandedState.COMPLETED: (JobStatus.COMPLETED, JobOutcome.COMPLETED),
    HandedState.FAILED: (JobStatus.FAILED, JobOutcome.FAILED),
    HandedState.CANCELLED: (JobStatus.CANCELLED, JobOutcome.CANCELLED),
}


def state_of(word: str) -> HandedState:
    """Return what a word of the service means; one that nobody knows is no end."""
    return _WORDS.get(word.strip().lower(), HandedState.PROCESSING)
