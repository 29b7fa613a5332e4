"""What becomes of a chunk whose attempt ended in an error."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gh_backfill.errors import (
    BadCredentials,
    Denied,
    GitHubError,
    Gone,
    Misrouted,
    NoConnection,
    RateLimited,
    TooBig,
    Unexpected,
    Unreachable,
)
from gh_backfill.policy.retries import (
    MAX_CONSECUTIVE_ERRORS,
    MAX_FAILURES,
    GiveUp,
    Pause,
    PauseReason,
    Retry,
    after_failure,
    blames_repository,
    explained,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_rate_limit_pauses_until_github_says_and_is_no_error_of_the_repository() -> None:
    error = RateLimited("used up", resume_at=NOW + timedelta(minutes=9))
    assert after_failure(99, 99, error, NOW) == Pause(until=NOW + timedelta(minutes=9), reason=PauseReason.RATE_LIMIT)


def test_what_no_retry_can_help_is_given_up_at_once() -> None:
    assert after_failure(1, 1, Gone("gone"), NOW) == GiveUp(reason="gone")


@pytest.mark.parametrize("error", [Denied("no"), BadCredentials("no")])
def test_a_refused_credential_pauses_for_a_time_however_often_it_is_refused(error: GitHubError) -> None:
    verdict = after_failure(MAX_FAILURES, MAX_CONSECUTIVE_ERRORS, error, NOW)
    assert isinstance(verdict, Pause)
    assert verdict.reason == "credential_refused"
    assert NOW < verdict.until <= NOW + timedelta(hours=1)


def test_a_way_that_leads_astray_is_a_fault_of_the_settings_and_pauses_for_a_short_time() -> None:
    verdict = after_failure(MAX_FAILURES, MAX_CONSECUTIVE_ERRORS, Misrouted("leads elsewhere"), NOW)
    assert isinstance(verdict, Pause)
    assert verdict.reason == "way_to_github_wrong"
    assert NOW < verdict.until <= NOW + timedelta(minutes=5)
    assert not blames_repository(Misrouted("leads elsewhere"))


def test_a_network_that_is_away_never_pauses_or_closes_anything() -> None:
    assert isinstance(after_failure(MAX_FAILURES, MAX_CONSECUTIVE_ERRORS, NoConnection("away"), NOW), Retry)


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (Unreachable("502"), True),
        (TooBig("heavy"), True),
        (Unexpected("?"), True),
        (Gone("gone"), True),
        (NoConnection("away"), False),
        (BadCredentials("no"), False),
        (Denied("no"), False),
        (RateLimited("used up", resume_at=NOW), False),
    ],
)
def test_only_what_is_its_own_counts_against_a_repository(error: GitHubError, blamed: bool) -> None:
    assert blames_repository(error) is blamed


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        (PauseReason.RATE_LIMIT, "GraphQL rate limit too low"),
        ("rate_limit", "GraphQL rate limit too low"),
        (PauseReason.ERRORS, "Too many consecutive errors"),
        ("paused by hand", "paused by hand"),
        (None, "no reason given"),
    ],
)
def test_a_pause_is_told_in_the_guides_words_and_one_by_a_person_in_theirs(reason: str | None, words: str) -> None:
    assert explained(reason) == words


@pytest.mark.parametrize("error", [Unreachable("502"), TooBig("heavy")])
def test_what_may_pass_is_tried_again_after_a_growing_pause(error: GitHubError) -> None:
    pauses = []
    for failures in range(1, MAX_FAILURES):
        verdict = after_failure(failures, 1, error, NOW)
        assert isinstance(verdict, Retry)
        pauses.append(verdict.at - NOW)
    assert pauses[0] > timedelta()
    assert all(longer >= 1.5 * shorter for shorter, longer in pairwise(pauses)), pauses
    assert pauses[-1] <= timedelta(minutes=5)


def test_errors_in_a_row_pause_the_repository_and_say_why() -> None:
    verdict = after_failure(1, MAX_CONSECUTIVE_ERRORS, Unreachable("502"), NOW)
    assert isinstance(verdict, Pause)
    assert verdict.reason == "too_many_errors"
    assert verdict.until > NOW


def test_an_answer_that_nobody_understands_pauses_the_repository_at_once() -> None:
    assert isinstance(after_failure(1, 1, Unexpected("?"), NOW), Pause)


def test_a_chunk_that_failed_too_often_is_given_up() -> None:
    assert isinstance(after_failure(MAX_FAILURES, 1, Unreachable("502"), NOW), GiveUp)
