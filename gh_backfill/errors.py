"""The errors of this package, by cause.

BackfillError                    exit  alerts
├── ConfigurationError            2     no    a setting or an input is wrong: nothing was done
├── PartlyFailed                  3     yes   some of what was asked failed; the rest is done
├── GitHubError
│   ├── Unreachable               4     no    network, time-outs, 5xx: worth another try
│   ├── TooBig                    4     no    the query was too heavy: ask for less
│   ├── RateLimited               0     no    wait until `resume_at`
│   ├── Denied                    2     yes   credentials or permissions
│   │   └── BadCredentials        2     yes   the token itself is not accepted
│   ├── Gone                      3     no    the repository is not there (any more), or not for us
│   └── Unexpected                1     yes   an answer that we do not understand
└── StoreError
    ├── StoreUnavailable          4     yes   no connection to the database
    ├── StoreConflict             1     no    deadlock or lock time-out: replay the transaction
    ├── RowRefused                1     yes   a row that this database does not admit: find it, quarantine it
    │   └── RowTooLarge           1     yes   one that is larger than any database takes
    └── StaleClaim                0     no    another worker owns the chunk now: stop quietly
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class BackfillError(Exception):
    """Anything this package raises on purpose; the message says what happened and what to do."""

    exit_code: ClassVar[int] = 1
    alerts: ClassVar[bool] = True


class ConfigurationError(BackfillError):
    """A setting or an input is missing or wrong; nothing was written."""

    exit_code = 2
    alerts = False


class PartlyFailed(BackfillError):
    """Some of what was asked failed; everything else is done and stored."""

    exit_code = 3


class GitHubError(BackfillError):
    """GitHub did not give what was asked for."""

    alerts = False
    retryable: ClassVar[bool] = False


class Unreachable(GitHubError):
    """The network, a time-out or a server error; the same request may succeed later."""

    exit_code = 4
    retryable = True


class TooBig(GitHubError):
    """GitHub gave up on a query that was too heavy; a smaller one may pass."""

    exit_code = 4
    retryable = True


class RateLimited(GitHubError):
    """GitHub asks to wait until `resume_at` (UTC).

    `secondary` tells a limit that is not of the hour's points, `guessed` that GitHub gave no time, only the wish.
    """

    exit_code = 0
    retryable = True

    def __init__(self, message: str, *, resume_at: datetime, secondary: bool = False, guessed: bool = False) -> None:
        super().__init__(message)
        self.resume_at = resume_at
        self.secondary = secondary
        self.guessed = guessed


class Denied(GitHubError):
    """The credentials are wrong, or do not reach far enough."""

    exit_code = 2
    alerts = True


class BadCredentials(Denied):
    """GitHub does not accept the token: it is wrong, expired or revoked."""


class Gone(GitHubError):
    """GitHub has no such repository, or does not show it to us."""

    exit_code = 3


class Unexpected(GitHubError):
    """An answer of a shape that is not understood."""

    exit_code = 1
    alerts = True


class StoreError(BackfillError):
    """The database did not do what was asked."""


class StoreUnavailable(StoreError):
    """No connection to the database, or it was lost."""

    exit_code = 4


class StoreConflict(StoreError):
    """The transaction collided with another one and was rolled back; it can be replayed as it is."""

    alerts = False


class RowRefused(StoreError):
    """The database does not admit a row that was sent: a constraint or a type refuses it."""


class RowTooLarge(RowRefused):
    """What was sent is larger than PostgreSQL takes."""


class StaleClaim(StoreError):
    """The chunk belongs to another worker now; what was fetched for it is dropped."""

    exit_code = 0
    alerts = False
