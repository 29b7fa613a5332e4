"""The states of a backfill and of a job as people see them: each with its word, its mark and a sentence.

A state tells what is so now; how well a repository does is its health: how its last finished run ended, and when.
So what runs again after a failure is `retrying`, what never ran is not fine, and what a person stopped did not fail.
The statement `standings` (pages.sql) decides the word in SQL, for filters; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gh_backfill.policy.estimate import duration
from gh_backfill.policy.ledger import SILENT, ErrorType, JobOutcome, Processor
from gh_backfill.policy.lifecycle import CANCELLED, GIVEN_UP, UNTRACKED, BackfillStatus, JobStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import complete_words
from gh_backfill.policy.retries import PauseReason
from gh_backfill.policy.standing import outcome_words, why_it_stands

# As rows of earlier versions say that there were no points.
_NO_POINTS = frozenset({PauseReason.RATE_LIMIT, "rate_limit"})
PROCESSORS: Mapping[str, str] = {
    Processor.GITHUB_ACTIONS: "GitHub Actions",
    Processor.INNGEST: "Inngest",
    Processor.LOCAL: "This machine",
}


class Mark(StrEnum):
    """The six shapes that states have; finer states share one and differ by their word."""

    RUNNING = "▸"
    COMPLETED = "✓"
    WAITING = "‖"
    FAILED = "✕"
    HELD = "◇"
    NEVER = "○"


class PageState(StrEnum):
    """What is so now; the value is the word that people read."""

    RUNNING = "running"
    RETRYING = "retrying"
    STARVED = "starved"
    PAUSED = "paused"
    WAITING = "waiting"
    SILENT = "silent"
    SKIPPED = "skipped"
    HELD = "held"
    CANCELLED = "cancelled"
    UNTRACKED = "untracked"
    FAILED = "failed"
    COMPLETED = "completed"
    NEVER = "never run"


MARKS: Mapping[PageState, Mark] = {
    PageState.RUNNING: Mark.RUNNING,
    PageState.RETRYING: Mark.RUNNING,
    PageState.STARVED: Mark.WAITING,
    PageState.PAUSED: Mark.WAITING,
    PageState.WAITING: Mark.WAITING,
    PageState.SILENT: Mark.WAITING,
    PageState.SKIPPED: Mark.WAITING,
    PageState.HELD: Mark.HELD,
    PageState.CANCELLED: Mark.HELD,
    PageState.UNTRACKED: Mark.HELD,
    PageState.FAILED: Mark.FAILED,
    PageState.COMPLETED: Mark.COMPLETED,
    PageState.NEVER: Mark.NEVER,
}
# The states of a backfill that is at work, or will go on by itself.
UNDER_WAY = frozenset(
    {PageState.RUNNING, PageState.RETRYING, PageState.STARVED, PageState.PAUSED, PageState.WAITING, PageState.NEVER}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownState:
    """A state with what there is to say of it: a sentence, until when it lasts, and whose doing it is."""

    state: PageState
    detail: str | None = None
    until: datetime | None = None
    who: str | None = None

    @property
    def word(self) -> str:
        """Return the word for it."""
        return str(self.state)

    @property
    def mark(self) -> str:
        """Return its shape."""
        return str(MARKS[self.state])

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its time."""
        return {
            "state": self.word,
            "mark": self.mark,
            "detail": self.detail,
            "until": self.until,
            "who": self.who,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillFacts:
    """What is known of a backfill; times are UTC.

    `claimed` says that somebody holds a page of it now, `alive` that a job of its repository tells that it lives,
    `ran` that a page of it was ever begun.  `failures` and `retry_at` are those of the page that is open.
    `points_at` is when there are points again, where every identity has spent its own.
    """

    status: str | None
    held: bool = False
    held_reason: str | None = None
    held_by: str | None = None
    pause_reason: str | None = None
    resume_at: datetime | None = None
    last_error: str | None = None
    claimed: bool = False
    alive: bool = False
    ran: bool = False
    failures: int = 0
    retry_at: datetime | None = None
    points_at: datetime | None = None
    chunk_number: int | None = None
    chunk_error: str | None = None
    processor: str | None = None
    unlisted: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFacts:
    """What the ledger says of a job; `beat_at` is when it last told that it lives."""

    status: str
    outcome: str | None
    error: str | None = None
    error_type: str | None = None
    reason: str | None = None
    beat_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """How the last finished run ended (None: none ever did), when, and that in words."""

    state: PageState | None
    at: datetime | None
    text: str

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its time."""
        return {"state": None if self.state is None else str(self.state), "at": self.at, "text": self.text}


def of_backfill(facts: BackfillFacts, now: datetime) -> ShownState:
    """Decide how a backfill is shown."""
    over = facts.resume_at is not None and facts.resume_at <= now
    if facts.held and facts.held_reason in GIVEN_UP:
        return _stopped(_GIVEN_UP[str(facts.held_reason)], facts)
    if over and (facts.held or facts.status == BackfillStatus.PAUSED):
        return ShownState(state=PageState.WAITING, detail="the pause is over, and the next plan goes on with it")
    return _stopped(PageState.HELD, facts) if facts.held else _by_status(facts, now)


def of_job(facts: JobFacts, now: datetime) -> ShownState:
    """Decide how a job is shown."""
    if facts.outcome is None:
        return _open_job(facts, now)
    state = _OUTCOMES.get(facts.outcome, PageState.FAILED)
    if facts.outcome == JobOutcome.PAUSED and facts.error_type == ErrorType.RATE_LIMIT:
        state = PageState.STARVED
    if state is PageState.FAILED:
        return ShownState(state=state, detail=outcome_words(facts.outcome.replace("_", " "), facts.error))
    return ShownState(state=state, detail=facts.error or _WITHOUT_ERROR.get(facts.outcome))


def health(last: JobFacts | None, at: datetime | None, now: datetime) -> Health:
    """Say how the last finished run ended, and how long ago."""
    if last is None or at is None:
        return Health(state=None, at=None, text="no run has finished yet")
    found = of_job(last, now)
    age = duration(max(0.0, (now - at).total_seconds()))
    return Health(state=found.state, at=at, text=f"the last run {_ENDED.get(found.state, found.word)} {age} ago")


_GIVEN_UP = {CANCELLED: PageState.CANCELLED, UNTRACKED: PageState.UNTRACKED}
_ENDED = {
    PageState.STARVED: "paused for want of points",
    PageState.NEVER: "never started, planned",
    PageState.CANCELLED: "was cancelled",
    PageState.SKIPPED: "found another worker",
}


_OUTCOMES: Mapping[str, PageState] = {
    JobOutcome.COMPLETED: PageState.COMPLETED,
    JobOutcome.STOPPED: PageState.COMPLETED,
    JobOutcome.PAUSED: PageState.PAUSED,
    JobOutcome.BUSY: PageState.SKIPPED,
    JobOutcome.CANCELLED: PageState.CANCELLED,
    JobOutcome.NEVER_STARTED: PageState.NEVER,
}
_WITHOUT_ERROR: Mapping[str, str] = {
    JobOutcome.STOPPED: "stopped at its limit, the next one goes on",
    JobOutcome.BUSY: "another worker was at it",
}


def _by_status(facts: BackfillFacts, now: datetime) -> ShownState:
    match facts.status:
        case None:
            return ShownState(state=PageState.NEVER, detail="no backfill was opened yet")
        case BackfillStatus.FAILED:
            return _stopped(PageState.FAILED, facts)
        case BackfillStatus.COMPLETED:
            return ShownState(
                state=PageState.COMPLETED, detail=complete_words(facts.unlisted) if facts.unlisted else None
            )
        case BackfillStatus.PAUSED:
            return _stopped(PageState.STARVED if facts.pause_reason in _NO_POINTS else PageState.PAUSED, facts)
        case _:
            return _active(facts, now)


def _stopped(state: PageState, facts: BackfillFacts) -> ShownState:
    """Show what stopped a backfill, in the words that `status` and `why` have for it."""
    detail = why_it_stands(facts)
    if facts.held and facts.claimed:
        detail = f"{detail}; the page under way is still stored"
    return ShownState(state=state, detail=detail, until=facts.resume_at, who=facts.held_by if facts.held else None)


def _active(facts: BackfillFacts, now: datetime) -> ShownState:
    if facts.failures:
        return ShownState(state=PageState.RETRYING, detail=_failing(facts, now), until=_later(facts.retry_at, now))
    if facts.alive and not facts.claimed and facts.points_at is not None:
        return ShownState(state=PageState.STARVED, detail=_points(facts.points_at), until=facts.points_at)
    if facts.alive or facts.claimed:
        return ShownState(state=PageState.RUNNING, detail=_at_work(facts))
    if not facts.ran:
        return ShownState(state=PageState.NEVER, detail="the next plan begins it")
    return ShownState(state=PageState.WAITING, detail="waits for a worker")


def _failing(facts: BackfillFacts, now: datetime) -> str:
    which = "a page" if facts.chunk_number is None else f"chunk {facts.chunk_number:,}"
    times = "once" if facts.failures == 1 else counted(facts.failures, "time")
    later = _later(facts.retry_at, now)
    again = "is read again" if facts.claimed else "waits for a worker" if later is None else f"again at {_clock(later)}"
    return f"{which} failed {times}, {again}: {facts.chunk_error or facts.last_error or 'no reason was recorded'}"


def _at_work(facts: BackfillFacts) -> str | None:
    where = PROCESSORS.get(facts.processor or "", facts.processor)
    parts = [where, None if facts.chunk_number is None else f"chunk {facts.chunk_number:,}"]
    return ", ".join(part for part in parts if part) or None


def _open_job(facts: JobFacts, now: datetime) -> ShownState:
    if facts.status == JobStatus.PENDING:
        return ShownState(state=PageState.WAITING, detail=facts.reason or "waits for a worker")
    if facts.beat_at is not None and now - facts.beat_at > SILENT:
        silence = duration((now - facts.beat_at).total_seconds())
        return ShownState(state=PageState.SILENT, detail=f"nothing was heard of it for {silence}")
    return ShownState(state=PageState.RUNNING, detail=facts.reason)


def _points(at: datetime) -> str:
    return f"points come back at {_clock(at)}"


def _later(moment: datetime | None, now: datetime) -> datetime | None:
    return moment if moment is not None and moment > now else None


def _clock(moment: datetime) -> str:
    return f"{moment:%H:%M} UTC"
