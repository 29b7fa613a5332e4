"""The repositories of a batch, each as it stands: how far its initial backfill is, and what stopped it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from gh_backfill.policy.initial import OPEN, InitialStatus
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.progress import within
from gh_backfill.policy.standing import what_stopped, why_it_stands
from gh_backfill.store.db import Row
from gh_backfill.store.repositories import Status
from gh_backfill.tasks import track
from gh_backfill.tasks.track import Result


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One name of a batch and what it led to; `captured` of `wanted` pull requests are here, GitHub counts `total`.

    `error` says what stopped it, `detail` what it is doing, each in a few words; `resume_at` is when a pause ends.  One
    that is `paused` is not over, and waits for that or for a person.
    """

    given: str
    result: Result
    text: str
    failed: bool
    repository_id: str | None = None
    full_name: str | None = None
    is_private: bool = False
    status: InitialStatus | None = None
    captured: int = 0
    wanted: int | None = None
    total: int | None = None
    error: str | None = None
    detail: str | None = None
    resume_at: datetime | None = None
    paused: bool = False

    @property
    def over(self) -> bool:
        """Say whether nothing more comes of it by itself."""
        return self.status not in OPEN


def member(stored: Row, state: Status | None) -> Member:
    """Return a name of a batch, as it was stored, with what is known of its repository now."""
    result = Result(stored["result"])
    known = Member(given=stored["given"], result=result, text=stored["text"], failed=result in track.FAILURES)
    if state is None:
        return known
    status = InitialStatus(state.initial) if state.initial in list(InitialStatus) else None  # else a host's own word
    first = stored["wanted"]  # None: nobody knew
    wanted = first if state.total is None or first is None else within(state.total, first)
    wanted = state.wanted if state.aim.filtered else wanted
    here = state.captured if wanted is None else min(state.captured, wanted)
    return replace(
        known,
        repository_id=state.id,
        full_name=state.full_name,
        is_private=state.is_private,
        status=status,
        captured=here,
        wanted=wanted,
        total=state.total,
        error=what_stopped(state) if status in (InitialStatus.FAILED, InitialStatus.CANCELLED) else None,
        detail=_detail(status, state),
        resume_at=state.resume_at,
        paused=status in OPEN and _paused(state),
    )


def _detail(status: InitialStatus | None, state: Status) -> str | None:
    """Say in a few words what it is doing, or how it went."""
    match status:
        case InitialStatus.PENDING | InitialStatus.PROCESSING if _paused(state):
            return why_it_stands(state)
        case InitialStatus.PENDING:
            return "waits its turn"
        case InitialStatus.PROCESSING:
            return f"page {state.chunk_number}" if state.chunk_number else "begins"
        case InitialStatus.COMPLETED:
            return counted(state.points or 0, "point")
        case _:
            return None


def _paused(state: Status) -> bool:
    return state.held or state.status == BackfillStatus.PAUSED
