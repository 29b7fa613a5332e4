"""One list of an item, followed page by page: whether it leads on, and whether as much came as it counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from gh_backfill.policy.items import FollowUp


@dataclass(kw_only=True, slots=True)
class Followed:
    """One list; `beginning` asks for it from its first page on."""

    beginning: FollowUp
    total: int = 0
    _held: set[int | str] = field(default_factory=set)
    _before: set[int | str] = field(default_factory=set)
    _lost: int = 0
    _begun: set[str] = field(default_factory=set)

    @property
    def held(self) -> int:
        """Return how many different items came, readable or not."""
        different = self._held | self._before if self._before else self._held
        return len(different) + self._lost

    @property
    def short(self) -> bool:
        """Say whether GitHub counts more than came."""
        return self.held < self.total

    def take(self, items: Iterable[int | str], *, lost: int, total: int, following: str | None) -> bool:
        """Take the ids of a page and its count; returns whether the page after it is to be asked for.

        It is not where the cursor leads back, or the page brought nothing new: such a list would never end.
        """
        before = len(self._held) + self._lost
        self._held.update(items)
        self._lost += lost
        self.total = total
        if following is None or following in self._begun or len(self._held) + self._lost == before:
            return False
        self._begun.add(following)
        return True

    def begin(self) -> None:
        """Follow the list from its first page on; what came before is kept."""
        self._before |= self._held
        self._held.clear()
        self._begun.clear()
        self._lost = 0
