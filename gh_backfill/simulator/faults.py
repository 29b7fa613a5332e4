"""Faults that can be switched on: which there are, when they strike, and what they do.

| name | what it does |
| --- | --- |
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault to strike.

    It strikes a request with `probability`, at most `count` times (None: for ever), after letting the first `skip` matching
    requests pass, and only where every pattern of `match` is found in what it is named after: `path`, `query` (the GraphQL
    document), `operation`, `variables`, `token` or `identity`.  `size` means what the fault's description says.
    The same `seed` strikes the same requests.
    """

    name: str
    probability: float = 1.0
    count: int | None = None
    skip: int = 0
    seed: int = 0
    size: float | None = None
    match: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from gh_backfill.simulator.effects import EFFECTS

        if self.name not in EFFECTS:
            raise ValueError(f"there is no fault {self.name!r}; there are {', '.join(sorted(EFFECTS))}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"the probability of {self.name} must lie between 0 and 1, not at {self.probability}")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Fault:
        """Make a fault of JSON; ValueError where it is none."""
        try:
            return cls(**given)
        except TypeError as error:
            raise ValueError(f"not a fault: {dict(given)}") from error


@dataclass(kw_only=True)
class _Armed:
    fault: Fault
    luck: random.Random
    left: int | None
    to_skip: int
    struck: int = 0


class Faults:
    """The faults that are switched on.  Every method is atomic."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Switch a fault on."""
        luck = random.Random(f"{fault.name}:{fault.seed}")
        with self._lock:
            self._armed.append(_Armed(fault=fault, luck=luck, left=fault.count, to_skip=fault.skip))

    def clear(self) -> None:
        """Switch all faults off."""
        with self._lock:
            self._armed.clear()

    def struck(self) -> dict[str, int]:
        """Return how often each fault that is on has struck."""
        with self._lock:
            totals: dict[str, int] = {}
            for armed in self._armed:
                totals[armed.fault.name] = totals.get(armed.fault.name, 0) + armed.struck
            return totals

    def strike(self, seen: Mapping[str, str]) -> list[Fault]:
        """Return the faults that strike a request, in the order in which they were switched on."""
        with self._lock:
            return [armed.fault for armed in self._armed if self._strikes(armed, seen)]

    @staticmethod
    def _strikes(armed: _Armed, seen: Mapping[str, str]) -> bool:
        if armed.left == 0 or not all(re.search(text, seen.get(key, "")) for key, text in armed.fault.match.items()):
            return False
        if armed.to_skip:
            armed.to_skip -= 1
            return False
        if armed.luck.random() >= armed.fault.probability:
            return False
        armed.struck += 1
        if armed.left is not None:
            armed.left -= 1
        return True
