"""May we spend: the reserve stays, and the wait ends after the reset."""

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.models import Budget
from gh_backfill.policy.budget import Spend, Wait, may_spend

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESET = NOW + timedelta(minutes=20)


@pytest.mark.parametrize(("limit", "remaining"), [(1_000, 103), (5_000, 503)])
def test_points_above_the_reserve_may_be_spent(limit: int, remaining: int) -> None:
    assert may_spend(Budget(limit=limit, remaining=remaining, reset_at=RESET), 3, NOW) == Spend()


@pytest.mark.parametrize(("limit", "remaining"), [(1_000, 102), (5_000, 502), (1_000, 0)])
def test_the_last_tenth_of_the_actual_limit_is_never_touched(limit: int, remaining: int) -> None:
    verdict = may_spend(Budget(limit=limit, remaining=remaining, reset_at=RESET), 3, NOW)
    assert isinstance(verdict, Wait)
    assert RESET < verdict.until < RESET + timedelta(minutes=1)


def test_after_the_reset_the_old_figure_counts_no_more() -> None:
    assert may_spend(Budget(limit=1_000, remaining=0, reset_at=NOW), 3, NOW) == Spend()


def test_the_first_request_may_be_sent_to_learn_the_budget() -> None:
    assert may_spend(None, 3, NOW) == Spend()
