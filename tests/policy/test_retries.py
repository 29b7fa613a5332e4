"""What becomes of a chunk whose attempt ended in an error."""

from datetime import UTC, datetime, timedelta

import pytest

from gh_backfill.errors import Denied, GitHubError, Gone, RateLimited, TooBig, Unexpected, Unreachable
from gh_backfill.policy.retries import MAX_CONSECUTIVE_ERRORS, MAX_FAILURES, GiveUp, Pause, Retry, after_failure

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_rate_limit_pauses_until_github_says_and_is_no_error_of_the_repository() -> None:
    error = RateLimited("used up", resume_at=NOW + timedelta(minutes=9))
    assert after_failure(99, 99, error, NOW) == Pause(until=NOW + timedelta(minutes=9), reason="rate_limit")


@pytest.mark.parametrize("error", [Gone("gone"), Denied("no")])
def test_what_no_retry_can_help_is_given_up_at_once(error: GitHubError) -> None:
    assert after_failure(1, 1, error, NOW) == GiveUp(reason=str(error))


@pytest.mark.parametrize("error", [Unreachable("502"), TooBig("heavy")])
def test_what_may_pass_is_tried_again_after_a_growing_pause(error: GitHubError) -> None:
    first, second = (after_failure(failures, 1, error, NOW) for failures in (1, 2))
    assert isinstance(first, Retry)
    assert isinstance(second, Retry)
    assert NOW < first.at < second.at <= NOW + timedelta(minutes=1)


def test_errors_in_a_row_pause_the_repository_and_say_why() -> None:
    verdict = after_failure(1, MAX_CONSECUTIVE_ERRORS, Unreachable("502"), NOW)
    assert isinstance(verdict, Pause)
    assert verdict.reason == "too_many_errors"
    assert verdict.until > NOW


def test_an_answer_that_nobody_understands_pauses_the_repository_at_once() -> None:
    assert isinstance(after_failure(1, 1, Unexpected("?"), NOW), Pause)


def test_a_chunk_that_failed_too_often_is_given_up() -> None:
    assert isinstance(after_failure(MAX_FAILURES, 1, Unreachable("502"), NOW), GiveUp)
