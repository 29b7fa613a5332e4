"""Questions about many things at once: too much is asked for in halves, what was not told again alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from gh_backfill.errors import TooBig, Unexpected
from gh_backfill.models.github import Unknown

Wanted = TypeVar("Wanted")
Told = TypeVar("Told")

# What GitHub says nothing of is asked again in smaller queries: (how many a query, how many at most).
AGAIN = ((25, 100), (1, 3))
# Where so many in a row can't be asked about even alone, it is nobody's own fault.
MOST_ALONE = 3
# A query that was too much may have met a bad moment; after so many of them it is believed.
MOST_FAILURES = 3


@dataclass(frozen=True, kw_only=True)  # a generic class with slots can't be frozen: typing notes its parameters
class HalvingRound(Generic[Wanted, Told]):
    """What GitHub said of each of some things, and when by its clock; None where it said nothing of any of them."""

    told: list[tuple[Wanted, Told]]
    at: datetime | None = None


@dataclass(kw_only=True, slots=True)
class Halving(Generic[Wanted, Told]):
    """Asks, and remembers how many GitHub can take at once: `most` to begin with, and never more than `limit`."""

    ask: Callable[[Sequence[Wanted]], HalvingRound[Wanted, Told | Unknown]]
    limit: int
    most: int = 0
    _alone: int = 0
    _failures: int = 0

    def __post_init__(self) -> None:
        """Begin with as many as may be."""
        self.most = self.most or self.limit

    def read(self, wanted: Sequence[Wanted]) -> Generator[HalvingRound[Wanted, Told | Unknown], None, None]:
        """Yield what each query brought, so that it can be kept before the next is sent; what is unknown comes last.

        Raises what asking raises where it concerns all.
        """
        silent = yield from self._rounds(list(wanted), self.most)
        for size, limit in AGAIN:
            if not silent:
                return
            again, rest = silent[:limit], silent[limit:]
            still = yield from self._rounds([each for each, _ in again], min(size, self.most))
            silent = [*still, *rest]
        if silent:
            yield HalvingRound(told=[(each, told) for each, told in silent])

    def _rounds(
        self, wanted: Sequence[Wanted], most: int
    ) -> Generator[HalvingRound[Wanted, Told | Unknown], None, list[tuple[Wanted, Unknown]]]:
        """Ask for these, so many together at most; returns of what nothing was said."""
        waiting = [list(wanted[start : start + most]) for start in reversed(range(0, len(wanted), most))]
        silent: list[tuple[Wanted, Unknown]] = []
        while waiting:
            part = waiting.pop()
            try:
                answer = self.ask(part)
            except (TooBig, Unexpected) as error:
                if len(part) > 1:
                    waiting += self._halves(part, error)
                else:
                    silent.append(self._charged(part[0], error))
                continue
            self._alone = 0
            if len(part) >= self.most and self._failures < MOST_FAILURES:
                self.most = min(2 * self.most, self.limit)
            known = [each for each in answer.told if not isinstance(each[1], Unknown)]
            silent += [(each, told) for each, told in answer.told if isinstance(told, Unknown)]
            if known:
                yield HalvingRound(told=known, at=answer.at)
        return silent

    def _halves(self, part: list[Wanted], error: TooBig | Unexpected) -> list[list[Wanted]]:
        """Divide what was asked for together, the first half last; what was too much is not asked for again."""
        half = (len(part) + 1) // 2
        if isinstance(error, TooBig):
            self.most, self._failures = half, self._failures + 1
        return [part[half:], part[:half]]

    def _charged(self, wanted: Wanted, error: TooBig | Unexpected) -> tuple[Wanted, Unknown]:
        """Charge an error to the one that was asked about alone; raises it where it happens to all of them."""
        self._alone += 1
        if self._alone >= MOST_ALONE:
            raise error
        return wanted, Unknown(reason=str(error), passing=isinstance(error, TooBig))
