"""Read a list of REST page by page, each request let through by the gate and charged to the budget `core`."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import backoff
import requests

from gh_backfill import __version__
from gh_backfill.clients import replies
from gh_backfill.clients.credentials import Credentials
from gh_backfill.clients.gate import Gate, Grant
from gh_backfill.clients.graphql import LONGEST_PAUSE, LONGEST_WAIT, TIMEOUT, TRIES
from gh_backfill.errors import BadCredentials, GitHubError, RateLimited, Unreachable
from gh_backfill.policy import governor
from gh_backfill.policy.governor import Told

log = logging.getLogger(__name__)

# GitHub admits 900 points a minute for REST, and a request that reads costs one.  The gate's bucket leaks 57.6 seconds
# a minute, so each request counts as at least this long: 872 a minute.
# https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
LEAST_SECONDS = 0.066


@dataclass(frozen=True, kw_only=True, slots=True)
class RestPage:
    """One page of a list, whether another one follows, GitHub's clock, and how many seconds the answer took."""

    rows: list[Any]
    more: bool
    server_time: datetime
    seconds: float


class RestPages:
    """The way to the lists: serial requests over one connection.

    `gate` is asked anew for each request, because it may be replaced between two.  `requests` counts what was sent.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        gate: Callable[[], Gate],
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.requests = 0
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._gate = gate
        self._sleep = sleep
        self._now = now
        self._seconds: float | None = None
        self._session = requests.Session()
        self._session.headers.update(
            {"User-Agent": f"gh-backfill/{__version__}", "Accept": "application/vnd.github+json"}
        )

    def standings(self) -> list[governor.Standing]:
        """Return how the budget of each identity stands."""
        return self._gate().standings(self._credentials, "core")

    def get(self, path: str, params: Mapping[str, str]) -> RestPage:
        """Return one page of the list at `path`.

        Retries and waits as `GraphQL.execute` does.  Raises RateLimited where the wait is long, Gone, Denied or
        Unexpected at once, and Unreachable after the last try.
        """
        pauses = islice(_pauses(), TRIES - 1)
        while True:
            grant: Grant | None = None
            try:
                grant = self._admission()
                return self._send(grant, path, params)
            except GitHubError as error:
                self._before_next_try(error, grant, next(pauses, None))

    def _before_next_try(self, error: GitHubError, grant: Grant | None, pause: float | None) -> None:
        """Return when the same request may be sent again; raises `error` where that can't help, or was the last try."""
        match error:
            case BadCredentials() if grant is not None and self._credentials.drop(grant.credential):
                return
            case RateLimited() if grant is not None and pause is not None:
                wait = self._gate().look(self._credentials, 1, "core")
                if wait is None or wait.seconds <= LONGEST_WAIT:
                    return
            case Unreachable() if pause is not None:
                log.warning("%s; trying again in %.0f s", error, pause)
                self._sleep(pause)
                return
        raise error

    def _admission(self) -> Grant:
        waited = 0.0
        while True:
            estimate = governor.FIRST_ESTIMATE if self._seconds is None else self._seconds
            answer = self._gate().reserve(self._credentials, points=1, seconds=estimate, resource="core")
            if isinstance(answer, Grant):
                return answer
            waited += answer.seconds
            if waited > LONGEST_WAIT:
                raise RateLimited(answer.reason, resume_at=answer.until)
            self._sleep(answer.seconds)

    def _send(self, grant: Grant, path: str, params: Mapping[str, str]) -> RestPage:
        headers = {"Authorization": f"bearer {grant.credential.token()}"}
        started = time.monotonic()
        self.requests += 1
        try:
            response = self._session.get(f"{self._url}{path}", params=params, headers=headers, timeout=TIMEOUT)
        except requests.RequestException as error:
            self._gate().settle(grant, Told(seconds=_since(started), budget=None))
            raise Unreachable(f"GitHub can't be reached at {self._url}: {type(error).__name__}") from None
        told = Told(seconds=_since(started), budget=replies.budget(response, None, resource="core"))
        try:
            rows = replies.rows(response, self._now())
        except RateLimited as error:
            told = replace(told, resume_at=error.resume_at, guessed=error.guessed)
            told = replace(told, budget=None) if error.secondary else told
            raise
        else:
            told = replace(told, answered=True)
            self._seconds = governor.estimate(self._seconds, told.seconds)
        finally:
            self._gate().settle(grant, told)
        return RestPage(
            rows=rows,
            more="next" in response.links,
            server_time=replies.server_time(response, self._now()),
            seconds=told.seconds,
        )


def _since(started: float) -> float:
    return max(LEAST_SECONDS, time.monotonic() - started)


def _pauses() -> Iterator[float]:
    growing = backoff.expo(max_value=LONGEST_PAUSE)
    next(growing)
    for seconds in growing:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311  (no secret depends on it)
