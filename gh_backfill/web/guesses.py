"""Wrong tokens, counted by where they come from: whoever goes on guessing is asked to wait, one try a second.

Many people may share an address, that of a proxy before us: who has the right token waits for a turn among the wrong
ones, and is not shut out by them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

# So many wrong ones may come at once; after that one a second is looked at.
FREE = 5
SECONDS = 1.0
# So long a try waits for its turn; where more would wait, it is to come again.
PATIENCE = 10.0
# So many addresses are remembered; who has so many can't be slowed down by counting.
MOST = 10_000


class Guesses:
    """The turns in which the tokens of each address are looked at."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # For each address the moment at which all wrong tokens so far, one a second, will be over.
        self._over: OrderedDict[str, float] = OrderedDict()

    def turn(self, address: str) -> float | None:
        """Take a turn, and return in how many seconds it is; None where too many wait already."""
        now = self._clock()
        over = max(now, self._over.get(address, now))
        wait = max(0.0, over - now - (FREE - 1) * SECONDS)
        if wait > PATIENCE:
            return None
        self._over[address] = over + SECONDS
        self._over.move_to_end(address)
        if len(self._over) > MOST:
            self._over.popitem(last=False)
        return wait

    def right(self, address: str) -> None:
        """Give a turn back: the right token costs none."""
        if address in self._over:
            self._over[address] -= SECONDS
