"""Statistics of clients: requests, points, how many at once, and whether they kept GitHub's etiquette."""

from __future__ import annotations

import threading
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Tally:
    """The counters of one token or one identity.

    Etiquette: `while_limited` counts requests made before a limit that the client had been told of was over,
    `without_user_agent` those that did not say who makes them, `refused` those that a limit refused.
    """

    requests: int = 0
    graphql: int = 0
    rest: int = 0
    points: int = 0
    nodes: int = 0
    refused: int = 0
    while_limited: int = 0
    without_user_agent: int = 0
    peak_concurrency: int = 0
    operations: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)


class Stats:
    """The counters of a simulator, per token and per identity.  Every method is atomic."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Start again from nothing; requests that are running go on being counted."""
        with self._lock:
            self._tokens: dict[str, Tally] = defaultdict(Tally)
            self._identities: dict[str, Tally] = defaultdict(Tally)
            self._running: dict[tuple[str, str], int] = defaultdict(int)
            self._not_before: dict[str, float] = {}

    def begin(self, token: str, identity: str, now: float, *, resource: str, user_agent: bool) -> None:
        """A request came in."""
        with self._lock:
            for kind, name, tally in self._both(token, identity):
                self._running[kind, name] += 1
                tally.requests += 1
                tally.graphql += resource == "graphql"
                tally.rest += resource != "graphql"
                tally.without_user_agent += not user_agent
                tally.while_limited += now < self._not_before.get(identity, 0.0)
                tally.peak_concurrency = max(tally.peak_concurrency, self._running[kind, name])

    def end(self, token: str, identity: str, *, status: int) -> None:
        """A request was answered."""
        with self._lock:
            for kind, name, tally in self._both(token, identity):
                self._running[kind, name] -= 1
                tally.statuses[str(status)] = tally.statuses.get(str(status), 0) + 1

    def spent(self, token: str, identity: str, *, operation: str, points: int, nodes: int) -> None:
        """A query was charged."""
        with self._lock:
            for _, _, tally in self._both(token, identity):
                tally.points += points
                tally.nodes += nodes
                tally.operations[operation] = tally.operations.get(operation, 0) + 1

    def refused(self, token: str, identity: str, until: float) -> None:
        """A limit refused a request, and said until when."""
        with self._lock:
            self._not_before[identity] = until
            for _, _, tally in self._both(token, identity):
                tally.refused += 1

    @property
    def requests(self) -> int:
        """All requests so far."""
        with self._lock:
            return sum(tally.requests for tally in self._tokens.values())

    @property
    def points(self) -> int:
        """All GraphQL points so far."""
        with self._lock:
            return sum(tally.points for tally in self._tokens.values())

    def as_json(self) -> dict[str, Any]:
        """All counters as plain values."""
        with self._lock:
            return {
                "requests": sum(tally.requests for tally in self._tokens.values()),
                "points": sum(tally.points for tally in self._tokens.values()),
                "tokens": {name: asdict(tally) for name, tally in self._tokens.items()},
                "identities": {name: asdict(tally) for name, tally in self._identities.items()},
            }

    def _both(self, token: str, identity: str) -> list[tuple[str, str, Tally]]:
        return [("token", token, self._tokens[token]), ("identity", identity, self._identities[identity])]
