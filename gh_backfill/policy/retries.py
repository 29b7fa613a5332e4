"""What becomes of a chunk whose attempt ended in an error, and of a repository whose chunks keep failing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gh_backfill.errors import Denied, GitHubError, Gone, RateLimited

MAX_FAILURES = 5
MAX_CONSECUTIVE_ERRORS = 3
ERROR_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """The chunk waits until `at` and is claimed again."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """The whole backfill waits until `until`; the chunk goes back."""

    until: datetime
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """A person must look."""

    reason: str


def after_failure(failures: int, consecutive_errors: int, error: GitHubError, now: datetime) -> Retry | Pause | GiveUp:
    """Decide what happens to a chunk whose attempt ended in `error`.

    `failures` counts those of the chunk and `consecutive_errors` those of the repository, both with this one.  A rate
    limit is no error of the repository, so it only pauses.
    """
    if isinstance(error, RateLimited):
        return Pause(until=error.resume_at, reason="rate_limit")
    if isinstance(error, Gone | Denied) or failures >= MAX_FAILURES:
        return GiveUp(reason=str(error))
    if not error.retryable or consecutive_errors >= MAX_CONSECUTIVE_ERRORS:
        return Pause(until=now + ERROR_PAUSE, reason="too_many_errors")
    return Retry(at=now + timedelta(seconds=min(60, 2**failures)))
