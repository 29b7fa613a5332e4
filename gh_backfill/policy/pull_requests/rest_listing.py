"""The way by which review comments come: by GraphQL, or, for some or all pull requests that are left, by REST's list.

GitHub counts points and REST requests apart.  A request of the list brings 100 comments and none of it costs a point,
but the list can't be asked for the pull requests that are still to be read: it brings all that was updated since a
date, so also what is here already.  The walk goes from the newest pull request to the oldest, so a list down to a date
serves the next ones of the walk.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.models.pull_requests import CompletePullRequest
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState
from gh_backfill.policy.query_prices import LARGEST_FIRST, UNITS_OF_ONE_POINT

WINDOW = 3_600.0
COMMENTS_OF_A_REQUEST = 100
UNITS_OF_A_PAGE_ITEM = 2
# The part of the comments that GraphQL has to ask for again: what changed since, authors that GraphQL did not name, and
# comments on whole files.
UNSETTLED = 0.05
# Some rows come twice, at the end of a window, and the last request brings none.
OVERHEAD = 1.02
STEPS = 20
# The list is read only if it saves this share of the time and this many seconds, or if it lets so many times as much be
# captured before the time limit.
LEAST_SHARE = 0.2
LEAST_SECONDS = 60.0
LEAST_MORE = 1.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """What is left of a walk, and what was measured of it so far.

    `behind` are the review comments of pull requests that are captured already, `comments` and `units` the review
    comments of one pull request and the units it takes to ask for them by GraphQL.  `position` is when the last
    captured pull request was created, `apart` the time between two of them.  `until` are the seconds this job has left.
    """

    pull_requests: int
    behind: int
    comments: float
    units: float
    position: datetime
    apart: timedelta
    point_seconds: float
    request_seconds: float
    until: float = math.inf


@dataclass(frozen=True, kw_only=True, slots=True)
class RestListing:
    """The list serves pull requests created at `since` or later (None: all); it takes about so many requests."""

    since: datetime | None
    requests: int


@dataclass(frozen=True, kw_only=True, slots=True)
class _Outlook:
    """How many pull requests are captured in this job, and the seconds until they are."""

    served: int
    done: float
    seconds: float


def plan(work: Workload, graphql: Sequence[BudgetState], core: Sequence[BudgetState]) -> RestListing | None:
    """Return how far down the list pays; None where GraphQL alone is about as good.

    Only requests that may be spent now are planned with: the list is read before the walk goes on, and what a later
    job reads it for is that job's decision.
    """
    alone = _outlook(work, graphql, core, 0)
    shares = sorted({work.pull_requests * step // STEPS for step in range(1, STEPS + 1)})
    possible = [share for share in shares if requests_of(work, share) <= _spendable(core)]
    if not possible:
        return None
    best = max(
        (_outlook(work, graphql, core, share) for share in possible),
        key=lambda outlook: (round(outlook.done), -outlook.seconds),
    )
    if not _pays(best, alone):
        return None
    whole = best.served == work.pull_requests
    since = None if whole else work.position - work.apart * best.served
    return RestListing(since=since, requests=requests_of(work, best.served))


def worth_a_request(work: Workload, graphql: Sequence[BudgetState]) -> bool:
    """Say whether GraphQL alone takes so long that it is worth a request to learn what REST has left."""
    alone = _outlook(work, graphql, (), 0)
    return alone.seconds >= LEAST_SECONDS or alone.done < work.pull_requests - 0.5


def requests_of(work: Workload, served: int) -> int:
    """Return how many requests a list takes that serves the next pull requests of the walk."""
    if served == 0:
        return 0
    return 1 + math.ceil((work.behind + served * work.comments) * OVERHEAD / COMMENTS_OF_A_REQUEST)


def units(items: Iterable[CompletePullRequest]) -> float:
    """Return the units that the review comments of such pull requests take by GraphQL, on average."""
    found = [_units(item) for item in items]
    return sum(found) / len(found) if found else 0.0


def spending(
    amount: float, each: float, standings: Sequence[BudgetState], *, start: float = 0.0, until: float = math.inf
) -> tuple[float, float]:
    """Return when so much is spent one after the other from `start` on, in seconds, and how much is spent by `until`.

    A budget has what is left of it now, and after its reset a new one each hour.
    """
    grants = [(_ahead(each_.not_before, each_), index, each_.spendable) for index, each_ in enumerate(standings)]
    grants += [(_reset(standing), index, _full(standing)) for index, standing in enumerate(standings)]
    heapq.heapify(grants)
    pools = [0.0] * len(standings)
    clock, spent = start, 0.0
    while spent < amount and clock < until:
        while grants and grants[0][0] <= clock:
            when, index, granted = heapq.heappop(grants)
            pools[index] = max(0, granted)
            if when >= _reset(standings[index]):
                heapq.heappush(grants, (when + WINDOW, index, granted))
        following = min(until, grants[0][0])
        richest = max(range(len(pools)), key=pools.__getitem__)
        step = min(amount - spent, pools[richest], (following - clock) / each)
        if step < pools[richest] and step < amount - spent:
            clock = following
        else:
            clock = clock + step * each if step > 0 else following
        spent += step
        pools[richest] -= step
    return clock, spent


def _outlook(work: Workload, graphql: Sequence[BudgetState], core: Sequence[BudgetState], served: int) -> _Outlook:
    settled = (UNITS_OF_A_PAGE_ITEM + work.units * UNSETTLED) / UNITS_OF_ONE_POINT
    alone = (UNITS_OF_A_PAGE_ITEM + work.units) / UNITS_OF_ONE_POINT
    others = work.pull_requests - served
    read, _ = spending(requests_of(work, served), work.request_seconds, core, until=work.until)
    points = served * settled + others * alone
    seconds, spent = spending(points, work.point_seconds, graphql, start=read, until=work.until)
    done = min(served, spent / settled) + max(0.0, spent - served * settled) / alone
    return _Outlook(served=served, done=done, seconds=seconds)


def _pays(listed: _Outlook, alone: _Outlook) -> bool:
    saved = alone.seconds - listed.seconds
    sooner = listed.done >= alone.done - 0.5 and saved >= max(LEAST_SECONDS, LEAST_SHARE * alone.seconds)
    return sooner or listed.done >= max(1.0, alone.done) * LEAST_MORE


def _units(item: CompletePullRequest) -> int:
    by_review = sum(-(-review.comments // LARGEST_FIRST) for review in item.reviews)
    threads = item.pull_request.review_threads
    by_thread = threads + -(-threads // LARGEST_FIRST)
    return by_thread if sum(review.comments for review in item.reviews) < threads else min(by_review, by_thread)


def _spendable(standings: Sequence[BudgetState]) -> int:
    return sum(max(0, each.spendable) for each in standings if each.not_before is None)


def _full(standing: BudgetState) -> int:
    return standing.limit - governor.reserve(standing.limit)


def _reset(standing: BudgetState) -> float:
    """Return the seconds until the budget is full again; one that nobody spent from yet has its hour before it."""
    if standing.reset_at is None:
        return WINDOW
    ahead = (standing.reset_at + governor.MARGIN - standing.moment).total_seconds()
    return ahead if ahead > 0 else WINDOW


def _ahead(moment: datetime | None, standing: BudgetState) -> float:
    return 0.0 if moment is None else max(0.0, (moment - standing.moment).total_seconds())
