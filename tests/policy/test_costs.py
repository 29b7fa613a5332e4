"""Prices, the month, its projection, and what was saved."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.policy.report.costs import (
    CostRates,
    Month,
    ProcessorUsage,
    billed_minutes,
    first_of_month,
    job_cost,
    month,
    next_month,
    project,
)

SINCE = datetime(2026, 4, 1, tzinfo=UTC)
PRICES = CostRates(actions_minute=0.01, inngest_run=0.001, inngest_step=0.0001, inngest_hour=0.6)


def of(*works: ProcessorUsage, overhead: int = 0, budget: float | None = None) -> Month:
    at = datetime(2026, 4, 16, tzinfo=UTC)
    return month(PRICES, works, overhead_minutes=overhead, embeddings=0.5, since=SINCE, at=at, budget=budget)


@pytest.mark.parametrize(("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (60.5, 2), (61, 2), (720, 12)])
def test_a_minute_that_was_begun_is_billed_whole(seconds: float, minutes: int) -> None:
    assert billed_minutes(seconds) == minutes


def test_each_processor_has_its_price() -> None:
    def cost(processor: str) -> float:
        return job_cost(PRICES, job_type="progressive_backfill", processor=processor, seconds=61, chunks=10, spent=None)

    assert cost("github_actions") == 0.02
    assert cost("inngest") == pytest.approx(0.001 + 0.001 + 61 / 3600 * 0.6, abs=1e-6)
    assert cost("local") == 0.0


def test_an_embedding_job_knows_its_own_cost() -> None:
    assert job_cost(PRICES, job_type="embedding", processor="local", seconds=9, chunks=0, spent=0.07) == 0.07


def test_a_month_sums_its_processors_the_runs_own_jobs_and_embeddings() -> None:
    found = of(
        ProcessorUsage(processor="github_actions", jobs=10, chunks=100, minutes=120),
        ProcessorUsage(processor="inngest", jobs=2, chunks=10, minutes=6),
        ProcessorUsage(processor="local", jobs=5, chunks=9, minutes=99),
        overhead=30,
    )
    assert found.by_processor == {"github_actions": 1.5, "inngest": 0.063, "local": 0.0}
    assert found.total == pytest.approx(2.063)


def test_the_saving_is_measured_against_inngest_alone_and_may_be_negative() -> None:
    found = of(ProcessorUsage(processor="github_actions", jobs=10, chunks=100, minutes=120))
    assert found.inngest_only == pytest.approx(0.01 + 0.01 + 1.2)
    assert found.saving == pytest.approx(0.02)
    assert of(ProcessorUsage(processor="github_actions", jobs=1, chunks=0, minutes=1_000), overhead=500).saving < 0


def test_a_free_runner_saves_everything() -> None:
    free = month(
        CostRates(actions_minute=0.0),
        [ProcessorUsage(processor="github_actions", jobs=1, chunks=1, minutes=60)],
        overhead_minutes=9,
        embeddings=0.0,
        since=SINCE,
        at=SINCE,
        budget=None,
    )
    assert free.saving_percent == 100.0


def test_a_month_without_work_has_no_percentage() -> None:
    empty = month(CostRates(), [], overhead_minutes=0, embeddings=0.0, since=SINCE, at=SINCE, budget=5.0)
    assert (empty.total, empty.saving_percent, empty.used_percent, empty.exhausted) == (0.0, None, 0.0, False)


def test_half_a_month_projects_to_twice_as_much() -> None:
    assert project(3.0, SINCE, datetime(2026, 4, 16, tzinfo=UTC)) == 6.0


def test_the_first_hour_does_not_scare() -> None:
    assert project(1.0, SINCE, datetime(2026, 4, 1, 1, tzinfo=UTC)) == 30.0


@pytest.mark.parametrize(
    ("now", "following"),
    [
        (datetime(2026, 12, 31, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)),
    ],
)
def test_months_follow_each_other(now: datetime, following: datetime) -> None:
    assert next_month(first_of_month(now)) == following


def test_a_budget_is_near_at_80_percent_and_gone_at_100() -> None:
    spent = of(ProcessorUsage(processor="github_actions", jobs=1, minutes=50), budget=1.25)
    assert (spent.total, spent.used_percent, spent.near, spent.exhausted) == (1.0, 80.0, True, False)
    assert of(budget=0.5).exhausted
    assert of(budget=0.0).exhausted


def test_what_is_no_price_is_named() -> None:
    with pytest.raises(ValueError, match="minute; there are actions_minute"):
        CostRates.of({"minute": 1.0})
    with pytest.raises(ValueError, match="actions_minute"):
        CostRates.of({"actions_minute": -1.0})
