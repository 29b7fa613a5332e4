"""The errors of this package, by cause.

BackfillError                    exit  alerts
├── ConfigurationError            2     no    a setting or an input is wrong: nothing was done
│   └── EmptyDatabase         2     no    there is nothing in the database yet
├── PartlyFailed                  3     yes   some of what was asked failed; the rest is done
├── GitHubError
│   ├── Unreachable               4     no    network, time-outs, 5xx, answers of a strange shape: worth another try
│   │   └── NoConnection          4     no    no way to GitHub at all: nobody's fault
│   ├── TooBig                    4     no    the query was too heavy: ask for less
│   ├── RateLimited               0     no    wait until `resume_at`
│   ├── Denied                    2     yes   credentials or permissions
│   │   └── BadCredentials        2     yes   the token itself is not accepted
│   ├── Misrouted                 2     no    a setting of the way leads astray: address, proxy or certificates
│   ├── Gone                      3     no    the repository is not there (any more), or not for us
│   └── Unexpected                1     yes   an answer that we do not understand
├── InngestError
│   ├── InngestUnreachable        4     no    no answer, or one of something else: worth another try
│   └── InngestRefused            2     no    it takes no event: a key is missing or wrong
├── DatpipeError
│   ├── DatpipeDenied             2     no    its key is missing or not accepted, or its address leads elsewhere
│   ├── DatpipeAway               4     no    nobody is there, or served just now: worth another try later
│   ├── DatpipeFailed             4     no    it failed in this one request, or answered what is none
│   └── DatpipeUnknown            3     no    it does not know this repository, or this job
├── EmbedderError
│   ├── EmbedderDenied            2     no    its key or model is wrong, its quota is used up, or a package is missing
│   ├── EmbedderAway              4     no    nobody is there, or served just now: worth another try later
│   │   └── NoTimeToWait          4     no    it asks for a wait that is longer than the time that is left
│   ├── EmbedderWrong             4     no    what it answers can't be stored: not those vectors, or none
│   └── TextRefused               3     no    it does not take a text
└── StoreError
    ├── StoreUnavailable          4     yes   no connection to the database, or it has no room left
    ├── StoreDenied               2     yes   rights or settings of the database stand in the way
    │   ├── StoreSlow             2     yes   a statement took longer than it may
    │   └── StoreReadOnly         2     yes   the whole database takes no writes: a standby, or its disk is nearly full
    ├── StoreConflict             1     no    deadlock or lock time-out: replay the transaction
    │   └── StoreLocked           1     no    somebody holds a lock for long: wait for it, or end that
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


class EmptyDatabase(ConfigurationError):
    """Nothing was ever set up in the database that was asked."""


class PartlyFailed(BackfillError):
    """Some of what was asked failed; everything else is done and stored."""

    exit_code = 3


class GitHubError(BackfillError):
    """GitHub did not give what was asked for."""

    alerts = False
    retryable: ClassVar[bool] = False


class Unreachable(GitHubError):
    """The network, a time-out, a server error or a spoilt answer; the same request may succeed later."""

    exit_code = 4
    retryable = True


class NoConnection(Unreachable):
    """There is no way to GitHub: no network, no name, no proxy.  What was asked for has nothing to do with it."""


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


class Misrouted(GitHubError):
    """The way to GitHub is set wrong: its address, a proxy, or the file of certificates."""

    exit_code = 2


class Gone(GitHubError):
    """GitHub has no such repository, or does not show it to us."""

    exit_code = 3


class Unexpected(GitHubError):
    """GitHub says something that is not understood."""

    exit_code = 1
    alerts = True


class InngestError(BackfillError):
    """Inngest did not take what was sent."""

    alerts = False


class InngestUnreachable(InngestError):
    """Nobody answers, or somebody else; the same events may be taken later."""

    exit_code = 4


class InngestRefused(InngestError):
    """Inngest answers, and takes no event: a key or a setting is wrong."""

    exit_code = 2


class DatpipeError(BackfillError):
    """The service gh-datpipe did not do what it was asked; `shared` says that it would not for any repository."""

    alerts = False
    shared: ClassVar[bool] = False


class DatpipeDenied(DatpipeError):
    """The key is missing or not accepted, or the address is another one's; somebody has to change that."""

    exit_code = 2
    shared = True


class DatpipeAway(DatpipeError):
    """Nobody is there, or nobody is served just now: the network, an overload, a limit; `wait` in seconds, if told."""

    exit_code = 4
    shared = True

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class DatpipeFailed(DatpipeError):
    """It failed in one request, or its answer is none; it may have begun all the same, as the job of `job_id`."""

    exit_code = 4

    def __init__(self, message: str, *, job_id: str | None = None) -> None:
        super().__init__(message)
        self.job_id = job_id


class DatpipeUnknown(DatpipeError):
    """It does not know the repository or the job that it was asked about, or does not take it."""

    exit_code = 3


class EmbedderError(BackfillError):
    """Whoever makes vectors of texts did not."""

    alerts = False


class EmbedderDenied(EmbedderError):
    """A key, a model or a package is missing or wrong, or the quota is used up; somebody has to change that."""

    exit_code = 2


class EmbedderAway(EmbedderError):
    """Nobody is there, or nobody is served just now: the network, an overload, a limit; `wait` in seconds, if told."""

    exit_code = 4

    def __init__(self, message: str, *, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class NoTimeToWait(EmbedderAway):
    """It asks for a wait that is longer than the time that is left: nobody's fault, the next run goes on."""


class EmbedderWrong(EmbedderError):
    """The answer is none that can be stored: other vectors than asked for, or values that are no numbers."""

    exit_code = 4


class OtherDimensions(EmbedderWrong):
    """A vector is longer or shorter than those that the database keeps."""


class TextRefused(EmbedderError):
    """A text, or one of several, is not taken; without it the others may be, or half of it where it is `too_long`."""

    exit_code = 3

    def __init__(self, message: str, *, too_long: bool = False) -> None:
        super().__init__(message)
        self.too_long = too_long


class StoreError(BackfillError):
    """The database did not do what was asked."""


class StoreUnavailable(StoreError):
    """No connection to the database, it was lost, or the server is out of room."""

    exit_code = 4


class StoreDenied(StoreError):
    """A right is missing or a setting of the database or of its address is wrong; somebody has to change that."""

    exit_code = 2


class StoreSlow(StoreDenied):
    """A statement took longer than the role, or whoever asked, allows: it may pass when the database is less busy."""


class StoreReadOnly(StoreDenied):
    """The database takes no writes at all; what is read can still be had."""


class StoreConflict(StoreError):
    """The transaction collided with another one and was rolled back; it can be replayed as it is."""

    alerts = False


class StoreLocked(StoreConflict):
    """A lock was not granted in time."""


class RowRefused(StoreError):
    """The database does not admit a row that was sent: a constraint or a type refuses it."""


class RowTooLarge(RowRefused):
    """What was sent is larger than PostgreSQL takes."""


class StaleClaim(StoreError):
    """The chunk belongs to another worker now; what was fetched for it is dropped."""

    exit_code = 0
    alerts = False
