"""The shared budget: what asking for a request and settling it costs, for one job alone and for several at once."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from gh_backfill.models.github import Budget
from gh_backfill.policy.governor import RateLimitReport
from gh_backfill.store import budgets
from gh_backfill.store.budgets import Reserved
from gh_backfill.store.db import Database
from tests.benchmarks.rig import Rig
from tests.benchmarks.tables import Table

IDENTITY = "user:1"
PLENTY = 10_000_000
JOBS = (1, 5)
REQUESTS = 200
# A request of the real GitHub takes longer; meanwhile other jobs ask.
LATENCY = 0.02
ALLOWED = 0.005


def reservations(rig: Rig) -> Table:
    """Measure what a request waits for the database, beside GitHub: milliseconds for both statements."""
    url = rig.database()
    told = Budget(limit=PLENTY, remaining=PLENTY, reset_at=datetime.now(UTC) + timedelta(hours=1))
    with Database(url) as db:
        first = _wanted()
        budgets.reserve(db, first)
        budgets.settle(db, first, RateLimitReport(seconds=0.0, budget=told))
    rows = []
    missed = []
    for jobs in JOBS:
        with ThreadPoolExecutor(jobs) as pool:
            seconds = [each for done in pool.map(_job, [url] * jobs, [told] * jobs) for each in done]
        rows.append((jobs, len(seconds), 1000 * median(seconds), 1000 * quantiles(seconds, n=20)[-1]))
        if median(seconds) > ALLOWED:
            missed.append(f"{jobs} jobs: {1000 * median(seconds):.1f} ms a request, {1000 * ALLOWED:.0f} are allowed")
    rig.drop(url)
    return Table(
        section="reservations",
        title="milliseconds that reserving and settling add to a request",
        columns=("jobs at once", "requests", "median (ms)", "95 of 100 within (ms)"),
        rows=tuple(rows),
        missed=tuple(missed),
    )


def _job(url: str, told: Budget) -> list[float]:
    found = []
    with Database(url) as db:
        db.statement("select 1")  # connects
        for _ in range(REQUESTS):
            wanted = _wanted()
            began = time.perf_counter()
            budgets.reserve(db, wanted)
            reserved = time.perf_counter()
            time.sleep(LATENCY)
            answered = time.perf_counter()
            budgets.settle(db, wanted, RateLimitReport(seconds=LATENCY, budget=told, answered=True))
            found.append(reserved - began + time.perf_counter() - answered)
    return found


def _wanted() -> Reserved:
    return Reserved(identity=IDENTITY, request=uuid.uuid4().hex, points=1, seconds=LATENCY)
