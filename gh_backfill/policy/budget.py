"""May we spend?  Points are shared with everything else that uses the same identity, so a reserve stays untouched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.models import Budget

RESERVE = 0.1
# GitHub's clock and ours differ; asking a moment too early is answered with another refusal.
MARGIN = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Spend:
    """The request may be sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Nothing may be spent before `until`."""

    until: datetime
    reason: str


def may_spend(budget: Budget | None, points: int, now: datetime) -> Spend | Wait:
    """Decide whether a request of `points` may be sent.

    `budget` is what the last answer said; None (nothing asked yet) allows the one request that will tell.
    """
    if budget is None or now >= budget.reset_at:
        return Spend()
    reserve = int(budget.limit * RESERVE)
    if budget.remaining - points >= reserve:
        return Spend()
    return Wait(
        until=budget.reset_at + MARGIN,
        reason=f"{budget.remaining} of {budget.limit} points left, {reserve} are kept in reserve",
    )
