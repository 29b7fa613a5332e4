"""The gate that each request to GitHub passes: it names a credential, or says until when to wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.policy import governor
from gh_backfill.policy.governor import BudgetState, RateLimitReport, Resource, Wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One request may be sent, with this credential, and is to be settled."""

    credential: Credential
    request: str
    points: int
    seconds: float
    resource: Resource = "graphql"


class Gate(Protocol):
    """Asked before each request, and told of each answer."""

    def reserve(
        self, credentials: Credentials, *, points: int, seconds: float, resource: Resource = "graphql"
    ) -> Grant | Wait:
        """Let a request of so many points and seconds through, or say until when it has to wait.

        It goes to the credential with the most budget left.  A request to REST is one point of `core`.
        """

    def look(self, credentials: Credentials, points: int, resource: Resource = "graphql") -> Wait | None:
        """Say until when nobody could spend so many points, and reserve nothing; None if somebody can."""

    def standings(self, credentials: Credentials, resource: Resource) -> list[BudgetState]:
        """Return how the budget of each identity stands; of one that nobody has spent from yet, as `unknown` says."""

    def settle(self, grant: Grant, told: RateLimitReport) -> None:
        """Note what an attempt told."""

    def rest(self) -> None:
        """Hear that nothing will be asked for a while, and keep nothing back."""


class OwnGate:
    """A gate for one process without a database: it knows what its own answers told."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._standings: dict[tuple[str, Resource], BudgetState] = {}

    def reserve(
        self, credentials: Credentials, *, points: int, seconds: float, resource: Resource = "graphql"
    ) -> Grant | Wait:
        """Let the request through if the last answer left enough; the first one goes through to find out."""
        best = self._best(credentials, resource)
        refused = governor.verdict(best, points, resource)
        if refused is not None:
            return refused
        chosen = next(each for each in credentials if each.name == best.identity)
        return Grant(credential=chosen, request="", points=points, seconds=seconds, resource=resource)

    def look(self, credentials: Credentials, points: int, resource: Resource = "graphql") -> Wait | None:
        """Say whether the last answers left enough."""
        return governor.verdict(self._best(credentials, resource), points, resource)

    def standings(self, credentials: Credentials, resource: Resource) -> list[BudgetState]:
        """Return what the last answers told, by credential."""
        return [self._standing(each.name, resource) for each in credentials]

    def settle(self, grant: Grant, told: RateLimitReport) -> None:
        """Keep what the answer told."""
        key = (grant.credential.name, grant.resource)
        self._standings[key] = governor.after_answer(self._standing(*key), told)

    def rest(self) -> None:
        """Do nothing: nothing is kept back."""

    def _best(self, credentials: Credentials, resource: Resource) -> BudgetState:
        return governor.richest_first(self.standings(credentials, resource))[0]

    def _standing(self, name: str, resource: Resource) -> BudgetState:
        now = self._now()
        known = self._standings.get((name, resource))
        return governor.at(known, now) if known else governor.unknown(name, now)
