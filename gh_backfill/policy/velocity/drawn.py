"""Days drawn with characters: a line of bars for what was counted, a strip for who covered which day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import TypeVar

from gh_backfill.policy.velocity.daily import DailyCounts

Kind = TypeVar("Kind")
BARS = "▁▂▃▄▅▆▇█"
UNKNOWN = "·"
# How a strip names who covered a day.
LETTERS: Mapping[str, str] = {
    "stargazers": "L",
    "forks": "L",
    "history": "H",
    "events": "E",
    "webhook": "W",
    "datpipe": "D",
    "captured": "C",
}
LEGEND = "L listed, H history, E events call, W webhooks, D datpipe, C captured, · nobody knows"


def sparkline(counts: DailyCounts, cells: int) -> str:
    """Return bars for at most so many groups of days, each as high as its mean; `·` where no day of it is known.

    The lowest bar is for none at all, and for nothing else.
    """
    groups = _groups(counts.counts, cells)
    means = [_mean([count for count in group if count is not None]) for group in groups]
    highest = max((each for each in means if each is not None), default=0.0)
    return "".join(UNKNOWN if each is None else _bar(each, highest) for each in means)


def strip(counts: DailyCounts, cells: int) -> str:
    """Return a letter for at most so many groups of days; `·` where a day of it is not covered."""
    groups = _groups(counts.sources, cells)
    return "".join(UNKNOWN if None in group else LETTERS.get(str(group[-1]), "?") for group in groups)


def days_each(days: int, cells: int) -> int:
    """Return how many days a character stands for."""
    return max(1, ceil(days / cells))


def _groups(values: Sequence[Kind], cells: int) -> list[Sequence[Kind]]:
    """Return values in groups of one size; the first may be smaller, so that the last is the newest days."""
    size = days_each(len(values), cells)
    return [values[max(0, end - size) : end] for end in range(len(values), 0, -size)][::-1]


def _mean(known: Sequence[int]) -> float | None:
    return sum(known) / len(known) if known else None


def _bar(value: float, highest: float) -> str:
    return BARS[0] if not value else BARS[max(1, ceil(value / highest * len(BARS)) - 1)]
