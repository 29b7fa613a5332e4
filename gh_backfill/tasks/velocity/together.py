"""The figures of several repositories together, as a workspace shows them: of those of which every day is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from gh_backfill.policy.velocity import trend
from gh_backfill.policy.velocity.trend import Trend, UnavailableData, rounded
from gh_backfill.tasks.velocity.figures import RepositoryVelocity, Velocity

NONE_KNOWN = "of no repository every day of both periods is known"


@dataclass(frozen=True, kw_only=True, slots=True)
class VelocityTogether:
    """A series of several repositories: of `counted` of them every day of both periods is known, and only these count.

    `current` and `previous` are None, and the trend is *unavailable*, where there are none.
    """

    counted: int
    repositories: int
    previous: int | None
    current: int | None
    days: int
    trend: Trend

    @property
    def per_day(self) -> float | None:
        """Return how many a day, of those that count."""
        return None if self.current is None else rounded(Fraction(self.current, self.days), 4)

    def as_json(self, today: date) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "per_day": self.per_day,
            "count": self.current,
            "previous_count": self.previous,
            "repositories_counted": self.counted,
            "repositories": self.repositories,
            "trend": {
                "outcome": trend.outcome(self.trend),
                "percent": trend.percent(self.trend),
                "text": trend.words(self.trend, today),
            },
        }


def together(each: Sequence[RepositoryVelocity]) -> tuple[VelocityTogether, VelocityTogether]:
    """Return stars, and forks, of repositories together; all figures are of the same periods."""
    return _together([one.stars for one in each]), _together([one.forks for one in each])


def _together(each: Sequence[Velocity]) -> VelocityTogether:
    whole = [one for one in each if one.previous.whole and one.current.whole]
    before = sum(count for one in whole for count in one.previous.known)
    now = sum(count for one in whole for count in one.current.known)
    return VelocityTogether(
        counted=len(whole),
        repositories=len(each),
        previous=before if whole else None,
        current=now if whole else None,
        days=each[0].current.needed if each else 0,
        trend=trend.of_totals(before, now) if whole else UnavailableData(reason=NONE_KNOWN),
    )
