"""Send a query to GitHub, try again where that can help, and keep count of what it cost."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from types import TracebackType
from typing import Any, Self

import requests

from gh_backfill.clients import credentials as credential
from gh_backfill.clients import replies, transport
from gh_backfill.clients.attempts import TIMEOUT, TRIES, Attempts
from gh_backfill.clients.gate import Gate, Grant, OwnGate
from gh_backfill.errors import GitHubError, RateLimited, Unreachable
from gh_backfill.models.github import Budget, Spent
from gh_backfill.policy.governor import RateLimitReport


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The data of one query, what of it was not found or not read and why, GitHub's clock, and what it cost."""

    data: Mapping[str, Any]
    not_found: frozenset[tuple[str | int, ...]]
    server_time: datetime
    spent: Spent
    too_heavy: bool = False
    causes: Mapping[tuple[str | int, ...], GitHubError] = field(default_factory=dict)

    def why(self, *path: str | int) -> GitHubError:
        """Return why there is nothing to read at a path, at what holds it, or somewhere in it."""
        at = next((at for at in self.causes if path[: len(at)] == at or at[: len(path)] == path), None)
        return Unreachable("GitHub left it out without a word") if at is None else self.causes[at]


class GraphQL:
    """The way to GraphQL: serial requests over one connection, each let through by the gate.

    `budget` is what the last answer said, and `attempts` tell where the time went.  `gate` may be replaced between two
    requests.  `timeout` is how many seconds a connection and the next byte may take, `deadline` how many the whole
    answer may, and `largest` how many bytes it may have; what may pass the second time is tried so many `tries`.
    To be closed, best by `with`.
    """

    def __init__(
        self,
        url: str,
        credentials: credential.Credentials | str,
        *,
        gate: Gate | None = None,
        timeout: tuple[float, float] = TIMEOUT,
        deadline: float = transport.DEADLINE,
        largest: int = transport.LARGEST,
        tries: int = TRIES,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget: Budget | None = None
        self.spent = Spent()
        self.gate: Gate = gate or OwnGate(now)
        self.credentials = credential.fixed(credentials) if isinstance(credentials, str) else credentials
        self.attempts = Attempts(
            self.credentials, lambda: self.gate, resource="graphql", tries=tries, sleep=sleep, clock=clock, now=now
        )
        self._url = url
        self._timeout = timeout
        self._now = now
        self._session = transport.session(deadline=deadline, largest=largest)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def execute(
        self, document: str, variables: Mapping[str, object], *, points: int = 1, divisible: bool = False
    ) -> Answer:
        """Return the answer to one query, which is expected to cost `points`.

        `divisible` says that the caller would rather ask for less than for the same again.  Raises RateLimited where
        the wait is long, Denied or Unexpected at once, TooBig at once or, unless it is divisible, after the last try,
        and Unreachable after the last try.
        """
        before = self.spent
        body = {"query": document, "variables": variables}
        reply, seconds = self.attempts.until_answered(partial(self._send, body), points=points, divisible=divisible)
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
            causes=reply.causes,
        )

    def _send(self, body: Mapping[str, object], grant: Grant) -> tuple[replies.Reply, float]:
        token, text = grant.credential.token(), json.dumps(body).encode()
        self.spent += Spent(requests=1)
        post = partial(transport.send, self._session, "POST", self._url, token=token, body=text, timeout=self._timeout)
        response, seconds = self.attempts.measured(post, grant)
        reply = self._read(grant, response, seconds)
        self.spent += Spent(points=grant.points if reply.cost is None else reply.cost)
        return reply, seconds

    def _read(self, grant: Grant, response: requests.Response, seconds: float) -> replies.Reply:
        """Read an answer and settle the grant, whatever the answer is."""
        now = self._now()
        told = RateLimitReport(seconds=seconds, budget=replies.budget(response, None, now), at=now)
        try:
            reply = replies.read(response, now)
        except RateLimited as error:
            if error.secondary:  # its headers may tell of this limit in the place of the points
                told = replace(told, budget=None)
            told = replace(told, resume_at=error.resume_at, guessed=error.guessed)
            self._settle(grant, told)
            raise
        except BaseException:
            self._settle(grant, told)
            raise
        self._settle(grant, replace(told, budget=replies.budget(response, reply.data, now), answered=True))
        return reply

    def _settle(self, grant: Grant, told: RateLimitReport) -> None:
        self.budget = told.budget or self.budget
        self.attempts.settle(grant, told)
