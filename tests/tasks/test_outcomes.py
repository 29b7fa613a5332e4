"""What several kinds of one capture did together: the worse counts, and it goes on when the first of them does."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gh_backfill.engine.outcome import Captured, CaptureOutcome
from gh_backfill.policy.ledger import ErrorType

SOON, LATER = (datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (1, 2))
FAILED, PAUSED, COMPLETED = CaptureOutcome.FAILED, CaptureOutcome.PAUSED, CaptureOutcome.COMPLETED


def ended(
    outcome: CaptureOutcome, error: ErrorType | None = None, resume_at: datetime | None = None, reason: str = ""
) -> Captured:
    return Captured(outcome=outcome, reason=reason or outcome, error_type=error, resume_at=resume_at)


@pytest.mark.parametrize(
    ("one", "other", "goes_on"),
    [(SOON, LATER, SOON), (LATER, SOON, SOON), (None, LATER, LATER), (SOON, None, SOON), (None, None, None)],
)
def test_of_two_that_are_paused_the_first_to_go_on_says_when(
    one: datetime | None, other: datetime | None, goes_on: datetime | None
) -> None:
    first, second = (ended(PAUSED, ErrorType.RATE_LIMIT, each) for each in (one, other))
    assert first.then(second).resume_at == goes_on


def test_what_failed_says_itself_when_it_goes_on() -> None:
    failed, paused = ended(FAILED, ErrorType.DENIED, LATER), ended(PAUSED, ErrorType.RATE_LIMIT, SOON)
    assert failed.then(paused).resume_at == paused.then(failed).resume_at == LATER


@pytest.mark.parametrize("worse_first", [True, False])
@pytest.mark.parametrize("passing", [ErrorType.NETWORK, ErrorType.RATE_LIMIT, None])
def test_of_two_that_failed_the_error_that_does_not_pass_by_itself_counts(
    passing: ErrorType | None, worse_first: bool
) -> None:
    denied, other = ended(FAILED, ErrorType.DENIED, reason="denied"), ended(FAILED, passing, reason="cut off")
    both = denied.then(other) if worse_first else other.then(denied)
    assert (both.error_type, both.told) == (ErrorType.DENIED, "denied; cut off")


@pytest.mark.parametrize(
    ("first", "second", "partly"),
    [
        (ended(COMPLETED), ended(FAILED, ErrorType.DENIED), True),
        (ended(FAILED, ErrorType.DENIED), ended(COMPLETED), True),
        (ended(FAILED, ErrorType.NETWORK), ended(FAILED, ErrorType.DENIED), True),
        (ended(FAILED, ErrorType.DENIED), ended(FAILED, ErrorType.DENIED), False),
    ],
)
def test_only_what_failed_for_one_cause_failed_altogether(first: Captured, second: Captured, partly: bool) -> None:
    assert first.then(second).partly is partly
    assert second.then(first).partly is partly
