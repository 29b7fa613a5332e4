"""The walk through the numbers of a part: which are pull requests, and the place of its next page."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from gh_backfill.clients.numbers import counted
from gh_backfill.clients.pages import Asked, KnownNumber, NumbersAsked, Page
from gh_backfill.engine.follow_ups import STEP
from gh_backfill.engine.sizing import QUERIES_APART
from gh_backfill.engine.walks import Ahead
from gh_backfill.errors import TooBig
from gh_backfill.models.github import NodeId, NotFound, Unknown
from gh_backfill.models.work import Stream
from gh_backfill.policy.query_prices import PULL_REQUESTS_BY_NUMBER, PagePrice

# A query asks about this many numbers, and about none while so many pull requests are known that they fill two pages.
# More may be safe; no real answer has shown it yet.
NUMBERS_A_QUERY = 300
ENOUGH = 150
TRIES = 3


@dataclass(kw_only=True, slots=True)
class NumberWalk:
    """A walk through the numbers of a part, and what is known of them from `place` on.

    `place` None is the beginning, until the first page has come.
    """

    repository: NodeId
    stream_id: str
    place: str | None
    lowest: int
    _next: int
    _most: int = NUMBERS_A_QUERY
    _tries: int = 0
    _shrunk: bool = False
    _apart: int = 0
    _known: deque[KnownNumber] = field(default_factory=deque)

    @classmethod
    def begin(cls, repository: NodeId, stream: Stream, place: str | None, guesses: int) -> NumberWalk:
        """Begin at a place of a part, where nothing is known yet.

        Its first numbers are taken for pull requests and asked for with all they have, for a query that only asked what
        they are would cost a point as well.
        """
        assert stream.numbers is not None
        lowest, highest = stream.numbers
        first = highest if place is None else int(place)
        last = max(lowest, first - guesses + 1)
        known = deque(KnownNumber(number=number, node_id=None) for number in range(first, last - 1, -1))
        return cls(repository=repository, stream_id=stream.id, place=place, lowest=lowest, _next=last - 1, _known=known)

    def resume(self, stream: Stream, after: str | None, *, ahead: bool) -> bool:
        """Go on from a place of the part: what is known of another one does not count."""
        return stream.id == self.stream_id and (ahead or self.place == after)

    def most(self, size: int) -> int:
        """Return how many pull requests of a page of that size are known by now."""
        return min(size, len(self._known))

    def next(self, stream: Stream, after: str | None, count: int) -> NumbersAsked | None:
        """Return what to ask: the next `count` pull requests, and what the next unknown numbers are."""
        known = tuple(self._known)[:count]
        lowest = max(self.lowest, self._next - self._most + 1)
        alone = bool(known) and self._apart > 0
        self._apart = max(0, self._apart - 1)
        enough = len(self._known) - len(known) >= ENOUGH
        numbers = () if alone or enough else tuple(range(self._next, lowest - 1, -1))
        if not known and not numbers:
            return None
        return NumbersAsked(repository=self.repository, after=self.place, known=known, numbers=numbers)

    def price(self, asked: Asked | None) -> PagePrice:
        """Return the price of the ids and the aliases, for there is no list."""
        if isinstance(asked, NumbersAsked):
            return replace(PULL_REQUESTS_BY_NUMBER, once=counted(asked))
        return PULL_REQUESTS_BY_NUMBER

    def take(self, stream: Stream, asked: Asked, page: Page, ahead: Ahead) -> Page | None:
        """Take what was told of numbers; returns the page with the place of the next one, or None where none came.

        A number of which GitHub says nothing is asked about again; in the end it is taken for a pull request that is
        to be read by its number alone.
        """
        assert isinstance(asked, NumbersAsked)
        before = self._next
        self._most = min(NUMBERS_A_QUERY, self._most + max(1, self._most // STEP) if self._shrunk else 2 * self._most)
        for number in asked.numbers:
            match page.told[number]:
                case Unknown():
                    self._tries += 1
                    if self._tries < TRIES:
                        break
                    self._known.append(KnownNumber(number=number, node_id=None))
                case NotFound():
                    pass
                case node_id:
                    self._known.append(KnownNumber(number=number, node_id=node_id))
            self._tries, self._next = 0, number - 1
        return self._moved_on(asked, page, nothing=self._next == before)

    def _moved_on(self, asked: NumbersAsked, page: Page, *, nothing: bool) -> Page | None:
        if not asked.known and (self._known or nothing):
            return None
        return self.step_over(asked, page)

    def step_over(self, asked: Asked, page: Page) -> Page:
        """Go on behind the pull requests that were asked for, and return the page with the place of the next one."""
        for _ in range(asked.first):
            self._known.popleft()
        place = self._known[0].number if self._known else self._next
        self.place = str(place) if place >= self.lowest else None
        return replace(page, next=self.place, end=str(self.lowest))

    def asks_for_less(self, asked: Asked, error: TooBig) -> bool:
        """Ask about half as many numbers next time; beside pull requests, about either of both alone.

        So none is blamed for the other: a page that once was too large stays small for long.
        """
        if not isinstance(asked, NumbersAsked) or not asked.numbers:
            return False
        if asked.first:
            self._apart = QUERIES_APART
            return True
        if len(asked.numbers) == 1:
            raise error
        self._most, self._shrunk = len(asked.numbers) // 2, True
        return True

    def read(self, asked: Asked, page: Page) -> int:
        """Return how many numbers were asked for: GitHub had to look up those that are no pull requests, too."""
        return asked.first
