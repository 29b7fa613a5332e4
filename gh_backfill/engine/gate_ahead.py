"""The gate of a capture: what an answer told and the next reservation travel while a request is under way.

A database may be as far away as GitHub is.  Where the budget has room, the way to it then costs a capture no time: the
leave for the next request is there when the answer to this one comes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.clients.gate import Grant
from gh_backfill.engine.background import Begin, in_thread
from gh_backfill.engine.gate import SharedGate, first_wait, refusal
from gh_backfill.errors import StoreError
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState, RateLimitReport, Resource, Wait
from gh_backfill.store.db import Statement

log = logging.getLogger(__name__)

# Most queries cost a point or two: a reservation ahead of fewer would often have to be made again.
AHEAD = 2
# In seconds.  A reservation expires after 90 of them, so one that is older than this is given back and not used.
USABLE = 30.0
# In seconds.  A process that ends does not wait longer than this for its database.
PATIENCE = 5.0
# In seconds.  What the last reservation told of a budget is believed for this long.
BELIEVED = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What an answer told at a moment of our clock, and is still to be written."""

    grant: Grant
    report: RateLimitReport
    at: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Reserved:
    """A reservation, and how the budget stood before it at a moment of our clock; without a grant there was no room."""

    grant: Grant | None
    standing: BudgetState
    resource: Resource
    at: float


class GateAhead:
    """A `SharedGate` for one reader, whose settlements travel with its reservations, and its reservations ahead.

    Only where one identity pays, and only where its points have room.  Of GitHub's time it takes its place one request
    earlier, so that another job may wait for that much.  What GitHub told by a refusal is written at once.  `close`
    writes the rest, and then nothing is written any more.
    """

    def __init__(
        self, shared: SharedGate, *, begin: Begin = in_thread, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._shared = shared
        self._begin = begin
        self._clock = clock
        self._told: list[_Told] = []
        self._running: Future[_Reserved] | None = None
        self._known: _Reserved | None = None
        self._opening: Future[None] | None = None
        self._resting: Future[None] | None = None
        self._lock = threading.RLock()
        self._closed = False

    def reserve(
        self, credentials: Credentials, *, points: int, seconds: float, resource: Resource = "graphql"
    ) -> Grant | Wait:
        """Let a request through, or say until when it has to wait, as a `SharedGate` does."""
        with self._lock:
            payers = list(credentials.by_identity().values())
            if len(payers) != 1 or self._closed:
                self.write()
                return self._shared.reserve(credentials, points=points, seconds=seconds, resource=resource)
            return self._reserve(payers[0], points, seconds, resource)

    def _reserve(self, payer: Credential, points: int, seconds: float, resource: Resource) -> Grant | Wait:
        taken, unused = self._ahead_of(payer, points, resource)
        self._send_others(resource)
        if taken is None:
            taken = self._reserved(payer, points, seconds, resource, [*self._settlements(resource), *unused])
        grant = taken.grant
        if grant is None:
            return refusal(taken.standing, points, resource)
        self._known = taken
        if governor.has_room(taken.standing, grant.points, since=self._clock() - taken.at):
            more, settled = max(points, AHEAD), self._settlements(resource)
            reserve = partial(
                self._reserved, payer, more, seconds, resource, settled, slack=governor.slack_beside(seconds)
            )
            self._running = self._begin(reserve)
        return replace(grant, points=points)

    def look(self, credentials: Credentials, points: int, resource: Resource = "graphql") -> Wait | None:
        """Say until when nobody could spend so many points; nothing is asked where there was room a moment ago."""
        with self._lock:
            known = self._known
            if known is not None and self._has_room(known, points, resource):
                return None
            self.write()
            standings, at = self._shared.known(credentials, resource), self._clock()
            if len(standings) == len(credentials.by_identity()) == 1:
                self._known = _Reserved(grant=None, standing=standings[0], resource=resource, at=at)
            return first_wait(credentials, standings, points, resource)

    def standings(self, credentials: Credentials, resource: Resource) -> list[BudgetState]:
        """Return how the budget of each identity stands; what is known of one with room is believed for a while."""
        with self._lock:
            known = self._known
            if known is not None and self._has_room(known, 0, resource):
                return [known.standing]
            self.write()
            return self._shared.standings(credentials, resource)

    def settle(self, grant: Grant, told: RateLimitReport) -> None:
        """Note what an attempt told, to be written with the next reservation; at once where GitHub refused."""
        with self._lock:
            if self._closed:
                return  # nobody waits for it any more, and what is reserved expires by itself
            self._told.append(_Told(grant=grant, report=told, at=self._clock()))
            known, budget = self._known, told.budget
            if known is not None and budget is not None and known.resource == grant.resource:
                changed = known.standing.limit != budget.limit
                left = budget.remaining if changed else min(known.standing.left, budget.remaining)
                self._known = replace(known, standing=replace(known.standing, limit=budget.limit, left=left))
            if not told.answered:
                self._known = None
                self.write(durable=told.resume_at is not None)

    def rest(self) -> None:
        """Write what is left to write beside whatever the caller does now."""
        with self._lock:
            messages = self._messages()
            self._resting = self._begin(partial(self._send, messages))

    def write(self, *, durable: bool = False) -> None:
        """Write what answers told, and give back what was reserved ahead."""
        with self._lock:
            self._send(self._messages(), durable=durable)

    def close(self) -> None:
        """Write what is left to write, unless the database is away: what is reserved expires by itself."""
        self._closed = True
        if not self._lock.acquire(timeout=PATIENCE):  # a query that nobody waits for is at it
            self._shared.abandon()
            return
        try:
            futures: tuple[Future[Any] | None, ...] = (self._opening, self._resting, self._running)
            if wait([each for each in futures if each is not None], timeout=PATIENCE).not_done:
                self._shared.abandon()
            else:
                self._send(self._messages(), once=True)
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        """Let the connection be made while the capture begins."""
        self._opening = self._begin(self._shared.open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _messages(self) -> list[list[Statement]]:
        """Take what is to be written: a message for each budget, for none locks two rows."""
        ahead = self._arrived()
        unused = self._unused(ahead)
        of = ahead.resource if ahead is not None else None
        return [
            message
            for resource in governor.UNITS
            if (message := [*self._settlements(resource), *(unused if resource == of else [])])
        ]

    def _send(self, messages: list[list[Statement]], *, durable: bool = False, once: bool = False) -> None:
        for statements in messages:
            self._shared.send(statements, durable=durable, once=once)

    def _send_others(self, resource: Resource) -> None:
        for other in governor.UNITS:
            if other != resource:
                self._shared.send(self._settlements(other))

    def _has_room(self, known: _Reserved, points: int, resource: Resource) -> bool:
        since = self._clock() - known.at
        believed = known.resource == resource and since < BELIEVED
        return believed and governor.has_room(known.standing, points, since=since)

    def _reserved(
        self,
        payer: Credential,
        points: int,
        seconds: float,
        resource: Resource,
        settled: list[Statement],
        slack: float | None = None,
    ) -> _Reserved:
        grant, standing = self._shared.reserve_from(
            payer, points=points, seconds=seconds, resource=resource, before=settled, slack=slack
        )
        return _Reserved(grant=grant, standing=standing, resource=resource, at=self._clock())

    def _ahead_of(self, payer: Credential, points: int, resource: Resource) -> tuple[_Reserved | None, list[Statement]]:
        """Return what was reserved ahead if it is right for this request, else what gives it back."""
        ahead = self._arrived()
        if ahead is None or ahead.grant is None:
            return None, []
        grant = ahead.grant
        fits = grant.points >= points and grant.credential.identity == payer.identity
        if grant.resource != resource:
            self._shared.send(self._unused(ahead))
            return None, []
        if not fits or self._clock() - ahead.at > USABLE:
            return None, self._unused(ahead)
        return replace(ahead, grant=replace(grant, credential=payer)), []

    def _arrived(self) -> _Reserved | None:
        """Wait for what travels, and take it."""
        for before in (self._opening, self._resting):
            if before is not None:
                wait([before])  # whether it failed is found out by whoever needs it
        self._opening = self._resting = None
        running, self._running = self._running, None
        if running is None:
            return None
        try:
            return running.result()
        except StoreError as error:
            log.warning("what the last answer told of the budget could not be stored: %s", error)
            return None

    def _unused(self, ahead: _Reserved | None) -> list[Statement]:
        return [] if ahead is None or ahead.grant is None else [self._shared.releasing(ahead.grant)]

    def _settlements(self, resource: Resource) -> list[Statement]:
        """Take what is to be written of a budget, with its times on the clock of the moment at which they are sent."""
        told = [each for each in self._told if each.grant.resource == resource]
        self._told = [each for each in self._told if each.grant.resource != resource]
        now = self._clock()
        return [self._shared.settling(each.grant, governor.told_later(each.report, now - each.at)) for each in told]
