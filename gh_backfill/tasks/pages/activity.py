"""The activity of the last day and the last month, by processor: the series of the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from gh_backfill.policy import shown
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.ledger import Processor
from gh_backfill.policy.markdown import counted
from gh_backfill.policy.pages.plain import of_fields
from gh_backfill.store.pages_rows import BudgetSample, HalfHourSums, Opened, OpenWork

HALF_HOUR = timedelta(minutes=30)
SLOTS = 48
DAYS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class HalfHour:
    """What was done in a half hour that began `at`."""

    at: datetime
    items: int = 0
    finished: int = 0
    failed: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """The last 24 hours in half hours, and in all."""

    half_hours: tuple[HalfHour, ...]
    items: int
    runs: int
    finished: int
    failed: int

    @property
    def text(self) -> str:
        """Say what is to be seen."""
        parts = (counted(self.items, "item"), counted(self.runs, "run"), f"{self.failed:,} failed")
        return f"{', '.join(parts)}." if self.finished or self.items else "Nothing ran in the last 24 hours."

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self, "text")


@dataclass(frozen=True, kw_only=True, slots=True)
class DayOfBackfills:
    """How many backfills were opened and completed on a day, and how many were complete at its end."""

    day: date
    opened: int
    completed: int
    complete: int
    all: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProcessorRow:
    """What waits and runs at a processor, and its last 24 hours.

    Shares are percent: `success` of the jobs that completed or failed, what was cancelled or never began says nothing;
    `share` of all that ended.  None where there are none.
    """

    processor: str
    name: str
    pending: int
    running: int
    completed: int
    failed: int
    success: float | None
    share: float | None
    half_hours: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRow:
    """A budget as it stands now, and how it stood at the runs of the last day, the oldest first."""

    identity: str
    limit: int
    left: int
    reset_at: datetime | None
    samples: tuple[BudgetSample, ...]

    @property
    def is_of_repository(self) -> bool:
        """Say whether it is named by a repository, whose name may be private."""
        return self.identity.startswith("repository:")

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values, but for its times."""
        return of_fields(self, "is_of_repository")


def day(slots: Sequence[HalfHourSums], now: datetime) -> Day:
    """Return the last 24 hours, the half hour of `now` last."""
    last = now.astimezone(UTC)
    last = last.replace(minute=last.minute // 30 * 30, second=0, microsecond=0)
    times = [last - HALF_HOUR * back for back in reversed(range(SLOTS))]
    by_time: dict[datetime, list[HalfHourSums]] = {at: [] for at in times}
    for each in slots:
        if each.slot in by_time:
            by_time[each.slot].append(each)
    whole = next((each for each in slots if each.slot is None), None)
    return Day(
        half_hours=tuple(
            HalfHour(
                at=at,
                items=sum(each.items for each in found),
                finished=sum(each.finished for each in found),
                failed=sum(each.failed for each in found),
            )
            for at, found in by_time.items()
        ),
        items=whole.items if whole else 0,
        runs=whole.runs if whole else 0,
        finished=whole.finished if whole else 0,
        failed=whole.failed if whole else 0,
    )


def month(opened: Sequence[Opened], now: datetime) -> tuple[DayOfBackfills, ...]:
    """Return the last 30 days; what was opened or completed before them is counted from the first."""
    today = now.astimezone(UTC).date()
    first = today - timedelta(days=DAYS)
    by_day = {each.day: each for each in opened if each.day > first}
    complete = sum(each.completed for each in opened if each.day <= first)
    everything = sum(each.opened for each in opened if each.day <= first)
    found = []
    for ahead in range(1, DAYS + 1):
        each = by_day.get(first + timedelta(days=ahead), Opened(day=today, opened=0, completed=0))
        complete, everything = complete + each.completed, everything + each.opened
        found.append(
            DayOfBackfills(
                day=first + timedelta(days=ahead),
                opened=each.opened,
                completed=each.completed,
                complete=complete,
                all=everything,
            )
        )
    return tuple(found)


def processors(
    slots: Sequence[HalfHourSums], open_jobs: Sequence[OpenWork], of: Day, *, here: bool
) -> tuple[ProcessorRow, ...]:
    """Return a row for each processor that has or had jobs; with `here` also for this machine, which captures."""
    waiting = {each.processor: each for each in open_jobs}
    used = {each.processor for each in slots if each.processor} | waiting.keys()
    used |= {str(Processor.LOCAL)} if here else set()
    names = [*(each for each in map(str, Processor) if each in used), *sorted(used - set(Processor))]
    return tuple(_processor(name, slots, waiting.get(name), of) for name in names)


def budgets(standings: Sequence[BudgetState], samples: Sequence[BudgetSample]) -> tuple[BudgetRow, ...]:
    """Return the budgets of points with their last day."""
    return tuple(
        BudgetRow(
            identity=each.identity,
            limit=each.limit,
            left=max(0, each.left),
            reset_at=each.reset_at,
            samples=tuple(
                sorted(
                    (s for s in samples if s.identity == each.identity and s.resource == "graphql"),
                    key=lambda sample: sample.at,
                )
            ),
        )
        for each in standings
    )


def _processor(name: str, slots: Sequence[HalfHourSums], waiting: OpenWork | None, of: Day) -> ProcessorRow:
    own = [each for each in slots if each.processor == name]
    finished, completed = sum(each.finished for each in own), sum(each.completed for each in own)
    failed = sum(each.failed for each in own)
    by_time = {each.slot: each.finished for each in own}
    return ProcessorRow(
        processor=name,
        name=shown.PROCESSORS.get(name, name),
        pending=waiting.pending if waiting else 0,
        running=waiting.running if waiting else 0,
        completed=completed,
        failed=failed,
        success=round(100 * completed / (completed + failed), 1) if completed + failed else None,
        share=round(100 * finished / of.finished, 1) if of.finished else None,
        half_hours=tuple(by_time.get(each.at, 0) for each in of.half_hours),
    )
