"""The words of the job ledger, and how a job that did not say how it ended is closed.

A job without an outcome is open, whatever its status: the cleaner of an existing application fails every job that has
been `processing` for ten minutes, and such a job may still come to its real end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill import errors
from gh_backfill.policy.lifecycle import JobStatus

# A living job tells after each chunk but its last that it lives.  In between it may wait up to an hour for points.
SILENT = timedelta(hours=2)
# A job may wait long for a runner; GitHub itself gives up after a day.
UNSTARTED = timedelta(hours=24)


class JobOutcome(StrEnum):
    """How a job ended; more exact than its status.  A CHECK admits these words."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    PAUSED = "paused"
    BUSY = "busy"
    FAILED = "failed"
    DIED = "died"
    CANCELLED = "cancelled"
    NEVER_STARTED = "never_started"
    NOT_POSSIBLE = "not_possible"


class JobType(StrEnum):
    """What a job was planned to do."""

    BACKFILL = "progressive_backfill"
    WEBHOOK = "webhook"
    SYNC = "sync"
    VERIFY = "verify"
    EVENTS = "events"
    EMBEDDING = "embedding"


_WORDS = {
    JobType.WEBHOOK: "fetch",
    JobType.SYNC: "sync",
    JobType.VERIFY: "verification",
    JobType.EVENTS: "events",
    JobType.EMBEDDING: "embeddings",
}


def job_word(job_type: str) -> str:
    """Return the word for what a job does; empty for a backfill, which most of them are."""
    return _WORDS.get(JobType(job_type), "") if job_type in list(JobType) else ""


class Processor(StrEnum):
    """Where a job ran."""

    GITHUB_ACTIONS = "github_actions"
    INNGEST = "inngest"
    LOCAL = "local"


class ErrorType(StrEnum):
    """What an error is about."""

    RATE_LIMIT = "rate_limit"
    NETWORK = "network"
    TOO_BIG = "too_big"
    DENIED = "denied"
    GONE = "gone"
    INVALID_DATA = "invalid_data"
    RUNNER = "runner"
    CANCELLED = "cancelled"
    DATABASE = "database"
    CONFIGURATION = "configuration"
    UNEXPECTED = "unexpected"


# These errors pass by themselves.  After any other, nothing is processed until somebody looks.
PASSING = frozenset({ErrorType.RATE_LIMIT, ErrorType.NETWORK, ErrorType.TOO_BIG, ErrorType.CANCELLED})


_TYPES: tuple[tuple[type[BaseException], ErrorType], ...] = (
    (errors.RateLimited, ErrorType.RATE_LIMIT),
    (errors.Unreachable, ErrorType.NETWORK),
    (errors.TooBig, ErrorType.TOO_BIG),
    (errors.Denied, ErrorType.DENIED),
    (errors.Misrouted, ErrorType.CONFIGURATION),
    (errors.Gone, ErrorType.GONE),
    (errors.InngestUnreachable, ErrorType.NETWORK),
    (errors.InngestRefused, ErrorType.CONFIGURATION),
    (errors.DatpipeDenied, ErrorType.CONFIGURATION),
    (errors.DatpipeUnknown, ErrorType.GONE),
    (errors.DatpipeError, ErrorType.NETWORK),
    (errors.EmbedderDenied, ErrorType.CONFIGURATION),
    (errors.TextRefused, ErrorType.INVALID_DATA),
    (errors.EmbedderError, ErrorType.NETWORK),
    (errors.StoreError, ErrorType.DATABASE),
    (errors.ConfigurationError, ErrorType.CONFIGURATION),
    (KeyboardInterrupt, ErrorType.CANCELLED),
)
_HOW = {True: "died or was shut down", False: "failed before the job began"}
_DEATHS = {
    "nothing is known": "the job ended without a word",
    "success": "the job ended without a word, though its runner reports success",
    "timed_out": "the runner was stopped at the job's time limit",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RunnerJob:
    """A job as GitHub Actions tells of it."""

    name: str
    status: str
    conclusion: str | None
    started_at: datetime | None
    completed_at: datetime | None
    attempt: int

    @property
    def seconds(self) -> int:
        """Return how long its runner was busy; 0 if it never started or still is."""
        if self.started_at is None or self.completed_at is None:
            return 0
        return max(0, int((self.completed_at - self.started_at).total_seconds()))


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenJob:
    """A row of the ledger that has no outcome yet; `label` is what its matrix entry is called."""

    id: str
    label: str
    run_key: str
    run_id: int | None
    attempt: int
    status: JobStatus
    created_at: datetime
    beat_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """The final word on a job that had none itself."""

    status: JobStatus
    outcome: JobOutcome
    error_type: ErrorType
    error: str


def error_type(error: BaseException) -> ErrorType:
    """Say what an error is about."""
    return next((found for kind, found in _TYPES if isinstance(error, kind)), ErrorType.UNEXPECTED)


def label_matches(label: str, runner_job: RunnerJob) -> bool:
    """Say whether GitHub's job is that of a matrix entry: its name ends in the entry's, whatever calls the workflow."""
    return runner_job.name == label or runner_job.name.endswith(f" {label}")


def once(runners: Sequence[RunnerJob]) -> list[RunnerJob]:
    """Return each runner once: a run that is partly repeated may list what it did not repeat under both attempts."""
    found: dict[tuple[str, datetime | None, datetime | None], RunnerJob] = {}
    for each in runners:
        found[(each.name, each.started_at, each.completed_at)] = each
    return list(found.values())


def ending(job: OpenJob, runner: RunnerJob | None) -> Ending | None:
    """Close a job of a run that is over, or of whose runner GitHub tells; None while that runner is at work."""
    started = job.status is not JobStatus.PENDING
    conclusion = "nothing is known" if runner is None else runner.conclusion
    match conclusion:
        case None:
            found = None
        case "cancelled":
            found = _cancelled("the job was cancelled" if started else "the job was cancelled before it started")
        case "nothing is known" | "skipped" if not started:
            found = _never_started(JobStatus.CANCELLED if runner is None else JobStatus.SKIPPED)
        case other:
            found = _died(_DEATHS.get(other) or f"the runner {_HOW[started]} ({other})")
    return found


def ending_by_age(job: OpenJob, now: datetime) -> Ending | None:
    """Close a job of which nobody can tell anything any more; None while it may still be alive."""
    if job.status is JobStatus.PENDING:
        return _never_started(JobStatus.CANCELLED) if now - job.created_at > UNSTARTED else None
    return _died("nothing was heard of the job any more") if now - (job.beat_at or job.created_at) > SILENT else None


def unstarted() -> Ending:
    """Close a job that was planned by a process that is known to be gone."""
    return _never_started(JobStatus.CANCELLED)


def killed() -> Ending:
    """Close a job whose process is known to be gone."""
    return _died("its process was killed")


def _cancelled(text: str) -> Ending:
    return Ending(status=JobStatus.CANCELLED, outcome=JobOutcome.CANCELLED, error_type=ErrorType.CANCELLED, error=text)


def _died(text: str) -> Ending:
    return Ending(status=JobStatus.FAILED, outcome=JobOutcome.DIED, error_type=ErrorType.RUNNER, error=text)


def _never_started(status: JobStatus) -> Ending:
    return Ending(
        status=status,
        outcome=JobOutcome.NEVER_STARTED,
        error_type=ErrorType.RUNNER,
        error="the job never started",
    )
