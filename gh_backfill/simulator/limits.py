"""Budgets per identity and resource, and the secondary limits.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
A window is fixed: it begins with the first request and lasts an hour (whether GitHub's does is not published).
"""

from __future__ import annotations

import math
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0


@dataclass(frozen=True, kw_only=True)
class LimitState:
    """How a budget stands; `reset` is in seconds since 1970."""

    resource: str
    limit: int
    used: int
    reset: int

    @property
    def remaining(self) -> int:
        """What is left until the reset."""
        return max(0, self.limit - self.used)

    def headers(self) -> dict[str, str]:
        """The headers that every answer carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Used": str(self.used),
            "X-RateLimit-Reset": str(self.reset),
            "X-RateLimit-Resource": self.resource,
        }


@dataclass(kw_only=True)
class _Budget:
    limit: int
    used: int = 0
    ends: float = 0.0


class Ledger:
    """All budgets.  Every method is atomic."""

    def __init__(self, clock: Callable[[], float], window: float, limit_of: Callable[[str, str], int]) -> None:
        self._clock, self._window, self._limit_of = clock, window, limit_of
        self._budgets: dict[tuple[str, str], _Budget] = {}
        self._minutes: dict[tuple[str, str], deque[float]] = defaultdict(deque)
        self._busy: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def standing(self, identity: str, resource: str) -> LimitState:
        """Return how a budget stands, without touching it."""
        with self._lock:
            return self._standing(identity, resource)

    def charge(self, identity: str, resource: str, cost: int) -> tuple[bool, LimitState]:
        """Take `cost` from a budget, or nothing where it does not fit; say which, and how the budget stands then."""
        with self._lock:
            budget = self._budget(identity, resource)
            if not budget.ends:
                budget.ends = self._clock() + self._window
            fits = budget.used + cost <= budget.limit
            if fits:
                budget.used += cost
            return fits, self._standing(identity, resource)

    def set(self, identity: str, resource: str, *, remaining: int, resets_in: float | None = None) -> LimitState:
        """Make a budget stand at `remaining`, and its window end in `resets_in` seconds."""
        with self._lock:
            budget = self._budget(identity, resource)
            budget.used = budget.limit - remaining
            if resets_in is not None or not budget.ends:
                budget.ends = self._clock() + (self._window if resets_in is None else resets_in)
            return self._standing(identity, resource)

    def enter(self, identity: str, most: int) -> bool:
        """Count a request in; False, and not counted, where `most` are running."""
        with self._lock:
            if self._busy[identity] >= most:
                return False
            self._busy[identity] += 1
            return True

    def leave(self, identity: str) -> None:
        """Count a request out."""
        with self._lock:
            self._busy[identity] -= 1

    def hurried(self, identity: str, resource: str, points: int, most: int | None) -> bool:
        """Tell whether `points` more would be over `most` in the last minute; if not, note them."""
        if most is None:
            return False
        with self._lock:
            now, minute = self._clock(), self._minutes[identity, resource]
            while minute and minute[0] <= now - MINUTE:
                minute.popleft()
            if len(minute) + points > most:
                return True
            minute.extend([now] * points)
            return False

    def _budget(self, identity: str, resource: str) -> _Budget:
        key = (identity, resource)
        budget = self._budgets.get(key)
        if budget is None or (budget.ends and budget.ends <= self._clock()):
            budget = self._budgets[key] = _Budget(limit=self._limit_of(identity, resource))
        return budget

    def _standing(self, identity: str, resource: str) -> LimitState:
        budget = self._budget(identity, resource)
        ends = budget.ends or self._clock() + self._window
        return LimitState(resource=resource, limit=budget.limit, used=budget.used, reset=math.ceil(ends))
