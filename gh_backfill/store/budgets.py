"""The budget that all jobs of an identity share: reserve before a request, settle after it.

Each function is one round trip, and may safely be repeated.  A reservation does not wait for the disk, and what an
answer told only where GitHub asked to slow down: what a crash undoes, the next answer tells again.
`now` is the database's clock unless a test says otherwise: the jobs' own clocks differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gh_backfill.models.github import Budget
from gh_backfill.policy import governor, waits
from gh_backfill.policy.governor import BudgetState, RateLimitReport, Resource
from gh_backfill.resources import sql
from gh_backfill.store.db import Database, Row, Statement
from gh_backfill.store.moments import moment

_SQL = sql("budgets")
_BUCKET: dict[str, Any] = {"drain": governor.DRAIN, "burst": governor.BURST, "most": waits.MOST}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """A reservation as it was asked for; `request` is its name, one for each request."""

    identity: str
    request: str
    points: int
    seconds: float
    resource: Resource = "graphql"


def ensure(db: Database, identity: str, resource: Resource = "graphql") -> None:
    """Make the row of an identity unless it is there."""
    db.statement(_SQL["ensure"], identity=identity, resource=resource, start=governor.START)


def reserve(
    db: Database,
    wanted: Reserved,
    *,
    before: Sequence[Statement] = (),
    slack: float = governor.SLACK,
    now: datetime | None = None,
) -> tuple[bool, BudgetState]:
    """Reserve points and seconds; returns whether they were granted, and how the budget stood before.

    Granted are only points that leave the reserve of the limit alone; a reservation that is not settled expires after
    90 seconds.  Statements that settle others go `before` it, in the same round trip.  `slack` are
    the seconds that may be in the bucket.
    """
    params: dict[str, Any] = {
        **_BUCKET,
        **_of(wanted),
        "points": wanted.points,
        "seconds": governor.seconds(wanted.seconds),
        "expires": governor.EXPIRES,
        "margin": governor.MARGIN,
        "slack": slack,
        "reserve": governor.RESERVE,
        "now": now,
    }
    rows = db.statements(*before, (_SQL["reserve"], params), durable=False)
    if not rows:
        ensure(db, wanted.identity, wanted.resource)
        rows = db.statement(_SQL["reserve"], durable=False, **params)
    (row,) = rows
    granted = bool(row.pop("granted"))
    return granted, _standing(row)


def settle(db: Database, reserved: Reserved, told: RateLimitReport, *, now: datetime | None = None) -> datetime | None:
    """Write what an answer told; returns the time before which nobody of this identity may ask, if there is one."""
    rows = db.statements(settling(reserved, told, now=now), durable=told.resume_at is not None)
    return rows[0]["not_before"] if rows else None


def settling(reserved: Reserved, told: RateLimitReport, *, now: datetime | None = None) -> Statement:
    """Return the statement that writes what an answer told."""
    budget = told.budget
    return _SQL["settle"], {
        **_BUCKET,
        **_of(reserved),
        "limit": budget.limit if budget else None,
        "remaining": budget.remaining if budget else None,
        "reset_at": budget.reset_at if budget else None,
        "seconds": governor.seconds(told.seconds),
        "estimate": governor.seconds(reserved.seconds),
        "resume_at": told.resume_at,
        "guessed": told.guessed,
        "answered": told.answered,
        "at": told.at,
        "same_clock": waits.SAME_CLOCK,
        "least": waits.LEAST,
        "doublings_told": waits.MOST_DOUBLINGS_TOLD,
        "doublings_guessed": waits.MOST_DOUBLINGS_GUESSED,
        "now": now,
    }


def releasing(reserved: Reserved, *, now: datetime | None = None) -> Statement:
    """Return the statement that gives a reservation back with which no request was sent."""
    return _SQL["release"], {**_BUCKET, **_of(reserved), "estimate": governor.seconds(reserved.seconds), "now": now}


def correct(
    db: Database, identity: str, resource: Resource, budget: Budget, *, at: datetime, now: datetime | None = None
) -> None:
    """Write how GitHub says that a budget stands, in the place of what answers told before.

    `at` is the moment on the clock by which its reset is told.
    """
    db.statement(
        _SQL["correct"],
        identity=identity,
        resource=resource,
        limit=budget.limit,
        remaining=budget.remaining,
        away=budget.reset_at - at,
        near=waits.NEAR,
        now=now,
    )


def standings(
    db: Database,
    identities: Sequence[str] | None = None,
    resource: Resource = "graphql",
    *,
    now: datetime | None = None,
) -> list[BudgetState]:
    """Return how the budgets of these identities stand, or of all; one that is not known is left out."""
    statement, params = question(identities, resource, now=now)
    return [_standing(row) for row in db.statement(statement, **params)]


def question(
    identities: Sequence[str] | None = None,
    resource: Resource = "graphql",
    *,
    now: datetime | None = None,
    numbered: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return the statement that tells how budgets stand, for who asks more at the same time.

    Where they are `numbered`, "budget 1" stands for the name of the first identity, which may be a person's.
    """
    names = None if identities is None else tuple(identities)
    return _SQL["budget_states"], {
        **_BUCKET,
        "identities": names,
        "resource": resource,
        "margin": governor.MARGIN,
        "now": now,
        "numbered": numbered,
    }


def from_json(row: Row) -> BudgetState:
    """Return how a budget stands from a row of `question` whose times are texts."""
    times = {name: row[name] and moment(row[name]) for name in ("reset_at", "moment", "not_before")}
    return _standing({**row, **times})


def _of(reserved: Reserved) -> dict[str, Any]:
    return {"identity": reserved.identity, "resource": reserved.resource, "request": reserved.request}


def _standing(row: Row) -> BudgetState:
    return BudgetState(**row)
