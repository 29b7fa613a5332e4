"""The stars of a repository in the order in which they were given, made when somebody first looks at them."""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import cached_property

from gh_backfill.simulator.keys import Key
from gh_backfill.simulator.rows import Star


class StarList:
    """Stars by time, those of one second by account.  A list never changes; `with_star` and `without` give another."""

    def __init__(self, count: int, make: Callable[[], list[Key]]) -> None:
        self._count, self._make = count, make
        self._days: dict[int, Counter[date]] = {}

    @classmethod
    def of(cls, stars: Iterable[Star]) -> StarList:
        """Return the list of stars that are all there."""
        keys = sorted((star.starred_at, star.account, 0) for star in stars)
        return cls(len(keys), lambda: keys)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Star]:
        return map(star_of, self.keys)

    @cached_property
    def keys(self) -> list[Key]:
        """Where each star stands: its time and its account; the star itself is no more than that."""
        return self._make()

    @cached_property
    def accounts(self) -> frozenset[int]:
        """Who gave them."""
        return frozenset(account for _, account, _ in self.keys)

    def with_star(self, star: Star) -> StarList:
        """Return this list with one star more."""
        keys = self.keys.copy()
        insort(keys, (star.starred_at, star.account, 0))
        return StarList(len(keys), lambda: keys)

    def without(self, account: int) -> StarList:
        """Return this list without the star of somebody."""
        keys = [key for key in self.keys if key[1] != account]
        return StarList(len(keys), lambda: keys)

    def days(self, shifted_hours: int = 0) -> Counter[date]:
        """Count the stars of each day, where days begin so many hours after midnight UTC."""
        if shifted_hours not in self._days:
            shift = timedelta(hours=shifted_hours)
            self._days[shifted_hours] = Counter((datetime.fromisoformat(at) - shift).date() for at, _, _ in self.keys)
        return self._days[shifted_hours]


def star_of(key: Key) -> Star:
    """Return the star of a key."""
    return Star(account=key[1], starred_at=key[0])
