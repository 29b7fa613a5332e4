"""The gate of all jobs of an identity: their budget is one row of the database, reserved from before each request."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.clients.gate import Grant
from gh_backfill.errors import StoreError
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState, RateLimitReport, Resource, Wait
from gh_backfill.store import budgets
from gh_backfill.store.budgets import Reserved
from gh_backfill.store.db import Database, Statement
from gh_backfill.store.persist import persistently

log = logging.getLogger(__name__)


class HeadStarts:
    """Which questions of this process go before captures: one in some seconds, so that captures have their turns, too.

    Several threads may ask.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = clock()

    def slack(self) -> float:
        """Return the seconds that may be in the bucket where a question is let in now."""
        return governor.SLACK + (governor.HEAD_START if self._clock() >= self._next else 0.0)

    def take(self, before: BudgetState) -> None:
        """Note that a question was let in, and how the budget stood before: it may have gone before others."""
        if before.busy > governor.SLACK + before.credit:
            self._next = self._clock() + governor.HEAD_START_EVERY


class SharedGate:
    """Lets requests through as the shared budgets allow.

    `db` is a connection of its own: the others must see a reservation at once, whatever transaction the job is in.
    Where it is not, and nothing is asked within a transaction, a `lazy` gate lets settlements travel with what is sent
    next, and `rest` sends what is left.  Where there are `head_starts`, somebody waits for the
    answers.  `now` replaces the database's clock, which all jobs have in common.
    """

    def __init__(
        self,
        db: Database,
        *,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] | None = None,
        lazy: bool = False,
        head_starts: HeadStarts | None = None,
    ) -> None:
        self._db = db
        self._sleep = sleep
        self._now = now
        self._lazy = lazy
        self._head_starts = head_starts

    def open(self) -> None:
        """Open the connection now: the first reservation need not wait for it."""
        self._db.open()

    def abandon(self) -> None:
        """Leave the connection to whoever is still at it: closing it would wait for them."""
        self._db.abandon()

    def reserve(
        self, credentials: Credentials, *, points: int, seconds: float, resource: Resource = "graphql"
    ) -> Grant | Wait:
        """Reserve from the identity with the most budget left, or the next one; or say when the first is free again."""
        waits: list[Wait] = []
        by_identity = credentials.by_identity()
        for identity in self._richest_first(list(by_identity), resource):
            grant, standing = self.reserve_from(
                by_identity[identity], points=points, seconds=seconds, resource=resource
            )
            if grant is not None:
                return grant
            waits.append(refusal(standing, points, resource, slack=self._slack()))
        return min(waits, key=lambda wait: wait.until)

    def reserve_from(
        self,
        credential: Credential,
        *,
        points: int,
        seconds: float,
        resource: Resource = "graphql",
        before: Sequence[Statement] = (),
        slack: float | None = None,
    ) -> tuple[Grant | None, BudgetState]:
        """Reserve from the identity of a credential, or not; returns how its budget stood before, too.

        Statements that settle others go `before` it, in the same round trip; `slack` replaces the gate's own.
        """
        identity, request = credential.identity, uuid.uuid4().hex
        allowed = self._slack() if slack is None else slack
        wanted = Reserved(identity=identity, request=request, points=points, seconds=seconds, resource=resource)
        granted, standing = persistently(
            lambda: budgets.reserve(self._db, wanted, before=before, slack=allowed, now=self._moment()), self._sleep
        )
        if not granted:
            return None, standing
        if self._head_starts is not None:
            self._head_starts.take(standing)
        grant = Grant(credential=credential, request=request, points=points, seconds=seconds, resource=resource)
        return grant, standing

    def look(self, credentials: Credentials, points: int, resource: Resource = "graphql") -> Wait | None:
        """Say when the first of the identities can spend so many points; None if one can, or nothing is known of it."""
        return first_wait(credentials, self.known(credentials, resource), points, resource)

    def known(self, credentials: Credentials, resource: Resource) -> list[BudgetState]:
        """Return how the budgets of the identities stand of which anything is known."""
        return self._standings(list(credentials.by_identity()), resource)

    def standings(self, credentials: Credentials, resource: Resource) -> list[BudgetState]:
        """Return how the budget of each identity stands, without reserving anything."""
        identities = list(credentials.by_identity())
        known = {standing.identity: standing for standing in self._standings(identities, resource)}
        moment = self._moment() or datetime.now(UTC)
        return [known.get(identity) or governor.unknown(identity, moment) for identity in identities]

    def settle(self, grant: Grant, told: RateLimitReport) -> None:
        """Write what the answer told, for all.  An answer is never lost for it: what is reserved expires by itself."""
        if not self._lazy or not told.answered:
            self.send([self.settling(grant, told)], durable=told.resume_at is not None)
            return
        at = time.monotonic()
        self._db.defer(lambda: self.settling(grant, governor.told_later(told, time.monotonic() - at)))

    def rest(self) -> None:
        """Send what a lazy gate keeps back."""
        try:
            self._db.flush()
        except StoreError as error:
            log.warning("what the last answer told of the budget could not be stored: %s", error)

    def settling(self, grant: Grant, told: RateLimitReport) -> Statement:
        """Return the statement that writes what the answer told."""
        return budgets.settling(_reserved(grant), told, now=self._moment())

    def releasing(self, grant: Grant) -> Statement:
        """Return the statement that gives back a grant with which no request was sent."""
        return budgets.releasing(_reserved(grant), now=self._moment())

    def send(self, statements: Sequence[Statement], *, durable: bool = False, once: bool = False) -> None:
        """Send what settles grants or gives them back; `once`: who is ending waits for no database that is away."""
        if not statements:
            return

        def send() -> None:
            self._db.statements(*statements, durable=durable)

        try:
            send() if once else persistently(send, self._sleep)
        except StoreError as error:
            log.warning("what the last answer told of the budget could not be stored: %s", error)

    def _slack(self) -> float:
        return governor.SLACK if self._head_starts is None else self._head_starts.slack()

    def _richest_first(self, identities: list[str], resource: Resource) -> list[str]:
        """Order several identities by what they have left; those that are new come first, for nothing is spent yet."""
        if len(identities) == 1:
            return identities
        ordered = [standing.identity for standing in governor.richest_first(self._standings(identities, resource))]
        return [each for each in identities if each not in ordered] + ordered

    def _standings(self, identities: list[str], resource: Resource) -> list[BudgetState]:
        return persistently(lambda: budgets.standings(self._db, identities, resource, now=self._moment()), self._sleep)

    def _moment(self) -> datetime | None:
        return None if self._now is None else self._now()


def first_wait(
    credentials: Credentials, standings: Sequence[BudgetState], points: int, resource: Resource
) -> Wait | None:
    """Return until when nobody can spend so many points; None if one can, or nothing is known of it."""
    waits = [governor.verdict(standing, points, resource) for standing in standings]
    blocked = [wait for wait in waits if wait is not None]
    return min(blocked, key=lambda wait: wait.until) if len(blocked) == len(credentials.by_identity()) else None


def refusal(standing: BudgetState, points: int, resource: Resource, *, slack: float = governor.SLACK) -> Wait:
    """Return how long a request has to wait that was not let through."""
    return governor.verdict(standing, points, resource, slack=slack) or governor.soon(standing)


def _reserved(grant: Grant) -> Reserved:
    return Reserved(
        identity=grant.credential.identity,
        request=grant.request,
        points=grant.points,
        seconds=grant.seconds,
        resource=grant.resource,
    )
