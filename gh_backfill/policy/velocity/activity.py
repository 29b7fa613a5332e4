"""The activity score: what happened a day, what takes more work weighing more.

score = the sum over all parts of weight x (how many in the period / how many of its days are covered)

A part of which no day is known adds nothing: the score says *at least* then, and which parts it is without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from gh_backfill.policy.velocity.daily import DailyCounts
from gh_backfill.policy.velocity.trend import rounded

# A star is a click; a review means that somebody read the change of another.
WEIGHTS: Mapping[str, int] = {
    "stars": 1,
    "forks": 2,
    "pull_requests": 4,
    "reviews": 3,
    "pull_request_comments": 1,
    "issues": 2,
    "issue_comments": 1,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivityPart:
    """One part of a score: how many there were in the days that are covered; None where there are none."""

    name: str
    weight: int
    count: int | None
    days_covered: int
    days_needed: int

    @property
    def points(self) -> Fraction | None:
        """Return what it adds to the score; None where nothing is known of it."""
        return None if self.count is None else Fraction(self.weight * self.count, self.days_covered)


@dataclass(frozen=True, kw_only=True, slots=True)
class Activity:
    """The score of a period with its parts."""

    parts: tuple[ActivityPart, ...]

    @property
    def score(self) -> float | None:
        """Return the score to a tenth; None where no part is known.  What is not zero is a tenth at least."""
        known = [each.points for each in self.parts if each.points is not None]
        return rounded(sum(known, Fraction(0)), 1) if known else None

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the parts that it is without."""
        return tuple(each.name for each in self.parts if each.count is None)

    @property
    def partly(self) -> tuple[str, ...]:
        """Return the parts of which some days are known, and some are not."""
        return tuple(each.name for each in self.parts if 0 < each.days_covered < each.days_needed)


def activity(counts: Mapping[str, DailyCounts]) -> Activity:
    """Return the score of a period; `counts` has each part of `WEIGHTS`."""
    return Activity(
        parts=tuple(
            ActivityPart(
                name=name,
                weight=weight,
                count=counts[name].total,
                days_covered=counts[name].covered,
                days_needed=counts[name].needed,
            )
            for name, weight in WEIGHTS.items()
        )
    )
