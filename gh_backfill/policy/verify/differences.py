"""Differences between what is here and what GitHub says, and how each of them ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gh_backfill.models.work import words_of


class What(StrEnum):
    """What differs: an item as a whole, one of its fields, or how many parts it has."""

    MISSING = "missing"
    GONE = "gone"
    MOVED = "moved"
    DUPLICATE = "duplicate"
    COUNT = "count"
    DAMAGED = "damaged"
    IMPOSSIBLE = "impossible"
    AUTHOR = "author"
    STALE = "stale"
    UNREADABLE = "unreadable"
    TOTAL = "total"


class End(StrEnum):
    """How a difference ended: it is no more, it is as it should be, or it is still there."""

    MENDED = "mended"
    EXPLAINED = "explained"
    OPEN = "open"


# An item that has one of these is not here, or should not be.
OF_THE_WHOLE = frozenset({What.MISSING, What.GONE, What.MOVED, What.DUPLICATE, What.TOTAL})


# Of so many items that differ in the same way the numbers are told.
MOST_NUMBERS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One difference: of which item (no number: of the whole repository), in which words, and how it ended and why."""

    kind: str
    number: int | None
    what: What
    detail: str
    end: End = End.OPEN
    why: str | None = None

    @property
    def open(self) -> bool:
        """Say whether it is still there."""
        return self.end is End.OPEN

    @property
    def words(self) -> str:
        """Say it in a line."""
        of = words_of(self.kind) if self.number is None else f"{words_of(self.kind).removesuffix('s')} #{self.number}"
        return f"{of}: {self.said_of_it}"

    @property
    def said_of_it(self) -> str:
        """Say what differs and how that ended, without the item."""
        because = f" ({self.why})" if self.why else ""
        return f"{self.detail}: {self.end}{because}"

    def ended(self, end: End, why: str | None = None) -> Difference:
        """Return it with its end."""
        return replace(self, end=end, why=why)

    def as_json(self) -> dict[str, object]:
        """Return it as JSON-ready values."""
        return {
            "kind": self.kind,
            "number": self.number,
            "what": self.what,
            "detail": self.detail,
            "end": self.end,
            "why": self.why,
        }


def folded(differences: Iterable[Difference]) -> list[str]:
    """Say differences in lines, in their order; what is so of several items is said once, with their numbers."""
    groups: dict[tuple[str, str], list[Difference]] = {}
    for each in differences:
        groups.setdefault((each.kind, each.said_of_it), []).append(each)
    lines = []
    for (kind, said), group in groups.items():
        numbers = [each.number for each in group if each.number is not None]
        if len(numbers) < 2:
            lines += [each.words for each in group]
            continue
        told = ", ".join(f"#{number}" for number in numbers[:MOST_NUMBERS])
        more = f" and {len(numbers) - MOST_NUMBERS:,} more" if len(numbers) > MOST_NUMBERS else ""
        lines.append(f"{len(numbers):,} {words_of(kind)}: {said}: {told}{more}")
    return lines


def after_repair(before: Sequence[Difference], left: Sequence[Difference]) -> list[Difference]:
    """Return how the differences of an item ended that was read again: as they say that are `left`, else mended."""
    still = {_about(each): each for each in left}
    ended = [each.ended(End.MENDED) for each in before if _about(each) not in still]
    return [*ended, *still.values()]


def _about(difference: Difference) -> tuple[What, str]:
    return difference.what, difference.detail.partition(":")[0]
