"""The rows that pages read, as values: they come by way of JSON, with their times as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, TypeVar

from gh_backfill.policy.shown import BackfillFacts, JobFacts
from gh_backfill.store.moments import moment

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class ListPlace:
    """The last row of a page of backfills: the value that they are sorted by, and what tells equal ones apart."""

    value: float
    name: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BackfillStanding:
    """A backfill as the pages read it; `state` is the word that the database gives it, `value` what it is sorted by."""

    repository_id: str
    full_name: str
    is_private: bool
    kind: str
    facts: BackfillFacts
    state: str
    captured: int
    total: int | None
    wanted: int | None
    fresh_at: datetime | None
    created_at: datetime | None
    completed_at: datetime | None
    last_error_at: datetime | None
    last_processed_at: datetime | None
    value: float = 0.0

    @property
    def place(self) -> ListPlace:
        """Return its place in the list."""
        return ListPlace(value=self.value, name=self.full_name, id=self.repository_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The backfills of a kind that are in one state.

    Of what was never walked `captured` has what an older application says; only for a row that is listed is it counted.
    """

    kind: str
    state: str
    number: int
    captured: int
    total: int
    freshest: datetime | None
    stalest: datetime | None
    stalest_complete: datetime | None
    resume_at: datetime | None
    need: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """How many backfills were opened and completed on a day; the first of them stands for all days before."""

    day: date
    opened: int
    completed: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Standings:
    """The backfills: those that are listed of so many that match, those that fail, all in groups, and by day."""

    matching: int
    listed: tuple[BackfillStanding, ...]
    failing: tuple[BackfillStanding, ...]
    groups: tuple[Group, ...]
    days: tuple[Opened, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FailingJob:
    """The last failed job of a repository whose last finished job failed; `times` within three days."""

    repository_id: str
    full_name: str
    is_private: bool
    times: int
    error: str | None
    error_type: str | None
    outcome: str
    processor: str
    at: datetime
    run_key: str | None
    run_id: int | None
    attempt: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HalfHourSums:
    """What a processor finished in a half hour; without both it is everything."""

    slot: datetime | None
    processor: str | None
    finished: int
    completed: int
    failed: int
    items: int
    runs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenWork:
    """What waits and what runs at a processor that has a job or ever had one."""

    processor: str
    pending: int
    running: int


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerJob:
    """A job as the ledger has it; `named` is a name that was asked for and that no repository here has."""

    id: str
    created_at: datetime
    repository_id: str | None
    full_name: str | None
    is_private: bool
    named: str | None
    reason: str | None
    part: str | None
    job_type: str
    processor: str
    status: str
    outcome: str | None
    error: str | None
    error_type: str | None
    started_at: datetime | None
    completed_at: datetime | None
    beat_at: datetime | None
    items: int
    points: int
    chunks: int
    warnings: int
    run_key: str | None
    run_id: int | None
    attempt: int
    worker: str | None

    @property
    def facts(self) -> JobFacts:
        """Return what its state follows from."""
        return JobFacts(
            status=self.status,
            outcome=self.outcome,
            error=self.error,
            error_type=self.error_type,
            reason=self.reason,
            beat_at=self.beat_at,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetSample:
    """How a budget stood at a run."""

    identity: str
    resource: str
    at: datetime
    limit: int
    remaining: int


def read(rows: Sequence[Mapping[str, Any]], kind: type[T]) -> list[T]:
    """Return rows that came as JSON as values of a kind: what is named as a time is one."""
    return [kind(**timed(row)) for row in rows]


def timed(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with its times for the texts that JSON has of them."""
    return {name: _time(value) if name.endswith("_at") or name in _TIMES else value for name, value in row.items()}


_TIMES = frozenset({"at", "slot", "freshest", "stalest", "stalest_complete"})
_OF_FACTS = frozenset(each.name for each in fields(BackfillFacts))
_OF_STANDING = frozenset(each.name for each in fields(BackfillStanding))


def standing(given: Mapping[str, Any]) -> BackfillStanding:
    """Return a backfill from a row of `standings`."""
    row = timed(given)
    facts = BackfillFacts(**{name: value for name, value in row.items() if name in _OF_FACTS})
    return BackfillStanding(**{name: value for name, value in row.items() if name in _OF_STANDING}, facts=facts)


def _time(value: Any) -> datetime | None:
    return moment(value) if isinstance(value, str) else value
