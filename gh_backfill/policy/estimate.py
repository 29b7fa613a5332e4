"""The points and the time that a backfill still costs: from what its last pages took, the price list and the budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from gh_backfill.policy import governor, query_prices
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.markdown import counted

# The units that complete a pull request, until some are measured: the mean of docs/performance.md.
TYPICAL_WANTS = 3
# A request takes the time of GitHub's answer and the time to store what came.
TYPICAL_SECONDS = governor.FIRST_ESTIMATE + 0.2
# The catch-up reads at least one page after the walk.
CATCH_UP = 1
# Points, as measured: the first pages are small until it is known how quickly GitHub delivers them.
BEGINNING = 2
WINDOW = timedelta(hours=1).total_seconds()


@dataclass(frozen=True, kw_only=True, slots=True)
class RemainingWork:
    """What is left of a backfill, and what was measured of it so far.

    `left` are the pull requests that the walk has still to read, and `catch_up` says whether one is to come.  The last
    `items` of them took `points` and `requests`.  Jobs took `seconds` for `timed_requests`, waits for points left out,
    `request_seconds` of them on the way to GitHub and back.
    """

    left: int
    catch_up: bool = True
    items: int = 0
    points: int = 0
    requests: int = 0
    timed_requests: int = 0
    seconds: float = 0.0
    request_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What is left: pull requests, points, and seconds if nothing interrupts the work, `waiting` of them.

    `measured` says that this repository's own pages were counted, not only the price list.
    """

    pull_requests: int
    points: int
    seconds: float
    waiting: float
    measured: bool

    def __str__(self) -> str:
        """Return it for people."""
        wait = f", {duration(self.waiting)} of it waiting" if self.waiting >= 1 else ""
        return f"about {counted(self.points, 'point')}, {duration(self.seconds)}{wait}"


def estimate(work: RemainingWork, standing: BudgetState, *, ceiling: int = query_prices.LARGEST_FIRST) -> Estimate:
    """Estimate what is left where a page has at most `ceiling` pull requests and nobody else uses the budget.

    A request takes as long as so far, and at least its share of the 60 seconds that GitHub grants a minute.
    """
    points = _points(work, ceiling)
    requests = points * (work.requests / work.points if work.points else 1.0)
    timed = work.timed_requests
    each = work.seconds / timed if timed else TYPICAL_SECONDS
    least = (work.request_seconds / timed if timed else governor.FIRST_ESTIMATE) / governor.DRAIN
    working = requests * max(each, least, governor.LEAST_SECONDS)
    seconds = working + _waiting(points, working, standing)
    return Estimate(
        pull_requests=work.left,
        points=points,
        seconds=round(seconds, 1),
        waiting=round(seconds - working, 1),
        measured=work.items > 0,
    )


def begun(left: Estimate) -> Estimate:
    """Add what the beginning of a backfill costs: small pages first, and a catch-up behind them."""
    return replace(left, points=left.points + BEGINNING, seconds=left.seconds + BEGINNING * TYPICAL_SECONDS)


def side_by_side(works: Sequence[Estimate], standing: BudgetState, *, lanes: int) -> Estimate:
    """Estimate what several backfills take together, so many at a time on one budget.

    They are no quicker than the longest of them, nor than the 60 seconds a minute that GitHub grants all of them.
    """
    points = sum(each.points for each in works)
    alone = [each.seconds - each.waiting for each in works]
    shared = points * governor.FIRST_ESTIMATE / governor.DRAIN
    working = max([shared, sum(alone) / max(1, lanes), *alone])
    waiting = _waiting(points, working, standing)
    return Estimate(
        pull_requests=sum(each.pull_requests for each in works),
        points=points,
        seconds=round(working + waiting, 1),
        waiting=round(waiting, 1),
        measured=all(each.measured for each in works),
    )


def duration(seconds: float) -> str:
    """Return a length of time in its two largest units."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // 1440} d {minutes % 1440 // 60} h"


def _points(work: RemainingWork, ceiling: int) -> int:
    """Return the points left: a pull request costs what the last ones did, and never less than its place in a page.

    The catch-up's first page comes along with the end of a walk; by itself it costs a point.
    """
    typical = (query_prices.UNITS_OF_A_PULL_REQUEST + TYPICAL_WANTS) / query_prices.UNITS_OF_ONE_POINT
    each = work.points / work.items if work.items else typical
    least = 1 / query_prices.Prices().cheapest_page(ceiling)
    return math.ceil(work.left * max(each, least)) + (CATCH_UP if work.catch_up and not work.left else 0)


def _waiting(points: int, working: float, standing: BudgetState) -> float:
    """Return the seconds of waiting for new points: each hour has all of the limit but the reserve."""
    hourly = standing.limit - governor.reserve(standing.limit)
    if points == 0 or hourly <= 0:
        return 0.0
    now, reset, left = 0.0, WINDOW, float(max(0, standing.spendable))
    if standing.reset_at is not None:
        reset = max(0.0, (standing.reset_at + governor.MARGIN - standing.moment).total_seconds())
    if standing.not_before is not None:
        now = max(0.0, (standing.not_before - standing.moment).total_seconds())
    each = working / points
    still = float(points)
    while True:
        affordable = left if each == 0 else min(left, max(0.0, reset - now) / each)
        if still <= affordable:
            return now + still * each - working
        still -= affordable
        now, left = max(reset, now), float(hourly)
        reset = now + WINDOW + governor.MARGIN.total_seconds()
