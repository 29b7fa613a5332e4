"""The certificate: what is here of a repository, number by number, what differs, and when that was proven."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gh_backfill.policy.markdown import counted
from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.policy.verify.numbers import WORDS, NumberIs
from gh_backfill.policy.verify.score import QualityScore

# So many differences are told one by one; all of them are counted.
MOST_TOLD = 100
_NAMED = 3
_OPEN = {
    What.MISSING: "missing",
    What.GONE: "not at GitHub any more",
    What.MOVED: "elsewhere now",
    What.DUPLICATE: "here twice",
    What.COUNT: "not whole",
    What.DAMAGED: "with wrong fields",
    What.IMPOSSIBLE: "with dates that can't be",
    What.AUTHOR: "without the right author",
    What.STALE: "changed since",
    What.UNREADABLE: "unreadable",
    What.TOTAL: "counted otherwise by GitHub",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Certificate:
    """What was found of the numbers from 1 to `highest`.

    `numbers` says how many of them are what.  Of `expected` items `proven` were held against GitHub, all of them since
    `proven_at` (None: not all were yet).  `differences` are those that are open or explained, and those mended now.
    """

    full_name: str
    highest: int
    numbers: Mapping[NumberIs, int]
    expected: int
    proven: int
    differences: Sequence[Difference]
    score: QualityScore
    proven_at: datetime | None

    @property
    def open(self) -> tuple[Difference, ...]:
        """Return what is still wrong."""
        return tuple(each for each in self.differences if each.open)

    @property
    def whole(self) -> bool:
        """Say whether everything is proven, and nothing is wrong."""
        return self.proven_at is not None and not self.open

    @property
    def line(self) -> str:
        """Say it in one line."""
        if not self.highest:
            there = "no pull request and no issue"
        else:
            many = [_many(what, self.numbers.get(what, 0)) for what in NumberIs if self.numbers.get(what, 0)]
            there = f"1...{self.highest}: {', '.join(many)}" if many else f"1...{self.highest}: nothing is known"
        return f"{there}, {self._wrong()}; {self._proof()}"

    def _wrong(self) -> str:
        by_what: dict[What, set[tuple[str, int | None]]] = {}
        for each in self.open:
            by_what.setdefault(each.what, set()).add((each.kind, each.number))
        if not by_what:
            return "nothing missing" if self.proven_at is not None else "nothing wrong so far"
        return ", ".join(_some(what, by_what[what]) for what in What if what in by_what)

    def _proof(self) -> str:
        if self.proven_at is None:
            return f"{self.proven:,} of {counted(self.expected, 'item')} proven so far"
        word = "found" if self.open else "proven"
        return f"{word} {self.proven_at:%Y-%m-%d %H:%M} UTC by counts and numbers"

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        ends = Counter(each.end for each in self.differences)
        told = sorted(self.differences, key=lambda each: (not each.open, each.kind, each.number or 0))
        return {
            "repository": self.full_name,
            "line": self.line,
            "whole": self.whole,
            "first": 1,
            "highest": self.highest,
            "numbers": {str(what): self.numbers.get(what, 0) for what in NumberIs},
            "expected": self.expected,
            "proven": self.proven,
            "proven_at": None if self.proven_at is None else self.proven_at.isoformat(),
            "proven_by": ["counts", "numbers"],
            "score": self.score.as_json(),
            "open": ends[End.OPEN],
            "explained": ends[End.EXPLAINED],
            "mended": ends[End.MENDED],
            "differences": [each.as_json() for each in told[:MOST_TOLD]],
        }


def _many(what: NumberIs, many: int) -> str:
    return f"{many:,} {WORDS[what][many != 1]}"


def _some(what: What, items: set[tuple[str, int | None]]) -> str:
    numbers = sorted(number for _, number in items if number is not None)
    named = ", ".join(f"#{number}" for number in numbers[:_NAMED]) + (", …" if len(numbers) > _NAMED else "")
    return f"{len(items):,} {_OPEN[what]}" + (f" ({named})" if named else "")
