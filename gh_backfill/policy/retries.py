"""Retries of a chunk whose attempt ended in an error, and pauses of a repository whose chunks keep failing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gh_backfill.errors import BadCredentials, Denied, GitHubError, Gone, Misrouted, NoConnection, RateLimited

MAX_FAILURES = 5
MAX_CONSECUTIVE_ERRORS = 3
ERROR_PAUSE = timedelta(hours=1)
# A refused token may be renewed soon, or was refused by mistake.  The next plan's own request shows which it is.
TOKEN_PAUSE = timedelta(minutes=5)
# If a right is missing, or an organisation keeps us out, a person needs some time to change that.
RIGHT_PAUSE = timedelta(hours=1)


class PauseReason(StrEnum):
    """Why a backfill pauses by itself, as its row says it; the guide's words for it are in `explained`."""

    RATE_LIMIT = "graphql_rate_limit_low"
    ERRORS = "too_many_errors"
    REFUSED = "credential_refused"
    ASTRAY = "way_to_github_wrong"


_WORDS = {
    PauseReason.RATE_LIMIT: "GraphQL rate limit too low",
    PauseReason.ERRORS: "Too many consecutive errors",
    PauseReason.REFUSED: "GitHub refuses the credential",
    PauseReason.ASTRAY: "A setting of the way to GitHub is wrong",
    "rate_limit": "GraphQL rate limit too low",  # as rows of earlier versions say it
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Retry:
    """The chunk waits until `at` and is claimed again."""

    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Pause:
    """The whole backfill waits until `until`; the chunk goes back."""

    until: datetime
    reason: PauseReason


@dataclass(frozen=True, kw_only=True, slots=True)
class GiveUp:
    """A person must look."""

    reason: str


def explained(reason: str | None) -> str:
    """Say a stored pause reason in words; one that a person gave, or an older application, as it is."""
    return "no reason given" if reason is None else _WORDS.get(reason, reason)


def told(reason: PauseReason, error: GitHubError) -> str:
    """Say why a backfill pauses, with the error, and not twice that GitHub refuses."""
    return f"{explained(reason)}: {str(error).removeprefix('GitHub refuses: ')}"


def blames_repository(error: GitHubError) -> bool:
    """Say whether an error counts against the repository, and not against the credential or the way to GitHub."""
    return not isinstance(error, RateLimited | Denied | Misrouted | NoConnection)


def before_next_try(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    return timedelta(seconds=min(60, 2**failures))


def after_failure(failures: int, consecutive_errors: int, error: GitHubError, now: datetime) -> Retry | Pause | GiveUp:
    """Decide what happens to a chunk whose attempt ended in `error`.

    `failures` counts those of the chunk and `consecutive_errors` those of the repository, both with this one.  A limit
    and a refusal of the credential are no errors of the repository, so they only pause, and it goes on by itself.
    """
    match error:
        case RateLimited():
            return Pause(until=error.resume_at, reason=PauseReason.RATE_LIMIT)
        case Denied() | Misrouted():
            wait = TOKEN_PAUSE if isinstance(error, BadCredentials | Misrouted) else RIGHT_PAUSE
            reason = PauseReason.REFUSED if isinstance(error, Denied) else PauseReason.ASTRAY
            return Pause(until=now + wait, reason=reason)
        case NoConnection():
            return Retry(at=now)
    if isinstance(error, Gone) or failures >= MAX_FAILURES:
        return GiveUp(reason=str(error))
    if not error.retryable or consecutive_errors >= MAX_CONSECUTIVE_ERRORS:
        return Pause(until=now + ERROR_PAUSE, reason=PauseReason.ERRORS)
    return Retry(at=now + before_next_try(failures))
