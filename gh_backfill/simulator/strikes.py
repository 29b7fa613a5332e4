"""The faults that are switched on, and which requests they strike."""

from __future__ import annotations

import random
import re
import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gh_backfill.simulator.effects import EFFECTS
from gh_backfill.simulator.faults import Fault


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
        self._operations: Counter[str] = Counter()
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Switch a fault on; ValueError where there is none of that name, or its numbers make no sense."""
        if fault.name not in EFFECTS:
            raise ValueError(f"there is no fault {fault.name!r}; there are {', '.join(sorted(EFFECTS))}")
        if not 0 <= fault.probability <= 1:
            raise ValueError(f"the probability of {fault.name} must lie between 0 and 1, not at {fault.probability}")
        if fault.every < 1:
            raise ValueError(f"{fault.name} can't strike every {fault.every}th request: every must be 1 or more")
        luck = random.Random(f"{fault.name}:{fault.seed}")  # noqa: S311 - a dice, no secret
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

    def operations(self) -> dict[str, int]:
        """Return how many requests were struck so far, by the operation that they name; "" where they name none."""
        with self._lock:
            return dict(+self._operations)

    def strike(self, seen: Mapping[str, str]) -> list[Fault]:
        """Return the faults that strike a request, in the order in which they were switched on."""
        with self._lock:
            striking = [armed.fault for armed in self._armed if self._strikes(armed, seen)]
            self._operations[seen.get("operation", "")] += bool(striking)
            return striking

    @staticmethod
    def _strikes(armed: _Armed, seen: Mapping[str, str]) -> bool:
        if armed.left == 0 or not all(re.search(text, seen.get(key, "")) for key, text in armed.fault.match.items()):
            return False
        if armed.to_skip:
            armed.to_skip -= 1
            return False
        armed.to_skip = armed.fault.every - 1
        if armed.luck.random() >= armed.fault.probability:
            return False
        armed.struck += 1
        if armed.left is not None:
            armed.left -= 1
        return True
