"""May we spend?  One budget for all jobs of an identity: points, GitHub's time, and its word to slow down.

Points are shared with everything else that uses the same identity, so a tenth of the limit is never touched.  GitHub
also grants an identity 60 seconds of its time a minute, measured roughly as the time its answers take, and 2,000
requests: https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
Both are kept by a bucket that fills with the seconds of each request (at least `LEAST_SECONDS`) and leaks.  A request
is let in while the bucket is nearly empty, whatever it will add: so a big one is not overtaken for ever by small ones,
and one serial reader is hardly held up.  After idleness several may begin at once: while the bucket is empty, credit
grows as fast as it would leak, up to `BURST`, and shrinks while it leaks.  So no minute holds more for it: what is let
in early was saved in the same minute, and nothing else is let in until the bucket has leaked again.  Questions that
somebody waits for may add up to `HEAD_START`: an answer takes longer than the time that GitHub counts for it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from gh_backfill.models.github import Budget
from gh_backfill.policy import waits

# GitHub keeps two budgets apart: points for GraphQL, requests for REST (its `core`).
Resource = Literal["graphql", "core"]
UNITS: dict[Resource, str] = {"graphql": "points", "core": "requests"}

RESERVE = 0.1
# The limit of an identity until GitHub tells it: the least that any credential has.
START = 1_000
# GitHub's clock and ours differ, and GitHub refuses whoever asks a moment too early.
MARGIN = timedelta(seconds=5)
# A reservation lasts this long.  After that, what a dead job had reserved is free again.
EXPIRES = timedelta(seconds=90)
# The bucket leaks 57.6 seconds a minute.  With `SLACK` and the last request that is let in, a minute holds 60.
DRAIN = 0.96
SLACK = 1.4
# With so many seconds more in the bucket, a question is let in that somebody waits for: captures ask without a pause,
# several of them, and would leave it no turn.  Once in so many seconds: who goes on asking waits as captures do.
HEAD_START, HEAD_START_EVERY = 3.0, 10.0
BURST = 8.0
LEAST_SECONDS = 0.03
# A reservation may be made before it is needed while more than this part of the limit is left.
SPARE = 0.2
# GitHub ends a query after 10 seconds.  If an answer takes longer, the network took the rest.
MOST_SECONDS = 10.0
FIRST_ESTIMATE = 1.0


class Cause(StrEnum):
    """Why a request has to wait."""

    POINTS = "points"
    TIME = "server time"
    TOLD = "slow down"


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetState:
    """How the budget of an identity stands at a moment.

    `left` are the points that nobody has spent or reserved, `busy` the seconds in the bucket, `credit` those that it
    may hold beyond its slack for a while.  `reset_at` is None where GitHub has not told yet, `not_before` where nobody
    is asked to wait.  `refusals` counts those without an answer between.
    """

    identity: str
    limit: int
    left: int
    busy: float
    reset_at: datetime | None
    not_before: datetime | None
    moment: datetime
    refusals: int = 0
    credit: float = 0.0

    @property
    def spendable(self) -> int:
        """Return the points above the reserve; below zero where it was touched, by others."""
        return self.left - reserve(self.limit)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wait:
    """Nothing may be spent before `until`, which is `seconds` away."""

    until: datetime
    seconds: float
    cause: Cause
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RateLimitReport:
    """What an attempt told of the budget.

    `seconds` is how long it took.  `budget` is None where there were no headers.  After a refusal, nobody of the
    identity may ask before `resume_at`, which grows where refusals repeat; `guessed` says that GitHub gave no time.
    `at` is the moment on the clock by which these times are told; None where it is the gate's own.
    """

    seconds: float
    budget: Budget | None
    answered: bool = False
    resume_at: datetime | None = None
    guessed: bool = False
    at: datetime | None = None


def told_later(report: RateLimitReport, seconds: float) -> RateLimitReport:
    """Return a report that is written so many seconds after it was told: its times are those of another moment now."""
    return report if report.at is None else replace(report, at=report.at + timedelta(seconds=seconds))


def reserve(limit: int) -> int:
    """Return the points of a limit that are never touched."""
    return math.ceil(round(limit * RESERVE, 6))


def standing(budget: Budget, now: datetime) -> BudgetState:
    """Return how a budget stands of which only GitHub's last word is known."""
    return at(after_answer(unknown("", now), RateLimitReport(seconds=0.0, budget=budget)), now)


def unknown(identity: str, now: datetime) -> BudgetState:
    """Return the standing of an identity of which GitHub has not told anything yet."""
    return BudgetState(identity=identity, limit=START, left=START, busy=0.0, reset_at=None, not_before=None, moment=now)


def verdict(standing: BudgetState, points: int, resource: Resource = "graphql", *, slack: float = SLACK) -> Wait | None:
    """Say why `points` (of REST: requests) may not be spent now, and until when; None if they may.

    `slack` are the seconds that may be in the bucket.
    """
    now = standing.moment
    if standing.not_before is not None:
        return _wait(standing.not_before, now, Cause.TOLD, "GitHub asked everybody of this identity to slow down")
    if standing.spendable < points:
        kept = f"{reserve(standing.limit)} are kept in reserve"
        reason = f"{max(0, standing.left)} of {standing.limit} {UNITS[resource]} left, {kept}"
        return _wait(_reset(standing), now, Cause.POINTS, reason)
    if standing.busy > slack + standing.credit:
        until = now + timedelta(seconds=(standing.busy - slack) / DRAIN)
        return _wait(until, now, Cause.TIME, "all jobs together use GitHub's 60 seconds a minute")
    return None


def has_room(standing: BudgetState, points: int, *, since: float) -> bool:
    """Say whether a further request may be reserved before it is needed: nobody will lack its points.

    `standing` is how the budget stood `since` seconds ago, before a request of so many points.
    """
    busy = max(0.0, standing.busy - DRAIN * since)
    spare = standing.spendable - 2 * points >= standing.limit * SPARE
    return spare and standing.not_before is None and busy <= SLACK + standing.credit


def soon(standing: BudgetState) -> Wait:
    """Return the shortest wait there is."""
    return _wait(standing.moment, standing.moment, Cause.TIME, "another job of this identity is just asking")


def richest_first(standings: Iterable[BudgetState]) -> list[BudgetState]:
    """Order identities by the points they may still spend; those that GitHub asked to slow down come last."""
    return sorted(standings, key=lambda each: (each.not_before is not None, -each.spendable))


def slack_beside(seconds: float) -> float:
    """Return what may be in the bucket where a request is reserved to follow one of so many seconds.

    When that one is over, the bucket will have leaked as much.  It stays below `HEAD_START`: or the requests of
    captures would overtake a question for ever.
    """
    return SLACK + DRAIN * min(HEAD_START, seconds)


def seconds(measured: float) -> float:
    """Return what a request of that length adds to the bucket."""
    return min(MOST_SECONDS, max(LEAST_SECONDS, measured))


def estimate(before: float | None, measured: float) -> float:
    """Return how long the next request will take, from the estimate before and what the last one took."""
    return measured if before is None else (before + measured) / 2


def after_answer(before: BudgetState, told: RateLimitReport) -> BudgetState:
    """Return how a budget stands that only this process keeps, after an answer."""
    budget = told.budget
    after = replace(before, refusals=0) if told.answered else before
    if told.resume_at is not None:
        moment = told.at or before.moment
        wait = waits.grown(told.resume_at - moment, before.refusals, guessed=told.guessed)
        after = replace(before, not_before=moment + wait, refusals=before.refusals + 1)
    if budget is None:
        return after
    return replace(after, limit=budget.limit, left=budget.remaining, reset_at=budget.reset_at)


def at(known: BudgetState, now: datetime) -> BudgetState:
    """Return how such a budget stands later, when its window may be over."""
    latest = now + waits.MOST
    over = known.reset_at is not None and not now < known.reset_at + MARGIN <= latest + MARGIN
    waiting = known.not_before is not None and now < known.not_before <= latest
    return replace(
        known,
        moment=now,
        left=known.limit if over else known.left,
        not_before=known.not_before if waiting else None,
    )


def _reset(standing: BudgetState) -> datetime:
    """Return when there are points again; what others hold is settled or expires before that."""
    if standing.reset_at is not None and standing.reset_at + MARGIN > standing.moment:
        return standing.reset_at + MARGIN
    return standing.moment + timedelta(seconds=1)


def _wait(until: datetime, now: datetime, cause: Cause, reason: str) -> Wait:
    return Wait(until=until, seconds=max(0.05, (until - now).total_seconds()), cause=cause, reason=reason)
