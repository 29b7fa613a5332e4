"""How much of its large tables a run of the tests takes: a part that changes from day to day, or all of it.

`GH_BACKFILL_TESTS=whole` takes all; a number, as the head of each report tells it, takes what the run of that day took.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

SETTING = "GH_BACKFILL_TESTS"
# Each part that is taken comes round within so many days: a half, a third, a sixth.
TURNS = 6
_TODAY = str(datetime.now(UTC).date().toordinal() % TURNS)
# The processes of one run inherit it, so that they agree at midnight, too.
_ASKED = os.environ.setdefault(SETTING, _TODAY)
WHOLE = _ASKED == "whole"
TURN = 0 if WHOLE else int(_ASKED)

T = TypeVar("T")
Pairs = Callable[[], list[tuple[str, str]]]


def some(every: Sequence[T], place: int = 0, *, step: int) -> Sequence[T]:
    """Return each `step`th of all; neighbouring places and neighbouring days take what this one leaves out."""
    return every if WHOLE else every[(place + TURN) % step :: step]


def told() -> str:
    """Say what this run takes, and how another one takes the same."""
    if WHOLE:
        return f"{SETTING}=whole: all repositories of the corpus, and every pair of query and fault, of place and value"
    return f"{SETTING}={TURN}: today's part of the corpus, and of all pairs; 'whole' takes all, 0 to {TURNS - 1} a part"
