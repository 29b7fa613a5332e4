"""Whatever a run of the tests leaves out, the runs of the next days take."""

from __future__ import annotations

from pathlib import Path

import pytest

from gh_backfill.simulator.effects import EFFECTS
from tests import turns
from tests.tasks import test_every_fault, test_every_fault_of_issues

FAULTS = sorted(EFFECTS)
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("step", [2, 3, 6])
def test_all_parts_together_are_everything_and_no_part_is_taken_twice(
    monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr(turns, "WHOLE", False)
    taken: list[str] = []
    for turn in range(step):
        monkeypatch.setattr(turns, "TURN", turn)
        taken += turns.some(FAULTS, 5, step=step)
    assert sorted(taken) == FAULTS


@pytest.mark.parametrize("pairs", [test_every_fault.pairs, test_every_fault_of_issues.pairs])
def test_within_all_turns_every_operation_meets_every_fault(
    monkeypatch: pytest.MonkeyPatch, pairs: turns.Pairs
) -> None:
    monkeypatch.setattr(turns, "WHOLE", True)
    every = pairs()
    monkeypatch.setattr(turns, "WHOLE", False)
    met: set[tuple[str, str]] = set()
    for turn in range(turns.TURNS):
        monkeypatch.setattr(turns, "TURN", turn)
        today = pairs()
        assert len(today) < 0.4 * len(every)
        met |= set(today)
    assert met == set(every)


def test_within_three_days_every_test_of_a_long_file_is_run_and_every_file_exists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(turns, "WHOLE", False)
    assert [file for file in sorted(turns.HEAVY) if not (ROOT / file).is_file()] == []
    every = [(file, place) for file in ("tests/test_turns.py", *turns.HEAVY) for place in range(7)]
    runs: list[set[tuple[str, int]]] = []
    for turn in range(turns.TURNS):
        monkeypatch.setattr(turns, "TURN", turn)
        runs.append(set(every) - turns.left_out(every))
    assert set().union(*runs[:3]) == set(every)
    assert all(("tests/test_turns.py", place) in run for run in runs for place in range(7))
    assert all(len(run) < len(every) / 2 for run in runs)
    monkeypatch.setattr(turns, "WHOLE", True)
    assert turns.left_out(every) == set()


def test_the_whole_is_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WHOLE", True)
    assert list(turns.some(FAULTS, 5, step=3)) == FAULTS
