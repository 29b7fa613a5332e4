"""Wrong tokens, counted by where they come from: whoever goes on guessing has to wait, longer each time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

FREE = 5
LONGEST = 60.0
# So many addresses are remembered; who has so many can't be slowed down by counting.
MOST = 10_000


@dataclass(slots=True)
class _Guesser:
    wrong: int = 0
    not_before: float = 0.0


class Guesses:
    """How long each address has to wait before a token of its is looked at again."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: OrderedDict[str, _Guesser] = OrderedDict()

    def wait(self, address: str) -> float:
        """Return how many seconds an address has to wait; 0 where it may try."""
        known = self._known.get(address)
        return 0.0 if known is None else max(0.0, known.not_before - self._clock())

    def wrong(self, address: str) -> None:
        """Count a wrong token: after a few the wait doubles with each."""
        known = self._known.setdefault(address, _Guesser())
        known.wrong += 1
        self._known.move_to_end(address)
        if known.wrong > FREE:
            known.not_before = self._clock() + min(LONGEST, 2.0 ** (known.wrong - FREE - 1))
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget an address that has shown the right one."""
        self._known.pop(address, None)
