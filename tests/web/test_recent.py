"""Answers of the last minute are used again; what was no answer is asked for again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from gh_backfill.web import recent
from gh_backfill.web.recent import Recent


class Oracle:
    """Answers with the number of the question; time is what the test says."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.now = 1_000.0

    def ask(self, keys: Sequence[str]) -> list[int | None]:
        self.asked.append(list(keys))
        return [None if key == "unknown" else len(self.asked) for key in keys]

    def recent(self) -> Recent[str, int | None]:
        return Recent(lambda answer: answer is not None, clock=lambda: self.now)


def test_only_what_is_new_is_asked_for_and_the_order_is_kept() -> None:
    oracle = Oracle()
    answers = oracle.recent()
    assert answers.answers(["b", "a", "b"], oracle.ask) == [1, 1, 1]
    assert answers.answers(["c", "a"], oracle.ask) == [2, 1]
    assert oracle.asked == [["b", "a"], ["c"]]


def test_a_minute_later_it_is_asked_anew() -> None:
    oracle = Oracle()
    answers = oracle.recent()
    answers.answers(["a"], oracle.ask)
    oracle.now += recent.SECONDS
    assert answers.answers(["a"], oracle.ask) == [1]
    oracle.now += 0.1
    assert answers.answers(["a"], oracle.ask) == [2]


def test_what_was_no_answer_is_not_kept() -> None:
    oracle = Oracle()
    answers = oracle.recent()
    assert answers.answers(["unknown", "a"], oracle.ask) == [None, 1]
    assert answers.answers(["unknown", "a"], oracle.ask) == [None, 1]
    assert oracle.asked == [["unknown", "a"], ["unknown"]]


def test_no_more_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "MOST", 2)
    oracle = Oracle()
    answers = oracle.recent()
    for key in "abc":
        answers.answers([key], oracle.ask)
    assert answers.answers(["a", "c"], oracle.ask) == [4, 3]


def test_an_error_is_handed_on_and_nothing_is_kept() -> None:
    oracle = Oracle()
    answers = oracle.recent()

    def fails(keys: Sequence[str]) -> list[int | None]:
        raise ValueError(*keys)

    with pytest.raises(ValueError, match="a"):
        answers.answers(["a"], fails)
    assert answers.answers(["a"], oracle.ask) == [1]
