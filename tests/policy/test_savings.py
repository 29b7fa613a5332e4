"""The month's costs in words."""

from __future__ import annotations

from datetime import UTC, datetime

from gh_backfill.policy.report.costs import CostRates, Month, ProcessorUsage, month
from gh_backfill.policy.report.savings import explained

SINCE = datetime(2026, 4, 1, tzinfo=UTC)
WORK = ProcessorUsage(processor="github_actions", jobs=10, chunks=100, minutes=50)


def of(work: ProcessorUsage = WORK, *, public: bool = False, **prices: float) -> Month:
    at = datetime(2026, 4, 16, tzinfo=UTC)
    found = CostRates.of(prices)
    return month(found, [work], overhead_minutes=10, embeddings=0.0, since=SINCE, at=at, budget=None, public=public)


def test_a_public_repository_costs_nothing_and_keeps_the_promise() -> None:
    found = of(public=True)
    assert found.total == 0.0
    text = " ".join(explained(found))
    assert "60 runner minutes cost nothing: the repository whose workflows run is public" in text
    assert "keeps the guide's promise of 60 to 85 %" in text


def test_included_minutes_cost_nothing_and_the_others_their_price() -> None:
    assert of(included_minutes=2000).total == 0.0
    assert "among the 2,000 included ones" in explained(of(included_minutes=2000))[0]
    some = of(included_minutes=20, actions_minute=0.01)
    assert some.total == 0.4
    assert "60 runner minutes, of which 20 are included" in explained(some)[0]


def test_a_private_repository_is_told_that_it_was_dearer_why_and_when_the_promise_would_hold() -> None:
    found = of()
    assert found.saving < 0
    text = " ".join(explained(found))
    assert f"dearer than Inngest alone would have been, by ${-found.saving:.4f}: it bills whole minutes" in text
    assert "without their $0.3600 this month would have saved 100 %" in text
    assert "keeps the guide's promise" not in text
    assert "holds where runners cost nothing" in text
    assert "2,000 a month in GitHub Free" in text


def test_a_dear_inngest_is_beaten_by_runners_that_cost_something() -> None:
    found = of(inngest_step=0.02)
    assert found.saving_percent is not None
    assert found.saving_percent > 60
    assert any("keeps the guide's promise" in sentence for sentence in explained(found))


def test_a_price_is_written_as_people_write_one_however_small_it_is() -> None:
    told = explained(of(inngest_run=0.00005, inngest_step=0.0000001, inngest_hour=2, actions_minute=0.00001))
    assert "at $0.00001 each" in told[0]
    assert "$0.00005 for a job and $0.0000001 for a chunk, $2 for an hour" in told[-1]


def test_before_anything_ran_there_is_nothing_to_explain() -> None:
    nothing = month(CostRates(), [], overhead_minutes=0, embeddings=0.0, since=SINCE, at=SINCE, budget=None)
    assert explained(nothing) == []
