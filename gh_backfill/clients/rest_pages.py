"""Read a list of REST page by page, each request let through by the gate and charged to the budget `core`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

from gh_backfill.clients import replies, transport
from gh_backfill.clients.attempts import TIMEOUT, Attempts
from gh_backfill.clients.credentials import Credentials
from gh_backfill.clients.gate import Gate, Grant
from gh_backfill.errors import RateLimited
from gh_backfill.policy import governor, waits
from gh_backfill.policy.governor import RateLimitReport

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
    """The way to the lists: serial requests over one connection, to be closed.  `requests` counts what was sent."""

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
        self._attempts = Attempts(credentials, gate, resource="core", sleep=sleep, now=now)
        self._url = url.rstrip("/")
        self._now = now
        self._session = transport.session(accept="application/vnd.github+json")

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def standings(self) -> list[governor.BudgetState]:
        """Return how the budget of each identity stands."""
        return self._attempts.standings()

    def get(self, path: str, params: Mapping[str, str]) -> RestPage:
        """Return one page of the list at `path`.

        Retries and waits as `Attempts` does.  Raises RateLimited where the wait is long, Gone, Denied or Unexpected at
        once, and Unreachable after the last try.
        """
        return self._attempts.until_answered(partial(self._send, path, params))

    def _send(self, path: str, params: Mapping[str, str], grant: Grant) -> RestPage:
        token = grant.credential.token()
        self.requests += 1
        get = partial(
            transport.send, self._session, "GET", f"{self._url}{path}", token=token, params=params, timeout=TIMEOUT
        )
        response, seconds = self._attempts.measured(get, grant)
        now = self._now()
        budget = replies.budget(response, None, now, resource="core")
        told = RateLimitReport(seconds=max(LEAST_SECONDS, seconds), budget=budget, at=now)
        try:
            rows = replies.rows(response, now)
            told = replace(told, answered=True)
        except RateLimited as error:
            told = replace(told, resume_at=error.resume_at, guessed=error.guessed)
            told = replace(told, budget=None) if error.secondary else told
            raise
        finally:
            self._attempts.settle(grant, told)
        return RestPage(
            rows=rows,
            more="next" in response.links,
            server_time=waits.server_time(response.headers, now, None),
            seconds=told.seconds,
        )
