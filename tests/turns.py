"""How much of its large tables and long files a run of the tests takes: a part that changes from day to day, or all.

`GH_BACKFILL_TESTS=whole` takes all; a number, as the head of each report tells it, takes what the run of that day took.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
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

# Files whose tests walk whole jobs, start processes or look at pages, for a second and more each: a run of the whole
# suite takes a third of each file; who names a file, a folder or a test gets all of it.
HEAVY = frozenset(
    f"{folder}/test_{name}.py"
    for folder, names in (
        ("tests/acceptance", "initial_backfill progressive_backfill secrets"),
        ("tests/benchmarks", "quick"),
        ("tests/store", "embedded velocity"),
        ("tests/tasks/aggressive", "data_sync killed"),
        ("tests/tasks/dispatch", "due"),
        ("tests/tasks/embedding", "run"),
        ("tests/tasks/events", "fetching"),
        (
            "tests/tasks",
            (
                "aggregate bad_data capture counts diffs discussions discussions_later ends filtered_goals "
                "installations issues kills kills_of_discussions listed local marks moving_world odd_dates operate "
                "parts pipeline profiles quarantine sync sync_of_the_corpus time_zones two_budgets"
            ),
        ),
        ("tests/clients", "local_embedder"),
        (
            "tests",
            (
                "aggregate_command aggressive_command cli edges embed_command kind_options operator_commands "
                "profiles_command report_commands start"
            ),
        ),
        ("tests/web", "api app attacks browser inngest serve site webhooks"),
    )
    for name in names.split()
)
THIRD = 3

T = TypeVar("T")
Pairs = Callable[[], list[tuple[str, str]]]


def some(every: Sequence[T], place: int = 0, *, step: int) -> Sequence[T]:
    """Return each `step`th of all; neighbouring places and neighbouring days take what this one leaves out."""
    return every if WHOLE else every[(place + TURN) % step :: step]


def left_out(places: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return which tests of the whole suite wait for another day, of those given as (file, place within the file)."""
    if WHOLE:
        return set()
    return {(file, place) for file, place in places if file in HEAVY and (place + TURN) % THIRD}


def told() -> str:
    """Say what this run takes, and how another one takes the same."""
    if WHOLE:
        return f"{SETTING}=whole: all repositories of the corpus, and every pair of query and fault, of place and value"
    return f"{SETTING}={TURN}: today's part of corpus, pairs and long files; 'whole' takes all, 0 to {TURNS - 1} a part"
