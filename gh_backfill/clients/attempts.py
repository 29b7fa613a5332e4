"""Try a request until it is answered: let through by the gate, with the pauses and the waits that GitHub asks for."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

import requests

from gh_backfill.clients.credentials import Credentials
from gh_backfill.clients.gate import Gate, Grant
from gh_backfill.errors import BadCredentials, GitHubError, RateLimited, TooBig, Unreachable
from gh_backfill.policy import governor, waits
from gh_backfill.policy.bottleneck import Times
from gh_backfill.policy.governor import Cause, RateLimitReport, Resource, Wait

log = logging.getLogger(__name__)

# GitHub ends a query after 10 seconds; whatever takes much longer is a connection that hangs.
TIMEOUT = (10.0, 30.0)
TRIES = 5
# Answers that take as long as they may are not waited for five times.
PATIENCE = 120.0
LONGEST_PAUSE = 30
# What has to wait longer than this for the budget is for the caller to decide: it may pause, or end in time.
LONGEST_WAIT = 30.0
Done = TypeVar("Done")


class Attempts:
    """The requests of one client to one of GitHub's interfaces, one after the other.

    `gate` is asked anew for each request, because it may be replaced between two.  `times` is where the time went so
    far, and `held_up` why the caller was told to wait, until a request is let through again.
    """

    def __init__(
        self,
        credentials: Credentials,
        gate: Callable[[], Gate],
        *,
        resource: Resource,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.credentials = credentials
        self.times = Times()
        self.held_up: Cause | None = None
        self._gate = gate
        self._resource = resource
        self._tries = tries
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._seconds: float | None = None

    def until_answered(self, send: Callable[[Grant], Done], *, points: int = 1, divisible: bool = False) -> Done:
        """Return what `send` returns, called with the gate's leave for so many points.

        Retries, with growing pauses, only what may pass the second time, and waits a little where the budget asks for
        it.  A request that was too much is tried again, too, unless it is `divisible`: then the caller asks for less.
        Raises RateLimited where the wait is long, others at once or after the last try.
        """
        pauses = islice(_pauses(), self._tries - 1)
        patience = self._clock() + PATIENCE
        while True:
            grant: Grant | None = None
            try:
                grant = self._admission(points)
                return send(grant)
            except GitHubError as error:
                pause = next(pauses, None) if self._clock() < patience else None
                self._before_next_try(error, grant, points, pause, divisible)

    def must_wait(self, points: int) -> Wait | None:
        """Say until when there are not so many points, if that is longer than a request itself would wait.

        None also where GitHub does not say now whose budget it is: the request asks again, and again if need be.
        """
        try:
            wait = self._gate().look(self.credentials, points, self._resource)
        except Unreachable:
            return None
        if wait is None or wait.seconds <= LONGEST_WAIT:
            return None
        self.held_up = wait.cause
        return replace(wait, until=waits.on_our_clock(wait.until, wait.seconds, self._now()))

    def standings(self) -> list[governor.BudgetState]:
        """Return how the budget of each identity stands."""
        return self._gate().standings(self.credentials, self._resource)

    def measured(self, action: Callable[[], requests.Response], grant: Grant) -> tuple[requests.Response, float]:
        """Return an answer and the seconds it took; where none came, the grant is settled before the error goes on."""
        started = self._clock()
        try:
            response = action()
        except GitHubError:
            self.settle(grant, RateLimitReport(seconds=self._took(started), budget=None))
            raise
        return response, self._took(started)

    def settle(self, grant: Grant, told: RateLimitReport) -> None:
        """Tell the gate what an attempt told."""
        self._gate().settle(grant, told)
        if told.answered:
            self._seconds = governor.estimate(self._seconds, told.seconds)

    def _took(self, started: float) -> float:
        seconds = self._clock() - started
        self.times = replace(self.times, requests=self.times.requests + seconds)
        return seconds

    def _before_next_try(
        self, error: GitHubError, grant: Grant | None, points: int, pause: float | None, divisible: bool
    ) -> None:
        """Return when the same request may be sent again; raises `error` where that can't help, or was the last try.

        Without a grant the request was not sent: GitHub had to be asked first whose budget it is, and that failed.
        """
        match error:
            case BadCredentials() if grant is not None:
                if self.credentials.drop(grant.credential):
                    return
                raise BadCredentials(
                    f"GitHub does not accept {grant.credential.name}: it is wrong, expired or revoked, replace it"
                )
            case RateLimited() if grant is not None:
                wait = self.must_wait(points)
                if wait is None and pause is not None:
                    return  # the wait is short, or another credential has points
                if wait is None:
                    self.held_up = Cause.TOLD if error.secondary else Cause.POINTS
                else:
                    error.resume_at = wait.until
            case Unreachable() | TooBig() if pause is not None and not (divisible and isinstance(error, TooBig)):
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
            answer = self._gate().reserve(self.credentials, points=points, seconds=estimate, resource=self._resource)
            if isinstance(answer, Grant):
                self.held_up = None
                return answer
            waited += answer.seconds
            if waited > LONGEST_WAIT:
                self.held_up = answer.cause
                until = waits.on_our_clock(answer.until, answer.seconds, self._now())
                raise RateLimited(answer.reason, resume_at=until)
            self.times = self.times.waited(answer.cause, answer.seconds)
            self._sleep(answer.seconds)


def _pauses() -> Iterator[float]:
    """Yield growing pauses in seconds, spread so that several workers do not come back together."""
    import backoff  # noqa: PLC0415  (loads asyncio, and most captures never pause)

    growing = backoff.expo(max_value=LONGEST_PAUSE)
    next(growing)
    for seconds in growing:
        yield seconds * random.uniform(0.5, 1.0)  # noqa: S311  (no secret depends on it)
