"""Send a query to GitHub, try again where that can help, and keep count of what it cost."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import backoff
import requests

from gh_backfill import __version__
from gh_backfill.clients import replies
from gh_backfill.errors import Unreachable
from gh_backfill.models import Budget, Spent

log = logging.getLogger(__name__)

# GitHub ends a query after 10 seconds; whatever takes much longer is a connection that hangs.
TIMEOUT = (10.0, 30.0)
TRIES = 5
LONGEST_PAUSE = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The data of one query, what of it was not found, GitHub's clock, and what it cost."""

    data: Mapping[str, Any]
    not_found: frozenset[tuple[str | int, ...]]
    server_time: datetime
    spent: Spent


class GraphQL:
    """One token's way to GraphQL: serial requests over one connection.  `budget` is what the last answer said."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.budget: Budget | None = None
        self.spent = Spent()
        self._url = url
        self._sleep = sleep
        self._now = now
        self._session = requests.Session()
        self._session.headers.update(
            {
                "Authorization": f"bearer {token}",
                "User-Agent": f"gh-backfill/{__version__}",
                "Accept": "application/json",
            }
        )

    def execute(self, document: str, variables: Mapping[str, object]) -> Answer:
        """Return the answer to one query.

        Retries, with growing pauses, only what may pass the second time.  Raises RateLimited, TooBig, Denied or
        Unexpected at once, and Unreachable after the last try.
        """
        before = self.spent
        reply, seconds = self._send_until_answered(document, variables)
        spent = Spent(
            points=self.spent.points - before.points,
            requests=self.spent.requests - before.requests,
            seconds=seconds,
        )
        return Answer(data=reply.data, not_found=reply.not_found, server_time=reply.server_time, spent=spent)

    def _send_until_answered(self, document: str, variables: Mapping[str, object]) -> tuple[replies.Reply, float]:
        for pause in islice(_pauses(), TRIES - 1):
            try:
                return self._send(document, variables)
            except Unreachable as error:
                log.warning("%s; trying again in %.0f s", error, pause)
                self._sleep(pause)
        return self._send(document, variables)

    def _send(self, document: str, variables: Mapping[str, object]) -> tuple[replies.Reply, float]:
        started = time.monotonic()
        self.spent += Spent(requests=1)
        try:
            response = self._session.post(self._url, json={"query": document, "variables": variables}, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise Unreachable(f"GitHub can't be reached at {self._url}: {_cause(error)}") from None
        seconds = time.monotonic() - started
        try:
            reply = replies.read(response, self._now())
        finally:
            self.budget = replies.budget(response, None) or self.budget
        self.budget = replies.budget(response, reply.data) or self.budget
        cost = (reply.data.get("rateLimit") or {}).get("cost", 0)
        self.spent += Spent(points=cost)
        return reply, seconds


def _pauses() -> Iterator[float]:
    """Yield growing pauses in seconds, spread so that several workers do not come back together."""
    growing = backoff.expo(max_value=LONGEST_PAUSE)
    next(growing)
    for seconds in growing:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311  (no secret depends on it)


def _cause(error: requests.RequestException) -> str:
    """Say what went wrong in a few words; the library's own text names objects and addresses in memory."""
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the TLS connection failed"
    if isinstance(error, requests.ConnectionError):
        return "no connection (is the network up, and the address right?)"
    return type(error).__name__
