"""Answers that are a moment old: who changes one name in a list of twenty asks GitHub about that one."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

# In seconds: so long an answer counts as new.
SECONDS = 60.0
# So many are kept.
MOST = 5_000

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Recent(Generic[Key, Answer]):
    """The answers of the last minute, by what was asked; those that `keeps` says no to are asked for again.

    Several threads may ask.
    """

    def __init__(self, keeps: Callable[[Answer], bool], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._keeps = keeps
        self._clock = clock
        self._known: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def answers(self, keys: Sequence[Key], ask: Callable[[Sequence[Key]], Sequence[Answer]]) -> list[Answer]:
        """Return the answer for each key, in their order; `ask` is called once for those that are not known.

        Raises what `ask` raises.
        """
        known = self._fresh(keys)
        new = [key for key in dict.fromkeys(keys) if key not in known]
        if new:
            told = dict(zip(new, ask(new), strict=True))
            self._keep({key: answer for key, answer in told.items() if self._keeps(answer)})
            known |= told
        return [known[key] for key in keys]

    def _fresh(self, keys: Sequence[Key]) -> dict[Key, Answer]:
        oldest = self._clock() - SECONDS
        with self._lock:
            found = {key: self._known[key] for key in keys if key in self._known}
        return {key: answer for key, (at, answer) in found.items() if at >= oldest}

    def _keep(self, answers: dict[Key, Answer]) -> None:
        now = self._clock()
        with self._lock:
            for key, answer in answers.items():
                self._known[key] = (now, answer)
                self._known.move_to_end(key)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
