"""What becomes of a worker: where it is struck down, and how.  All of it follows from the seed."""

from __future__ import annotations

import random
import re
import threading
from collections import deque
from dataclasses import dataclass, replace
from enum import StrEnum

from tests.storm.wire import Moment


class Deed(StrEnum):
    """What is done to a worker."""

    KILL = "killed"
    FREEZE = "frozen until its chunk was taken over"
    CUT = "cut off from the database"
    TERMINATE = "backend terminated"
    LINGER = "held up until a rival waits for it"
    NOTHING = "left alone"


class Point(StrEnum):
    """Where it is done."""

    CLAIM = "before the claim"
    CLAIMED = "claimed, not told yet"
    FETCH = "while fetching"
    ROWS = "before the first row"
    AMID = "while rows are written"
    WRITTEN = "rows written, chunk open"
    COMMIT = "before COMMIT"
    COMMITTED = "after COMMIT, not told yet"
    ANY = "at a random moment"
    WAITING = "while waiting"


# What marks a message of ours: several statements travel in one.
_CLAIM = re.compile(r"insert into backfill_chunks")
_ROWS = re.compile(r"insert into (pull_requests|issues)\b")
_CLOSE = re.compile(r"update backfill_chunks\s+set status = 'completed'")
_COMMIT = re.compile(r"\bcommit\s*$")
_MOST_MISSED = 6
NAMED = tuple(point for point in Point if point not in (Point.ANY, Point.WAITING))
_WRITING = (Point.AMID, Point.WRITTEN, Point.COMMIT)
_MISFORTUNES: tuple[tuple[Deed, tuple[Point, ...]], ...] = (
    (Deed.CUT, (*NAMED, Point.COMMIT, Point.COMMITTED)),
    (Deed.TERMINATE, (*NAMED, Point.COMMIT, Point.COMMITTED)),
    (Deed.FREEZE, (Point.FETCH, *_WRITING)),
    (Deed.LINGER, (Point.WRITTEN, Point.COMMIT)),
)


@dataclass(slots=True)
class Course:
    """What a worker is about, told from its messages: `points` says where each of them is."""

    closing: bool = False

    def points(self, message: str, moment: Moment) -> frozenset[Point]:
        """Return the points at which a worker is whose message has not reached the server, or was just answered."""
        before = moment is Moment.BEFORE
        if _CLAIM.search(message):
            return frozenset({Point.CLAIM} if before else {Point.CLAIMED, Point.FETCH})
        if _ROWS.search(message):
            self.closing = False
            return frozenset({Point.ROWS, Point.AMID} if before else {Point.WRITTEN})
        self.closing = self.closing or _CLOSE.search(message) is not None
        if self.closing and _COMMIT.search(message):
            self.closing = before
            return frozenset({Point.COMMIT} if before else {Point.COMMITTED})
        return frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fate:
    """A deed at the `nth` passing of a point; `delay` in seconds, from the start where the point is ANY."""

    deed: Deed
    point: Point
    nth: int = 1
    delay: float = 0.0
    missed: int = 0


class Fates:
    """The fates that are still to be met, handed out one by one; one that was not met comes back."""

    def __init__(self, fates: list[Fate]) -> None:
        self._waiting = deque(fates)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self) -> Fate | None:
        """Return the next fate; None where all are met or being met."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def give_back(self, fate: Fate) -> None:
        """Keep a fate for another worker, to be met at the first occasion.

        A misfortune other than a kill, for which somebody else must come along, is dropped when it is missed too often.
        """
        if fate.deed is not Deed.KILL and fate.missed >= _MOST_MISSED:
            return
        with self._lock:
            again = replace(fate, nth=1, delay=min(fate.delay, 1.5), missed=fate.missed + 1)
            self._waiting.append(again)


def random_fates(seed: int, kills: int) -> list[Fate]:
    """Return fates with exactly so many kills, and for every ten kills three other misfortunes."""
    luck = random.Random(f"fates:{seed}")  # noqa: S311  (a dice, no secret)
    killing = [_kill(luck, number) for number in range(kills)]
    others = [_misfortune(luck, number) for number in range(kills * 3 // 10)]
    fates = killing + others
    luck.shuffle(fates)
    return fates


def every_fate_once() -> list[Fate]:
    """Return a kill at each point and one misfortune of each kind, in an order that does not change."""
    return [
        *(Fate(deed=Deed.KILL, point=point, nth=2, delay=0.05) for point in NAMED),
        Fate(deed=Deed.KILL, point=Point.ANY, delay=1.3),
        Fate(deed=Deed.FREEZE, point=Point.FETCH),
        Fate(deed=Deed.CUT, point=Point.COMMITTED, nth=2),
        Fate(deed=Deed.CUT, point=Point.COMMIT, nth=2),
        Fate(deed=Deed.TERMINATE, point=Point.AMID, nth=2),
        Fate(deed=Deed.TERMINATE, point=Point.COMMIT),
        Fate(deed=Deed.LINGER, point=Point.COMMIT),
        Fate(deed=Deed.LINGER, point=Point.COMMIT),
    ]


def _kill(luck: random.Random, number: int) -> Fate:
    if luck.random() < 0.35:
        return Fate(deed=Deed.KILL, point=Point.ANY, delay=luck.uniform(0.7, 3.5))
    point = NAMED[number % len(NAMED)]
    return Fate(deed=Deed.KILL, point=point, nth=luck.randint(1, 4), delay=luck.uniform(0.0, 0.15))


def _misfortune(luck: random.Random, number: int) -> Fate:
    deed, points = _MISFORTUNES[number % len(_MISFORTUNES)]
    return Fate(deed=deed, point=luck.choice(points), nth=luck.randint(1, 3), delay=luck.uniform(0.0, 0.1))
