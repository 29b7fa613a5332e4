"""Reads, as a command line writes it, who may list stargazers and how the history of stars is odd."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from itertools import cycle

from gh_backfill.simulator.options import StarHistory

_ODDITY = re.compile(r"(?P<name>shift|future)=(?P<number>-?\d{1,3})|(?P<word>repeat|off)")
_MOST_HOURS = 23


def listing(text: str) -> Callable[[], bool]:
    """Read `yes`, `no`, or turns such as `2,3,1`: the list is shown two times, then not three times, and so on.

    The last turn lasts for ever.  Raises ValueError for anything else.
    """
    if text in ("yes", "no"):
        return lambda: text == "yes"
    if not re.fullmatch(r"\d{1,6}(,\d{1,6})+", text):
        raise ValueError(f"--list-stars must be yes, no or turns such as 2,3,1, not {text[:40]}")
    return _Turns([int(part) for part in text.split(",")])


class _Turns:
    """Says yes so many times, no so many times, and so on; the last word stays."""

    def __init__(self, turns: Sequence[int]) -> None:
        self._lock = threading.Lock()
        words = zip(turns, cycle((True, False)), strict=False)
        self._answers = [word for count, word in words for _ in range(count)]
        self._last = len(turns) % 2 == 1

    def __call__(self) -> bool:
        with self._lock:
            return self._answers.pop(0) if self._answers else self._last


def history(oddities: Sequence[str]) -> StarHistory:
    """Read oddities: `shift=HOURS`, `repeat`, `future=N` and `off`; ValueError for anything else."""
    given: dict[str, int] = {}
    for text in oddities:
        found = _ODDITY.fullmatch(text)
        if found is None:
            raise ValueError(f"--star-history must be shift=HOURS, repeat, future=N or off, not {text[:40]}")
        given[found["name"] or found["word"]] = int(found["number"] or 0)
    shift, future = given.get("shift", 0), given.get("future", 0)
    if abs(shift) > _MOST_HOURS or future < 0:
        raise ValueError(f"--star-history: a shift of at most {_MOST_HOURS} hours, and no negative future")
    return StarHistory(shifted_hours=shift, repeated="repeat" in given, future=future, served="off" not in given)
