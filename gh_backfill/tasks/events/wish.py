"""Wishes for events, and what came of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gh_backfill.errors import BackfillError, ConfigurationError
from gh_backfill.models.events import Series, Source
from gh_backfill.models.github import Spent
from gh_backfill.models.work import TrackedRepository
from gh_backfill.policy.events.types import USUAL
from gh_backfill.policy.ledger import ErrorType
from gh_backfill.policy.markdown import counted

DAYS, MOST_DAYS = 90, 3660
WORDS: Mapping[str, str] = {
    Source.STARGAZERS: "the list of stargazers",
    Source.HISTORY: "GitHub's history of stars",
    Source.FORKS: "the list of forks",
    Source.EVENTS: "the events call",
    Source.CAPTURED: "what is captured here",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsWish:
    """Events of these types, which happened from `since` on and before `until` (None: until now)."""

    since: datetime
    until: datetime | None = None
    types: tuple[str, ...] = USUAL

    @classmethod
    def of(
        cls,
        now: datetime,
        *,
        days: int | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        types: tuple[str, ...] = USUAL,
    ) -> EventsWish:
        """Return the wish of so many days, or of a span; raises ConfigurationError for one that is none."""
        if days is not None and since is not None:
            raise ConfigurationError("--days and --since say the same: give one of them")
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise ConfigurationError(f"--days {days}: give 1 to {MOST_DAYS}")
        begins = since or now - timedelta(days=days or DAYS)
        if begins >= (until or now):
            raise ConfigurationError("--since must lie before --until, and before now")
        return cls(since=begins, until=until, types=types)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeriesFound:
    """What one series brought: so many events or days that are new, from which source, and what is to be said of it."""

    series: Series
    source: str | None
    new: int = 0
    note: str | None = None

    @property
    def text(self) -> str:
        """Say it in a few words."""
        if self.source is None:
            return f"{self.series}: {self.note}"
        unit = "day" if self.source == Source.HISTORY else "event" if self.series is Series.EVENTS else self.series[:-1]
        note = f" ({self.note})" if self.note else ""
        new = counted(self.new, f"new {unit}") if self.new else "nothing new"
        return f"{self.series}: {new} in {WORDS.get(self.source, self.source)}{note}"


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsFound:
    """What came of one repository; what ended it before its end is the `reason`, and `resume_at` when it goes on."""

    name: str
    repository: TrackedRepository | None = None
    series: tuple[SeriesFound, ...] = ()
    spent: Spent = field(default_factory=Spent)
    reason: str | None = None
    resume_at: datetime | None = None
    error: BackfillError | None = None
    cause: ErrorType | None = None
    not_begun: bool = False

    @property
    def unavailable(self) -> tuple[SeriesFound, ...]:
        """Return the series of which no source told anything."""
        return tuple(each for each in self.series if each.source is None)

    @property
    def failed(self) -> bool:
        """Say whether it failed; what waits for points has not."""
        return self.resume_at is None and (self.error is not None or bool(self.unavailable))

    @property
    def text(self) -> str:
        """Say it in a line."""
        until = f"; again at {self.resume_at:%H:%M} UTC" if self.resume_at and self.error is not None else ""
        return "; ".join([*(each.text for each in self.series), *([f"{self.reason}{until}"] if self.reason else [])])

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "repository": self.name,
            "repository_id": None if self.repository is None else self.repository.id,
            "status": "failed" if self.failed else "waiting" if self.resume_at or self.not_begun else "completed",
            "series": [
                {"series": each.series, "source": each.source, "new": each.new, "note": each.note}
                for each in self.series
            ],
            "reason": self.reason,
            "resume_at": None if self.resume_at is None else self.resume_at.isoformat(),
            "points": self.spent.points,
            "requests": self.spent.requests,
        }
