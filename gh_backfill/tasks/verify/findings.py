"""Findings of a verification so far, and the certificate that follows from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gh_backfill.models.github import NodeId
from gh_backfill.models.work import PULL_REQUESTS, TrackedRepository
from gh_backfill.policy.lifecycle import BackfillStatus
from gh_backfill.policy.verify.certificate import Certificate
from gh_backfill.policy.verify.differences import Difference, End, What
from gh_backfill.policy.verify.numbers import KnownAs, NumberIs
from gh_backfill.policy.verify.score import score
from gh_backfill.store.verify import ItemToProve, Key

# A proof that is older is none any more: each item is looked at again before that.
LASTS = timedelta(days=30)
UNDER_WAY = "its backfill is under way"
KIND_OF = {NumberIs.PULL_REQUEST: "pull_requests", NumberIs.ISSUE: "issues", NumberIs.DISCUSSION: "discussions"}
_NUMBER_OF = {kind: what for what, kind in KIND_OF.items()}


@dataclass(kw_only=True, slots=True)
class Findings:
    """What is known of a repository's items and numbers; `mended` are the differences that this verification ended.

    `finished` says that all steps were taken.  `highest` is where its number space ended when it began, `totals` are
    GitHub's counts then, and `lowest_here` is the lowest pull request that is here.  `unasked` are numbers that nobody
    knows.  `absent` says how often GitHub did not find an item, `moved` where it went, and `renumbered` under which
    number it is now.
    """

    repository: TrackedRepository
    kinds: Sequence[str]
    items: dict[Key, ItemToProve]
    numbers: dict[int, KnownAs]
    highest: int
    lowest_here: int | None
    totals: Mapping[str, int]
    unasked: frozenset[int] = frozenset()
    finished: bool = False
    total_differences: tuple[Difference, ...] = ()
    mended: list[Difference] = field(default_factory=list)
    absent: dict[Key, int] = field(default_factory=dict)
    moved: dict[Key, str] = field(default_factory=dict)
    renumbered: dict[Key, int] = field(default_factory=dict)

    @property
    def captured(self) -> tuple[NumberIs, ...]:
        """Return the sorts of numbers that are captured."""
        return tuple(_NUMBER_OF[kind] for kind in self.kinds)

    @property
    def node_id(self) -> NodeId:
        """Return GitHub's id of the repository."""
        assert self.repository.node_id is not None
        return self.repository.node_id

    def here(self) -> set[int]:
        """Return the numbers that have rows by which GitHub can be asked."""
        return {each.number for each in self.items.values() if each.node_id is not None}

    def missing(self) -> dict[int, str]:
        """Return the numbers that have no row though a kind that is captured has them, and that kind."""
        here = {each.number for each in self.items.values()}
        return {
            number: KIND_OF[known.what]
            for number, known in self.numbers.items()
            if number <= self.highest and number not in here and KIND_OF.get(known.what) in self.kinds
        }

    def differences(self) -> list[Difference]:
        """Return everything that differs, and what this verification has mended."""
        found = [one for each in self.items.values() for one in each.differences]
        found += (self._missing(number, kind) for number, kind in self.missing().items())
        found += (
            Difference(kind="numbers", number=number, what=What.UNREADABLE, detail="GitHub does not say what it is")
            for number, known in self.numbers.items()
            if known.what is NumberIs.UNREADABLE and number not in self.here()
        )
        return [*found, *self.total_differences, *self.mended]

    def _missing(self, number: int, kind: str) -> Difference:
        difference = Difference(kind=kind, number=number, what=What.MISSING, detail="there is no row of it")
        aim = self.repository.lasting_aim
        limited = self.repository.only_newest and (aim.max_items is not None or aim.dated)
        older = self.lowest_here is None or number < self.lowest_here
        if kind == "pull_requests" and (aim.states or (limited and older)):
            return difference.ended(End.EXPLAINED, f"wanted are {aim.words}")
        return difference.ended(End.OPEN, UNDER_WAY) if self.under_way(kind) else difference

    def under_way(self, kind: str) -> bool:
        """Say whether the backfill of a kind is to bring what is missing of it: no repair reads a whole history."""
        if kind == PULL_REQUESTS:
            return self.repository.status in (BackfillStatus.ACTIVE, BackfillStatus.PAUSED)
        return kind in self.repository.unfinished

    def certificate(self, now: datetime) -> Certificate:
        """Return the certificate of what is known by now."""
        differences = self.differences()
        missing = sum(each.what is What.MISSING and each.open for each in differences)
        proven = [each.proved_at for each in self.items.values() if _is_proven(each, now)]
        expected = len(self.items) + missing
        whole = self.finished and len(proven) == len(self.items) and not self.unasked
        return Certificate(
            full_name=self.repository.full_name,
            highest=self.highest,
            numbers=self._numbers(),
            expected=expected,
            proven=len(proven),
            differences=differences,
            score=score(differences, expected=expected, proven=len(proven) + missing),
            proven_at=min((each for each in proven if each is not None), default=now) if whole else None,
        )

    def _numbers(self) -> Mapping[NumberIs, int]:
        rows = {each.number: _NUMBER_OF[each.kind] for each in self.items.values()}
        told = {number: known.what for number, known in self.numbers.items() if number <= self.highest}
        return Counter((told | rows).values())

    def count(self, kind: str) -> int:
        """Return how many items of a kind there are by their numbers, those that are missing here included."""
        what = _NUMBER_OF[kind]
        rows = {each.number for each in self.items.values() if each.kind == kind and not _absent(each)}
        told = {number for number, known in self.numbers.items() if known.what is what and number <= self.highest}
        others = {each.number for each in self.items.values() if each.kind != kind}
        return len(rows | (told - others))

    def forget(self, keys: Iterable[Key]) -> None:
        """Take out what is no item of this repository any more."""
        for key in keys:
            self.items.pop(key, None)


def _absent(item: ItemToProve) -> bool:
    return any(each.what in (What.GONE, What.MOVED) for each in item.differences)


def _is_proven(item: ItemToProve, now: datetime) -> bool:
    unreadable = any(each.what is What.UNREADABLE for each in item.differences)
    return item.proved_at is not None and now - item.proved_at < LASTS and not unreadable
