"""The card "Backfill Progress": how far each repository of a batch is, in words, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.estimate import duration
from gh_backfill.policy.initial import InitialStatus
from gh_backfill.policy.markdown import counted
from gh_backfill.tasks.initial.batches import Batch
from gh_backfill.tasks.initial.members import Member

# What was done is told at the start, after every third repository, and at the end.
EVERY = 3
_MARKS = {
    InitialStatus.PENDING: ("‖", "waiting"),
    InitialStatus.PROCESSING: ("▸", "running"),
    InitialStatus.COMPLETED: ("✓", "completed"),
    InitialStatus.FAILED: ("✕", "failed"),
    InitialStatus.CANCELLED: ("◇", "cancelled"),
}
_PAUSED = ("‖", "paused")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgressRow:
    """One repository: `captured` of `wanted`, its state as a mark and a word, and a few words more."""

    repository_id: str
    name: str
    captured: int
    wanted: int | None
    mark: str
    word: str
    more: str | None
    resume_at: datetime | None
    can_cancel: bool
    can_retry: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of a name that has no backfill of its own here."""

    given: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """A batch as it is shown: who added it, and when (UTC); `summary` in words, `notice` is read out, `told` is seen.

    Then rows and other names.
    """

    id: str
    at: datetime
    by: str | None
    summary: str
    notice: str
    told: str
    outcome: str
    rows: tuple[ProgressRow, ...]
    skipped: tuple[Outcome, ...]
    failed: tuple[Outcome, ...]
    open: int
    broken: int

    def as_json(self) -> dict[str, object]:
        """Return the words as JSON-ready values; the figures are the batch's own."""
        return {"summary": self.summary, "notice": self.notice, "outcome": self.outcome}


def card_of(batch: Batch) -> Card:
    """Return the card of a batch."""
    captures = batch.captures
    return Card(
        id=batch.id,
        at=batch.created_at,
        by=batch.created_by,
        summary=_summary(batch),
        notice=_notice(batch),
        told=_notice(batch, every=1),
        outcome=_outcome(batch),
        rows=tuple(_row(each) for each in captures),
        skipped=_outcomes(each for each in batch.skipped if each not in captures),
        failed=_outcomes(batch.failed),
        open=sum(not each.over for each in captures),
        broken=sum(each.status is InitialStatus.FAILED for each in captures),
    )


def batch_json(batch: Batch, card: Card) -> dict[str, object]:
    """Return a batch as JSON-ready values: figures, and the words of its card."""
    return {
        "id": batch.id,
        "created_at": batch.created_at,
        "created_by": batch.created_by,
        "backfill": batch.backfill,
        "done": batch.done,
        "added": len(batch.added),
        "skipped": len(batch.skipped),
        "failed": len(batch.failed),
        **card.as_json(),
        "repositories": [_member_json(each) for each in batch.members],
    }


def _member_json(each: Member) -> dict[str, object]:
    return {
        "given": each.given,
        "result": each.text,
        "failed": each.failed,
        "repository_id": each.repository_id,
        "full_name": each.full_name,
        "private": each.is_private,
        "status": each.status,
        "word": _mark(each)[1],
        "captured": each.captured,
        "wanted": each.wanted,
        "total": each.total,
        "progress": None if each.wanted is None else round(100 * each.captured / max(1, each.wanted), 2),
        "error": each.error,
        "detail": each.detail,
        "resume_at": each.resume_at,
    }


def _mark(each: Member) -> tuple[str, str | None]:
    """Return the mark and the word for how one stands; no word where it has no backfill of its own here."""
    if each.status is None:
        return "", None
    return _PAUSED if each.paused else _MARKS[each.status]


def _summary(batch: Batch) -> str:
    many = len(batch.captures)
    if not many:
        return "no backfill was started"
    left = f" · {duration(batch.left.seconds)} left" if batch.left is not None and batch.done < many else ""
    return f"{batch.done} of {many} done{left}"


def _notice(batch: Batch, *, every: int = EVERY) -> str:
    """Say how far it is: aloud that changes at every third repository, and at the end."""
    captures, done = batch.captures, batch.done
    many = len(captures)
    if not many:
        return ""
    if done == many:
        ends = [(status, sum(each.status is status for each in captures)) for status in _MARKS]
        told = ", ".join(f"{count} {status}" for status, count in ends if count)
        return f"All {many} are done: {told}." if many > 1 else f"Done: {captures[0].status}."
    told_of = done - done % every
    if not told_of:
        return f"{counted(many, 'backfill')} began." if many > 1 else "The backfill began."
    return f"{told_of} of {many} repositories are done."


def _outcome(batch: Batch) -> str:
    went_on = [("with a larger goal", len(batch.raised))]
    parts = [("added", len(batch.added)), *went_on, ("skipped", len(batch.skipped)), ("failed", len(batch.failed))]
    return ", ".join(f"{many} {word}" for word, many in parts if many)


def _outcomes(members: Iterable[Member]) -> tuple[Outcome, ...]:
    return tuple(Outcome(given=each.given, text=each.text) for each in members)


def _row(each: Member) -> ProgressRow:
    assert each.status is not None
    mark, word = _mark(each)
    return ProgressRow(
        repository_id=each.repository_id or "",
        name=each.full_name or each.given,
        captured=each.captured,
        wanted=each.wanted,
        mark=mark,
        word=word or "",
        more=None if each.status is InitialStatus.PENDING and not each.paused else each.error or each.detail,
        resume_at=each.resume_at if each.paused else None,
        can_cancel=not each.over,
        can_retry=each.status in (InitialStatus.FAILED, InitialStatus.CANCELLED),
    )
