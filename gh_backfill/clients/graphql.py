"""Send a query to GitHub, try again where that can help, and keep count of what it cost."""

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
from gh_backfill.clients import credentials as credential
from gh_backfill.clients import replies
from gh_backfill.clients.gate import Gate, Grant, OwnGate
from gh_backfill.errors import BadCredentials, GitHubError, RateLimited, Unreachable
from gh_backfill.models import Budget, Spent
from gh_backfill.policy import governor
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.governor import Cause, Told, Wait

log = logging.getLogger(__name__)

# GitHub ends a query after 10 seconds; whatever takes much longer is a connection that hangs.
TIMEOUT = (10.0, 30.0)
TRIES = 5
LONGEST_PAUSE = 30
# What has to wait longer than this for the budget is for the caller to decide: it may pause, or end in time.
LONGEST_WAIT = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The data of one query, what of it was not found, GitHub's clock, and what it cost."""

    data: Mapping[str, Any]
    not_found: frozenset[tuple[str | int, ...]]
    server_time: datetime
    spent: Spent
    too_heavy: bool = False


class GraphQL:
    """The way to GraphQL: serial requests over one connection, each let through by the gate.

    `budget` is what the last answer said, `times` where the time went so far, and `held_up` why the caller was told to
    wait, until a request is let through again.  `gate` may be replaced between two requests.  `timeout` is how many
    seconds a connection and an answer may take.
    """

    def __init__(
        self,
        url: str,
        credentials: credential.Credentials | str,
        *,
        gate: Gate | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget: Budget | None = None
        self.spent = Spent()
        self.times = Times()
        self.held_up: Cause | None = None
        self.gate: Gate = gate or OwnGate(now)
        self._url = url
        self._credentials = credential.fixed(credentials) if isinstance(credentials, str) else credentials
        self._timeout = timeout
        self._sleep = sleep
        self._now = now
        self._clock = clock
        self._seconds: float | None = None
        self._session = requests.Session()
        self._session.headers.update(
            {
                "User-Agent": f"gh-backfill/{__version__}",
                "Accept": "application/json",
            }
        )

    @property
    def credentials(self) -> credential.Credentials:
        """Return what GitHub is shown."""
        return self._credentials

    def execute(self, document: str, variables: Mapping[str, object], *, points: int = 1) -> Answer:
        """Return the answer to one query, which is expected to cost `points`.

        Retries, with growing pauses, only what may pass the second time, and waits a little where the budget asks for
        it.  Raises RateLimited where it asks for more, TooBig, Denied or Unexpected at once, and Unreachable after the
        last try.
        """
        before = self.spent
        reply, seconds = self._send_until_answered(document, variables, points)
        spent = Spent(
            points=self.spent.points - before.points,
            requests=self.spent.requests - before.requests,
            seconds=seconds,
        )
        return Answer(
            data=reply.data,
            not_found=reply.not_found,
            server_time=reply.server_time,
            spent=spent,
            too_heavy=reply.too_heavy,
        )

    def must_wait(self, points: int) -> Wait | None:
        """Say until when there are not so many points, if that is longer than `execute` itself would wait."""
        wait = self.gate.look(self._credentials, points)
        if wait is None or wait.seconds <= LONGEST_WAIT:
            return None
        self.held_up = wait.cause
        return wait

    def _send_until_answered(
        self, document: str, variables: Mapping[str, object], points: int
    ) -> tuple[replies.Reply, float]:
        pauses = islice(_pauses(), TRIES - 1)
        while True:
            grant: Grant | None = None
            try:
                grant = self._admission(points)
                return self._send(grant, document, variables)
            except GitHubError as error:
                self._before_next_try(error, grant, points, next(pauses, None))

    def _before_next_try(self, error: GitHubError, grant: Grant | None, points: int, pause: float | None) -> None:
        """Return when the same request may be sent again; raises `error` where that can't help, or was the last try.

        Without a grant the request was not sent: GitHub had to be asked first whose budget it is, and that failed.
        """
        match error:
            case BadCredentials() if grant is not None and self._credentials.drop(grant.credential):
                return
            case RateLimited() if grant is not None:
                wait = self.must_wait(points)
                if wait is None and pause is not None:
                    return  # the wait is short, or another credential has points
                if wait is None:
                    self.held_up = Cause.TOLD if error.secondary else Cause.POINTS
                else:
                    error.resume_at = wait.until
            case Unreachable() if pause is not None:
                log.warning("%s; trying again in %.0f s", error, pause)
                self.times = replace(self.times, retries=self.times.retries + pause)
                self._sleep(pause)
                return
        raise error

    def _admission(self, points: int) -> Grant:
        """Return the gate's leave for one request; waits for it a little, and raises RateLimited where that is long."""
        waited = 0.0
        while True:
            estimate = governor.FIRST_ESTIMATE if self._seconds is None else self._seconds
            answer = self.gate.reserve(self._credentials, points=points, seconds=estimate)
            if isinstance(answer, Grant):
                self.held_up = None
                return answer
            waited += answer.seconds
            if waited > LONGEST_WAIT:
                self.held_up = answer.cause
                raise RateLimited(answer.reason, resume_at=answer.until)
            self.times = self.times.waited(answer.cause, answer.seconds)
            self._sleep(answer.seconds)

    def _send(self, grant: Grant, document: str, variables: Mapping[str, object]) -> tuple[replies.Reply, float]:
        headers = {"Authorization": f"bearer {grant.credential.token()}"}
        body = {"query": document, "variables": variables}
        started = self._clock()
        self.spent += Spent(requests=1)
        try:
            response = self._session.post(self._url, json=body, headers=headers, timeout=self._timeout)
        except requests.RequestException as error:
            self._settle(grant, Told(seconds=self._took(started), budget=None))
            raise Unreachable(f"GitHub can't be reached at {self._url}: {_cause(error)}") from None
        seconds = self._took(started)
        reply = self._read(grant, response, seconds)
        self._seconds = governor.estimate(self._seconds, seconds)
        self.spent += Spent(points=(reply.data.get("rateLimit") or {}).get("cost", 0))
        return reply, seconds

    def _took(self, started: float) -> float:
        seconds = self._clock() - started
        self.times = replace(self.times, requests=self.times.requests + seconds)
        return seconds

    def _read(self, grant: Grant, response: requests.Response, seconds: float) -> replies.Reply:
        """Read an answer and settle the grant, whatever the answer is."""
        told = Told(seconds=seconds, budget=replies.budget(response, None))
        try:
            reply = replies.read(response, self._now())
        except RateLimited as error:
            if error.secondary:  # its headers may tell of this limit in the place of the points
                told = replace(told, budget=None)
            told = replace(told, resume_at=error.resume_at, guessed=error.guessed)
            self._settle(grant, told)
            raise
        except BaseException:
            self._settle(grant, told)
            raise
        self._settle(grant, replace(told, budget=replies.budget(response, reply.data), answered=True))
        return reply

    def _settle(self, grant: Grant, told: Told) -> None:
        self.budget = told.budget or self.budget
        self.gate.settle(grant, told)


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
