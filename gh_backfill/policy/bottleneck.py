"""The time of a job, and what limits its rate: points, latency, the secondary limit or the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum

from gh_backfill.policy import markdown
from gh_backfill.policy.governor import Cause

# A shorter measurement does not show what limits the rate.
ENOUGH_SECONDS = 30.0


class Limit(StrEnum):
    """What most of the time is given to."""

    POINTS = "points"
    LATENCY = "latency"
    SECONDARY = "secondary limit"
    DATABASE = "database"


@dataclass(frozen=True, kw_only=True, slots=True)
class Times:
    """Seconds of a job: in all, under way to GitHub and back, waited by cause, and in transactions of the database.

    `retries` are the pauses after a request that got no answer.  What a job leaves to its next run, because it pauses
    until there are points again, counts as waited.
    """

    total: float = 0.0
    requests: float = 0.0
    points: float = 0.0
    server_time: float = 0.0
    slow_down: float = 0.0
    retries: float = 0.0
    database: float = 0.0

    @classmethod
    def of(cls, given: Mapping[str, float] | None) -> Times:
        """Read what `as_json` wrote, also an older or a newer version of it; None is nothing."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: seconds for name, seconds in (given or {}).items() if name in known})

    def as_json(self) -> dict[str, float]:
        """Return the seconds by name, to the millisecond."""
        return {name: round(seconds, 3) for name, seconds in asdict(self).items()}

    def __add__(self, other: Times) -> Times:
        """Add second by second."""
        mine, others = asdict(self), asdict(other)
        return Times(**{name: seconds + others[name] for name, seconds in mine.items()})

    def waited(self, cause: Cause, seconds: float) -> Times:
        """Return the times with so many seconds more waited."""
        match cause:
            case Cause.POINTS:
                return replace(self, points=self.points + seconds)
            case Cause.TIME:
                return replace(self, server_time=self.server_time + seconds)
            case Cause.TOLD:
                return replace(self, slow_down=self.slow_down + seconds)

    @property
    def working(self) -> float:
        """Return the seconds that nobody had to wait for a budget."""
        return max(0.0, self.total - self.points - self.server_time - self.slow_down)

    def by_limit(self) -> dict[Limit, float]:
        """Return the seconds that each limit took."""
        return {
            Limit.POINTS: self.points,
            Limit.LATENCY: self.requests + self.retries,
            Limit.SECONDARY: self.server_time + self.slow_down,
            Limit.DATABASE: self.database,
        }


def limit(times: Times) -> Limit | None:
    """Say what limits the rate; None where nothing was measured."""
    by_limit = times.by_limit()
    most = max(by_limit, key=lambda each: by_limit[each])
    return most if by_limit[most] > 0 else None


def line(times: Times) -> str | None:
    """Say in one line what limits the rate, with the share of each cause in the time; None before there was any work.

    The first seconds of a job are connections that open: they say nothing of the rate.
    """
    found = limit(times)
    by_limit = times.by_limit()
    total = max(times.total, sum(by_limit.values()))
    if found is None or total < ENOUGH_SECONDS:
        return None
    shares = [
        f"{name} {markdown.percent(100 * seconds / total, 0)}"
        for name, seconds in by_limit.items()
        if name is not found
    ]
    verb = "limit" if found is Limit.POINTS else "limits"
    most = markdown.percent(100 * by_limit[found] / total, 0)
    return f"{found} {verb} the rate: {most} of the time ({', '.join(shares)})"
