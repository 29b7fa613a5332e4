"""Who lets a request to GitHub through, with which credential; and one such gate for a process that is alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from gh_backfill.clients.credentials import Credential, Credentials
from gh_backfill.policy import governor
from gh_backfill.policy.governor import Standing, Told, Wait


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One request may be sent, with this credential, and is to be settled."""

    credential: Credential
    request: str
    points: int
    seconds: float


class Gate(Protocol):
    """Asked before each request, and told of each answer."""

    def reserve(self, credentials: Credentials, *, points: int, seconds: float) -> Grant | Wait:
        """Let a request of so many points and seconds through, or say until when it has to wait.

        It goes to the credential with the most budget left.
        """

    def look(self, credentials: Credentials, points: int) -> Wait | None:
        """Say until when nobody could spend so many points, and reserve nothing; None if somebody can."""

    def settle(self, grant: Grant, told: Told) -> None:
        """Note what an attempt told."""


class OwnGate:
    """A gate for one process without a database: it knows what its own answers told."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._standings: dict[str, Standing] = {}

    def reserve(self, credentials: Credentials, *, points: int, seconds: float) -> Grant | Wait:
        """Let the request through where the last answer left enough; the first one is the one that tells."""
        best = self._best(credentials)
        refused = governor.verdict(best, points)
        if refused is not None:
            return refused
        chosen = next(each for each in credentials if each.name == best.identity)
        return Grant(credential=chosen, request="", points=points, seconds=seconds)

    def look(self, credentials: Credentials, points: int) -> Wait | None:
        """Say whether the last answers left enough."""
        return governor.verdict(self._best(credentials), points)

    def settle(self, grant: Grant, told: Told) -> None:
        """Keep what the answer told."""
        name = grant.credential.name
        self._standings[name] = governor.settled(self._standing(name), told)

    def _best(self, credentials: Credentials) -> Standing:
        return governor.richest_first(self._standing(each.name) for each in credentials)[0]

    def _standing(self, name: str) -> Standing:
        now = self._now()
        known = self._standings.get(name)
        return governor.at(known, now) if known else governor.unknown(name, now)
